# ruff: noqa: E501 - a statement reads best on one line
"""What may be asked of a dataset that is open for statistics only, and that nothing else can be, in any form of words."""

import json
from collections import Counter
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import duckdb
import pytest
from sqlglot import exp
from support.protected import DISCLOSURES, PROTECTED, TABLES, make_world, plan_over_cells, release_all
from support.statements import statement_parser

from portal.disclosure.declared import check_declared
from portal.errors import Fault, StatementRefusal
from portal.ids import DatasetName
from portal.sql import parse, plan
from portal.sql.blocks import Aggregate, Atom, Block, EntityJoin, Grouping, PublicJoin
from portal.sql.places import fold
from portal.sql.plan import ParameterValue, Protected
from portal.sql.protected import MAX_BLOCKS

ATTACKS = Path(__file__).parents[3] / "shared" / "attacks"
ONLY_WHEN_RUN = {"ERR-007"}
"""Its expectation is about the words of an error while it runs; as a statement over released cells it may."""

REFUSED = {
    "P_ROWS": """
        TABLE ads
        SELECT country FROM ads
        SELECT country, placement FROM ads WHERE country = 'FR'
        SELECT ads FROM ads
        SELECT a FROM ads a
        SELECT ads.* FROM ads
        SELECT a.country FROM ads a ORDER BY 1 LIMIT 1
        SELECT DISTINCT * FROM ads
        SELECT * FROM ads GROUP BY ALL
        SELECT country, * FROM ads GROUP BY country
        SELECT * REPLACE (1 AS country) FROM ads
        SELECT * FROM (SELECT * FROM ads)
        SELECT * FROM (SELECT country FROM ads) AS t
        WITH c AS (SELECT * FROM ads) SELECT * FROM c
        WITH c AS (SELECT * FROM ads) SELECT 1
        WITH c AS (SELECT country FROM ads) SELECT c.country FROM c
        WITH c AS (SELECT * FROM ads), d AS (SELECT * FROM c) SELECT * FROM d
        SELECT country FROM ads UNION ALL SELECT code FROM dim_country
        SELECT code FROM dim_country EXCEPT SELECT country FROM ads
        SELECT code FROM dim_country INTERSECT SELECT country FROM ads
        SELECT code IN (SELECT country FROM ads) FROM dim_country
        SELECT code FROM dim_country WHERE EXISTS (SELECT * FROM ads WHERE country = 'LU')
        SELECT code = ANY (SELECT country FROM ads) FROM dim_country
        SELECT (SELECT country FROM ads LIMIT 1)
        SELECT ARRAY(SELECT country FROM ads)
        SELECT t.country FROM dim_country, LATERAL (SELECT country FROM ads) t
        SELECT 1 FROM ads
        SELECT random() FROM ads
        SELECT upper(country) FROM ads
        SELECT * FROM (ads)
        SELECT count(*) FROM (ads JOIN dim_country ON country = code)
        SELECT * FROM ads PIVOT (count(*) FOR country IN ('DE', 'FR'))
        SELECT count(*) FROM (SELECT * FROM ads) PIVOT (count(*) FOR country IN ('DE', 'FR'))
        UNPIVOT ads ON spend_eur INTO NAME n VALUE v
        SELECT * FROM ads UNPIVOT (v FOR n IN (spend_eur))
        SELECT count(*) FROM ads TABLESAMPLE 10%
        SELECT count(*) FROM (SELECT DISTINCT * FROM ads)
        SELECT count(*) FROM (SELECT country FROM ads LIMIT 5)
        SELECT count(*) FROM (SELECT country FROM ads ORDER BY spend_eur LIMIT 5)
        SELECT count(*) FROM (SELECT upper(country) AS c FROM ads) GROUP BY c
        SELECT count(*) FROM (SELECT country, random() AS r FROM ads) GROUP BY country
        WITH RECURSIVE r AS (SELECT country FROM ads UNION SELECT country FROM r) SELECT count(*) FROM r
        SELECT count(*) FROM (SELECT country FROM ads UNION ALL SELECT country FROM ads)
        SELECT moderation FROM moderation
        WITH c AS (FROM ads) SELECT count(*) FROM c TABLESAMPLE 10%
        WITH c AS (FROM ads) SELECT count(*) FROM c PIVOT (count(*) FOR country IN ('DE', 'FR'))
        WITH c AS (FROM ads) UNPIVOT c ON spend_eur INTO NAME n VALUE v
        SELECT count(*) FROM (FROM ads) TABLESAMPLE 10%
        SELECT 'LU' FROM ads GROUP BY ALL
        SELECT (SELECT 1) FROM ads GROUP BY ALL
        SELECT 1 FROM ads HAVING true
        SELECT FROM ads""",
    "P_AGG": """
        SELECT min(spend_eur) FROM ads
        SELECT country, max(impressions) FROM ads GROUP BY country
        SELECT any_value(country) FROM ads
        SELECT last(creative_text) FROM ads
        SELECT arg_max(creative_text, spend_eur) FROM ads
        SELECT max_by(user_id, spend_eur) FROM ads
        SELECT list(spend_eur) FROM ads
        SELECT array_agg(user_id) FROM ads
        SELECT string_agg(user_id, ',') FROM ads
        SELECT group_concat(creative_text) FROM ads
        SELECT histogram(spend_eur) FROM ads
        SELECT approx_top_k(user_id, 3) FROM ads
        SELECT median(spend_eur) FROM ads
        SELECT quantile_cont(spend_eur, 0.99) FROM ads
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY spend_eur) FROM ads
        SELECT mode() WITHIN GROUP (ORDER BY user_id) FROM ads
        SELECT approx_quantile(spend_eur, 0.5) FROM ads
        SELECT approx_count_distinct(user_id) FROM ads
        SELECT stddev(spend_eur) FROM ads
        SELECT var_pop(spend_eur) FROM ads
        SELECT bit_or(impressions) FROM ads
        SELECT bool_or(country = 'LU') FROM ads
        SELECT regr_slope(spend_eur, impressions) FROM ads
        SELECT covar_pop(spend_eur, impressions) FROM ads
        SELECT entropy(user_id) FROM ads
        SELECT kurtosis(spend_eur) FROM ads
        SELECT fsum(spend_eur) FROM ads
        SELECT geomean(spend_eur) FROM ads
        SELECT weighted_avg(spend_eur, impressions) FROM ads
        SELECT mad(spend_eur) FROM ads
        SELECT json_group_array(user_id) FROM ads
        SELECT reservoir_quantile(spend_eur, 0.5) FROM ads
        SELECT country, grouping(country) FROM ads GROUP BY country
        SELECT min(spend_eur) FILTER (WHERE country = 'LU') FROM ads
        SELECT country FROM ads GROUP BY country HAVING max(spend_eur) > 60000
        SELECT country FROM ads GROUP BY country ORDER BY min(spend_eur)
        WITH c AS (SELECT * FROM ads) SELECT median(spend_eur) FROM c""",
    "P_AGGARG": """
        SELECT sum(2 * spend_eur) FROM ads
        SELECT sum(spend_eur + impressions) FROM ads
        SELECT sum(-spend_eur) FROM ads
        SELECT sum(spend_eur::INT) FROM ads
        SELECT sum(round(spend_eur)) FROM ads
        SELECT sum(1) FROM ads
        SELECT sum(DISTINCT spend_eur) FROM ads
        SELECT avg(DISTINCT spend_eur) FROM ads
        SELECT sum(country = 'LU') FROM ads
        SELECT sum(user_id) FROM ads
        SELECT sum(advertiser_id) FROM ads
        SELECT avg(campaign_date) FROM ads
        SELECT sum(delay_hours ORDER BY delay_hours) FROM moderation
        SELECT count(creative_text) FROM ads
        SELECT count(DISTINCT user_id) FROM ads
        SELECT count(DISTINCT spend_eur) FROM ads
        SELECT count(DISTINCT campaign_date) FROM ads
        SELECT count(DISTINCT (country, placement)) FROM ads
        SELECT count(DISTINCT country, placement) FROM ads
        SELECT count(nullif(country, 'LU')) FROM ads
        SELECT count(CASE WHEN country = 'LU' THEN user_id END) FROM ads
        SELECT sum(CASE WHEN country = 'LU' THEN spend_eur ELSE 1 END) FROM ads
        SELECT sum(CASE WHEN country = 'LU' THEN 1000000000 ELSE 0 END) FROM ads
        SELECT sum(CASE WHEN country = 'LU' THEN 2 * spend_eur END) FROM ads
        SELECT sum(CASE WHEN country = 'LU' THEN spend_eur ELSE impressions END) FROM ads
        SELECT sum(CASE WHEN country = 'LU' THEN 1 WHEN country = 'BE' THEN 1 END) FROM ads
        SELECT sum(CASE country WHEN 'LU' THEN spend_eur END) FROM ads
        SELECT avg(CASE WHEN country = 'LU' THEN spend_eur ELSE 0 END) FROM ads
        SELECT avg(CASE WHEN country = 'LU' THEN 1 END) FROM ads
        SELECT sum(if(country = 'LU', spend_eur, 0)) FROM ads
        SELECT sum(ads.creative_text) FROM ads
        SELECT sum(pop_m) FROM ads JOIN dim_country ON country = code
        SELECT count(name) FROM ads JOIN dim_country ON country = code
        SELECT sum((SELECT max(weight) FROM recsys)) FROM ads
        SELECT sum(sum(spend_eur)) FROM ads
        SELECT count(* EXCLUDE (country)) FROM ads
        SELECT sum(COLUMNS('spend.*')) FROM ads
        SELECT sum(spend_eur, 2) FROM ads
        SELECT count(DISTINCT seen) FROM visits
        SELECT count(DISTINCT week) FROM visits
        SELECT count(DISTINCT age) FROM visits
        SELECT count(DISTINCT postcode) FROM visits
        SELECT count(DISTINCT date_trunc('month', campaign_date)) FROM ads
        SELECT sum(age) FROM visits
        SELECT avg(r.kind) FROM visits v JOIN reports r ON v.person = r.person
        SELECT sum(r.words) FROM visits v JOIN reports r ON v.person = r.person
        SELECT count(DISTINCT r.sent) FROM visits v JOIN reports r ON v.person = r.person""",
    "P_GROUP": """
        SELECT is_remainder, count(*) FROM ads
        SELECT count(*) FROM ads ORDER BY is_remainder
        SELECT count(*) FROM ads GROUP BY ALL HAVING NOT is_remainder
        SELECT count(*) FROM ads GROUP BY advertiser_id
        SELECT user_id, count(*) FROM ads GROUP BY ALL
        SELECT spend_eur, count(*) FROM ads GROUP BY 1
        SELECT DISTINCT user_id FROM ads
        SELECT DISTINCT campaign_date FROM ads
        SELECT DISTINCT country, impressions FROM ads
        SELECT date_trunc('day', campaign_date), count(*) FROM ads GROUP BY 1
        SELECT date_trunc('week', campaign_date) AS w, count(*) FROM ads GROUP BY w
        SELECT date_trunc('hour', campaign_date), count(*) FROM ads GROUP BY ALL
        SELECT month(campaign_date), count(*) FROM ads GROUP BY 1
        SELECT extract(day FROM campaign_date), count(*) FROM ads GROUP BY 1
        SELECT date_part('month', campaign_date), count(*) FROM ads GROUP BY 1
        SELECT strftime(campaign_date, '%d') AS d, count(*) FROM ads GROUP BY d
        SELECT dayofweek(campaign_date), count(*) FROM ads GROUP BY 1
        SELECT campaign_date - DATE '2026-01-01', count(*) FROM ads GROUP BY ALL
        SELECT year(country), count(*) FROM ads GROUP BY 1
        SELECT date_trunc(placement, campaign_date), count(*) FROM ads GROUP BY ALL
        SELECT upper(country), count(*) FROM ads GROUP BY 1
        SELECT country || placement, count(*) FROM ads GROUP BY ALL
        SELECT country = 'LU', count(*) FROM ads GROUP BY ALL
        SELECT CASE WHEN country = 'LU' THEN 1 ELSE 2 END AS g, count(*) FROM ads GROUP BY g
        SELECT hash(country) % 2, count(*) FROM ads GROUP BY 1
        SELECT count(*) FROM ads GROUP BY random()
        SELECT count(*) FROM ads GROUP BY 'x'
        SELECT country, count(*) FROM ads GROUP BY country, ()
        SELECT country, count(*) FROM ads GROUP BY ROLLUP (country)
        SELECT country, count(*) FROM ads GROUP BY CUBE (country, placement)
        SELECT country, count(*) FROM ads GROUP BY GROUPING SETS ((country), ())
        SELECT country, placement, count(*) FROM ads GROUP BY country
        SELECT country, count(*) FROM ads
        SELECT user_id, count(*) FROM ads GROUP BY country
        SELECT country, spend_eur / count(*) FROM ads GROUP BY country
        SELECT country, count(*) FROM ads GROUP BY country HAVING spend_eur > 3
        SELECT country, count(*) FROM ads GROUP BY country ORDER BY spend_eur
        SELECT count(*) FROM ads HAVING country = 'LU'
        SELECT campaign_date, count(*) FROM ads GROUP BY date_trunc('month', campaign_date)
        WITH c AS (SELECT user_id AS country FROM ads) SELECT country, count(*) FROM c GROUP BY country
        SELECT land, count(*) FROM (SELECT advertiser_id FROM ads) t(land) GROUP BY land
        SELECT seen, count(*) FROM visits GROUP BY seen
        SELECT date_trunc('month', week), count(*) FROM visits GROUP BY 1
        SELECT date_trunc('month', quarter), count(*) FROM visits GROUP BY 1
        SELECT count(*) FROM ads GROUP BY (SELECT 1)
        SELECT date_trunc('month', week), year(week), count(*) FROM visits GROUP BY ALL
        SELECT year(week), count(*) FROM visits GROUP BY 1
        SELECT extract(year FROM week), count(*) FROM visits GROUP BY 1
        SELECT date_part('year', week), count(*) FROM visits GROUP BY 1
        SELECT date_trunc('quarter', week)::DATE, count(*) FROM visits GROUP BY 1
        SELECT date_trunc('day', week), count(*) FROM visits GROUP BY 1
        SELECT date_trunc('week', quarter), count(*) FROM visits GROUP BY 1
        SELECT datetrunc('week', campaign_date), count(*) FROM ads GROUP BY 1
        SELECT date_part('week', campaign_date), count(*) FROM ads GROUP BY 1
        SELECT isoyear(week), count(*) FROM visits GROUP BY 1
        SELECT date_trunc('decade', day), count(*) FROM visits GROUP BY 1
        SELECT seen::DATE, count(*) FROM visits GROUP BY 1
        SELECT age, count(*) FROM visits GROUP BY age
        SELECT DISTINCT price FROM visits
        SELECT floor(age / 5) * 5, count(*) FROM visits GROUP BY 1
        SELECT floor(age / 1) * 1, count(*) FROM visits GROUP BY 1
        SELECT floor(age / 30) * 30, count(*) FROM visits GROUP BY 1
        SELECT floor(age / 25) * 25, count(*) FROM visits GROUP BY 1
        SELECT floor(age / 10) * 20, count(*) FROM visits GROUP BY 1
        SELECT floor(age / 10), count(*) FROM visits GROUP BY 1
        SELECT floor(age // 10) * 10, count(*) FROM visits GROUP BY 1
        SELECT floor((age + 1) / 10) * 10, count(*) FROM visits GROUP BY 1
        SELECT ceil(age / 10) * 10, count(*) FROM visits GROUP BY 1
        SELECT floor(age / 10.0) * 10.0, count(*) FROM visits GROUP BY 1
        SELECT floor(age / 1e1) * 1e1, count(*) FROM visits GROUP BY 1
        SELECT floor(age / -10) * -10, count(*) FROM visits GROUP BY 1
        SELECT floor(age / 0) * 0, count(*) FROM visits GROUP BY 1
        SELECT floor(price / 2) * 2, count(*) FROM visits GROUP BY 1
        SELECT floor(level / 10) * 10, count(*) FROM visits GROUP BY 1
        SELECT floor(hours / 10) * 10, count(*) FROM visits GROUP BY 1
        SELECT floor(pop_m / 10) * 10, count(*) FROM visits JOIN dim_country USING (code) GROUP BY 1
        SELECT age // 10, count(*) FROM visits GROUP BY 1
        SELECT postcode, count(*) FROM visits GROUP BY postcode
        SELECT left(postcode, 4), count(*) FROM visits GROUP BY 1
        SELECT left(postcode, 0), count(*) FROM visits GROUP BY 1
        SELECT left(postcode, -1), count(*) FROM visits GROUP BY 1
        SELECT left(postcode, level), count(*) FROM visits GROUP BY ALL
        SELECT right(postcode, 1), count(*) FROM visits GROUP BY 1
        SELECT left(code, 1), count(*) FROM visits GROUP BY 1
        SELECT left(person, 2), count(*) FROM visits GROUP BY 1
        SELECT r.sent, count(*) FROM visits v JOIN reports r ON v.person = r.person GROUP BY 1
        SELECT r.words, count(*) FROM visits v JOIN reports r ON v.person = r.person GROUP BY 1
        SELECT v.person, count(*) FROM visits v JOIN reports r ON v.person = r.person GROUP BY 1""",
    "P_FILTER": """
        SELECT count(*) FROM ads WHERE advertiser_id = 'ADV007'
        SELECT count(*) FROM ads WHERE spend_eur > 60000
        SELECT count(*) FROM ads WHERE creative_text = 'Buy now 42'
        SELECT count(*) FROM ads WHERE advertiser_id IS NULL
        SELECT count(*) FROM ads WHERE impressions BETWEEN 1 AND 2
        SELECT count(*) FROM ads WHERE country <> 'LU'
        SELECT count(*) FROM ads WHERE country != 'LU'
        SELECT count(*) FROM ads WHERE country NOT IN ('LU')
        SELECT count(*) FROM ads WHERE country IS NOT NULL
        SELECT count(*) FROM ads WHERE country IS DISTINCT FROM 'LU'
        SELECT count(*) FROM ads WHERE country IS NOT DISTINCT FROM 'LU'
        SELECT count(*) FROM ads WHERE country = 'LU' OR country = 'BE'
        SELECT count(*) FROM ads WHERE (country = 'LU' OR placement = 'feed') AND placement = 'feed'
        SELECT count(*) FROM ads WHERE country LIKE 'L%'
        SELECT count(*) FROM ads WHERE country ILIKE 'lu'
        SELECT count(*) FROM ads WHERE country SIMILAR TO 'L.*'
        SELECT count(*) FROM ads WHERE country GLOB 'L*'
        SELECT count(*) FROM ads WHERE country ~ 'L'
        SELECT count(*) FROM ads WHERE regexp_matches(country, 'L')
        SELECT count(*) FROM ads WHERE starts_with(country, 'L')
        SELECT count(*) FROM ads WHERE country ^@ 'L'
        SELECT count(*) FROM ads WHERE lower(country) = 'lu'
        SELECT count(*) FROM ads WHERE country || '' = 'LU'
        SELECT count(*) FROM ads WHERE country::VARCHAR = 'LU'
        SELECT count(*) FROM ads WHERE country COLLATE NOCASE = 'lu'
        SELECT count(*) FROM ads WHERE country > 'L'
        SELECT count(*) FROM ads WHERE country BETWEEN 'L' AND 'M'
        SELECT count(*) FROM ads WHERE country = placement
        SELECT count(*) FROM ads WHERE country = advertiser_id
        SELECT count(*) FROM ads WHERE country = NULL
        SELECT count(*) FROM ads WHERE country IN ('DE', NULL)
        SELECT count(*) FROM ads WHERE country = 5
        SELECT count(*) FROM ads WHERE country = 'L' || 'U'
        SELECT count(*) FROM ads WHERE country IN (SELECT code FROM dim_country)
        SELECT count(*) FROM ads WHERE country = (SELECT max(code) FROM dim_country)
        SELECT count(*) FROM ads WHERE country = ANY (['LU'])
        SELECT count(*) FROM ads WHERE EXISTS (SELECT 1)
        SELECT count(*) FROM ads WHERE CASE WHEN country = 'LU' THEN true END
        SELECT count(*) FROM ads WHERE (country = 'LU') = true
        SELECT count(*) FROM ads WHERE (country = 'LU') IS NULL
        SELECT count(*) FROM ads WHERE (country, placement) = ('LU', 'feed')
        SELECT count(*) FROM ads WHERE true
        SELECT count(*) FROM ads WHERE 1 = 1
        SELECT count(*) FROM ads WHERE 'LU' = 'LU'
        SELECT count(*) FROM ads WHERE country
        SELECT count(*) FROM ads WHERE ads = 1
        SELECT count(*) FROM ads WHERE hash(user_id) % 2 = 0
        SELECT count(*) FROM ads WHERE campaign_date = DATE '2026-02-01'
        SELECT count(*) FROM ads WHERE campaign_date IN (DATE '2026-02-01')
        SELECT count(*) FROM ads WHERE campaign_date >= DATE '2026-02-02'
        SELECT count(*) FROM ads WHERE campaign_date < DATE '2026-02-28'
        SELECT count(*) FROM ads WHERE campaign_date > DATE '2026-02-01'
        SELECT count(*) FROM ads WHERE campaign_date <= DATE '2026-02-01'
        SELECT count(*) FROM ads WHERE campaign_date BETWEEN DATE '2026-02-01' AND DATE '2026-03-01'
        SELECT count(*) FROM ads WHERE campaign_date <= DATE '9999-12-31'
        SELECT count(*) FROM ads WHERE campaign_date < TIMESTAMP '2026-02-01 12:00:00'
        SELECT count(*) FROM ads WHERE campaign_date < DATE '2026-02-31'
        SELECT count(*) FROM ads WHERE campaign_date < '20260201'
        SELECT count(*) FROM ads WHERE campaign_date < 'tomorrow'
        SELECT count(*) FROM ads WHERE campaign_date < DATE(3) '2026-02-01'
        SELECT count(*) FROM ads WHERE campaign_date < current_date
        SELECT count(*) FROM ads WHERE campaign_date < make_date(2026, 2, 1)
        SELECT count(*) FROM ads WHERE campaign_date < DATE '2026-01-01' + INTERVAL 1 MONTH
        SELECT count(*) FROM ads WHERE date_trunc('month', campaign_date) = DATE '2026-02-01'
        SELECT count(*) FROM ads WHERE year(campaign_date) = 2026
        SELECT count(*) FROM ads WHERE campaign_date + 1 < DATE '2026-02-01'
        SELECT count(*) FILTER (WHERE user_id = 'U5') FROM ads
        SELECT count(*) FILTER (WHERE country <> 'LU') FROM ads
        SELECT sum(CASE WHEN user_id = 'U5' THEN spend_eur END) FROM ads
        SELECT sum(CASE WHEN NOT country = 'LU' THEN spend_eur ELSE 0 END) FROM ads
        SELECT count_if(advertiser_id = 'ADV007') FROM ads
        SELECT countif(spend_eur > 100) FROM ads
        SELECT count(CASE WHEN country LIKE 'L%' THEN 1 END) FROM ads
        SELECT count(*) FROM moderation WHERE NOT automated
        SELECT count(*) FROM moderation WHERE automated = 1
        SELECT count(*) FROM moderation WHERE automated IS FALSE
        SELECT count(*) FROM ads JOIN dim_country d ON country = d.code WHERE d.name = placement
        WITH c AS (SELECT * FROM ads WHERE user_id = 'U5') SELECT count(*) FROM c
        SELECT count(*) FROM (SELECT country FROM ads WHERE spend_eur > 60000)
        SELECT count(*) FROM (SELECT advertiser_id AS country FROM ads) WHERE country = 'ADV007'
        SELECT code, (SELECT count(*) FROM ads WHERE country = code) FROM dim_country
        SELECT count(*) FROM visits WHERE level = 1.5
        SELECT count(*) FROM visits WHERE level > 1
        SELECT count(*) FROM visits WHERE seen <= TIMESTAMP '2026-02-01 00:00:00'
        SELECT count(*) FROM visits WHERE seen >= TIMESTAMP '2026-02-01 00:00:01'
        SELECT count(*) FROM visits WHERE week >= DATE '2026-02-01'
        SELECT count(*) FROM visits WHERE quarter < DATE '2026-02-01'
        SELECT count(*) FROM visits WHERE person IN ('P1')
        SELECT count(*) FROM visits WHERE age = 20
        SELECT count(*) FROM visits WHERE age IN (20, 21)
        SELECT count(*) FROM visits WHERE age >= 25
        SELECT count(*) FROM visits WHERE age > 20
        SELECT count(*) FROM visits WHERE age <= 20
        SELECT count(*) FROM visits WHERE age BETWEEN 20 AND 30
        SELECT count(*) FROM visits WHERE age >= 20.0
        SELECT count(*) FROM visits WHERE age >= 10000000000000000
        SELECT count(*) FROM visits WHERE floor(age / 10) * 10 = 20
        SELECT count(*) FROM visits WHERE price BETWEEN 5 AND 9
        SELECT count(*) FROM visits WHERE price <= 4
        SELECT count(*) FROM visits WHERE price < 7.5
        SELECT count(*) FROM visits WHERE price < 1e300
        SELECT count(*) FROM visits WHERE price < -1e999
        SELECT count(*) FROM visits WHERE price = 5
        SELECT count(*) FROM visits WHERE postcode = '1010'
        SELECT count(*) FROM visits WHERE postcode IN ('1010', '1020')
        SELECT count(*) FROM visits WHERE postcode < '2'
        SELECT count(*) FROM visits WHERE postcode LIKE '10%'
        SELECT count(*) FROM visits WHERE left(postcode, 4) = '1010'
        SELECT count(*) FROM visits WHERE left(postcode, 0) = ''
        SELECT count(*) FROM visits WHERE left(postcode, -1) = '101'
        SELECT count(*) FROM visits WHERE left(postcode, 2) = '101'
        SELECT count(*) FROM visits WHERE left(postcode, 2) > '10'
        SELECT count(*) FROM visits WHERE left(postcode, 2) IS NULL
        SELECT count(*) FROM visits WHERE left(code, 1) = 'D'
        SELECT count(*) FROM visits WHERE left(person, 1) = 'P'
        SELECT count(*) FROM visits WHERE right(postcode, 1) = '0'
        SELECT count(*) FROM visits WHERE left_grapheme(postcode, 2) = '10'
        SELECT count(*) FROM visits WHERE left(postcode, level) = '1'
        SELECT count(*) FROM ads JOIN dim_country d ON country = d.code WHERE d.pop_m > placement
        SELECT count(*) FROM ads JOIN dim_country d ON country = d.code WHERE d.pop_m > 'x'
        SELECT count(*) FROM ads JOIN dim_country d ON country = d.code WHERE d.pop_m + 1 > 5
        SELECT count(*) FROM ads JOIN dim_country d ON country = d.code WHERE d.pop_m <> 5
        SELECT count(*) FROM visits v JOIN reports r ON v.person = r.person WHERE r.delay > 1
        SELECT count(*) FROM visits v JOIN reports r ON v.person = r.person WHERE r.words = 'x'
        SELECT count(*) FROM visits v JOIN reports r ON v.person = r.person WHERE r.sent >= DATE '2026-01-02'
        SELECT count(*) FROM visits v JOIN reports r ON v.person = r.person WHERE r.code > 'D'
        SELECT count(*) FROM visits v JOIN reports r ON v.person = r.person WHERE r.code = v.code
        SELECT count(*) FROM visits v JOIN (SELECT * FROM reports WHERE delay > 1) r ON v.person = r.person""",
    "P_PARAMETER": """
        SELECT count(*) FROM ads WHERE country = $country
        SELECT count(*) FROM ads WHERE country IN ('DE', $country)
        SELECT count(*) FROM ads WHERE campaign_date < $until
        SELECT count(*) FILTER (WHERE country = $country) FROM ads
        SELECT sum(CASE WHEN country = $country THEN spend_eur END) FROM ads
        SELECT count(*) FROM (SELECT * FROM ads WHERE country = $country)
        WITH c AS (SELECT * FROM ads WHERE country = $country) SELECT count(*) FROM c
        SELECT date_trunc($period, campaign_date), count(*) FROM ads GROUP BY 1
        SELECT floor(age / $k) * $k, count(*) FROM visits GROUP BY 1
        SELECT left(postcode, $n), count(*) FROM visits GROUP BY 1
        SELECT country, count(*) FROM ads GROUP BY country LIMIT $n
        SELECT country, count(*) FROM ads GROUP BY country LIMIT 1 OFFSET $n""",
    "P_JOIN": """
        SELECT count(*) FROM ads, ads b
        SELECT count(*) FROM ads a, LATERAL (SELECT * FROM ads) b
        SELECT count(*) FROM ads JOIN moderation ON ads.user_id = moderation.user_id
        SELECT count(*) FROM ads JOIN (SELECT * FROM moderation) m ON ads.user_id = m.user_id
        SELECT count(*) FROM ads JOIN recsys ON country = region
        SELECT count(*) FROM ads CROSS JOIN dim_country
        SELECT count(*) FROM ads, dim_country WHERE country = code
        SELECT count(*) FROM ads LEFT JOIN dim_country ON country = code
        SELECT count(*) FROM ads RIGHT JOIN dim_country ON country = code
        SELECT count(*) FROM ads FULL JOIN dim_country ON country = code
        SELECT count(*) FROM ads SEMI JOIN dim_country ON country = code
        SELECT count(*) FROM ads POSITIONAL JOIN dim_country
        SELECT count(*) FROM ads NATURAL JOIN dim_country
        SELECT count(*) FROM ads JOIN dim_country ON placement = code
        SELECT count(*) FROM ads JOIN dim_country ON country = name
        SELECT count(*) FROM ads JOIN dim_country ON country <> code
        SELECT count(*) FROM ads JOIN dim_country ON country = code AND name = 'Luxembourg'
        SELECT count(*) FROM ads JOIN dim_country ON upper(country) = code
        SELECT count(*) FROM ads JOIN dim_country ON true
        SELECT count(*) FROM ads JOIN dim_country ON country = code JOIN dim_country d ON country = d.code
        SELECT count(*) FROM ads JOIN (SELECT code FROM dim_country) d ON country = d.code
        WITH d AS (FROM dim_country) SELECT count(*) FROM ads JOIN d ON country = code
        SELECT count(*) FROM ads JOIN (VALUES ('LU')) v(c) ON country = c
        SELECT count(*) FROM moderation JOIN dim_country ON category = code
        SELECT count(*) FROM ads, unnest([1, 2]) AS u(x)
        WITH c AS (SELECT country, count(*) AS n FROM ads GROUP BY 1) SELECT count(*) FROM ads JOIN c ON ads.country = c.country
        WITH c AS (SELECT * FROM ads) SELECT count(*) FROM c JOIN c AS d ON c.country = d.country
        SELECT count(*) FROM visits JOIN reports ON visits.code = reports.code
        SELECT count(*) FROM visits JOIN reports ON visits.person = reports.kind
        SELECT count(*) FROM visits LEFT JOIN reports ON visits.person = reports.person
        SELECT count(*) FROM visits, reports WHERE visits.person = reports.person
        SELECT count(*) FROM visits JOIN reports ON visits.person = reports.person AND visits.code = reports.code
        SELECT count(*) FROM visits a JOIN visits b ON a.person = b.person
        SELECT count(*) FROM visits JOIN reports USING (person, code)
        SELECT count(*) FROM visits a JOIN reports r ON a.person = r.person JOIN visits b ON b.person = r.person
        SELECT count(*) FROM visits a JOIN reports r ON a.person = r.person JOIN ads ON ads.user_id = r.person
        SELECT count(*) FROM visits JOIN moderation ON person = user_id
        SELECT count(*) FROM moderation JOIN reports ON user_id = person""",
    "P_NAME": """
        SELECT sum(spend_eur) AS spend_eur FROM ads
        SELECT count(*) AS country FROM ads
        SELECT placement AS country, count(*) FROM ads GROUP BY country
        SELECT date_trunc('month', campaign_date) AS campaign_date, count(*) FROM ads GROUP BY 1
        SELECT count(*) AS Creative_Text FROM ads
        SELECT count(*) AS name FROM ads JOIN dim_country ON country = code
        SELECT count(*) AS "COUNTRY" FROM ads GROUP BY placement""",
    "P_STEP": """
        SELECT country, rank() OVER (ORDER BY sum(spend_eur)) FROM ads GROUP BY country
        SELECT sum(spend_eur) OVER (PARTITION BY country) FROM ads GROUP BY country
        SELECT country, count(*) OVER w FROM ads GROUP BY country WINDOW w AS (ORDER BY country)
        SELECT country, sum(count(*)) OVER () FROM ads GROUP BY country
        SELECT country, count(*) FROM ads GROUP BY country QUALIFY count(*) > 3
        SELECT country, count(*) FROM ads GROUP BY country ORDER BY rank() OVER (ORDER BY country)
        SELECT count(*) FROM ads USING SAMPLE 10
        SELECT DISTINCT ON (country) country, count(*) FROM ads GROUP BY country
        SELECT country.upper(), count(*) FROM ads GROUP BY country
        SELECT spend_eur.sum() FROM ads GROUP BY country
        SELECT (country).upper(), count(*) FROM ads GROUP BY country
        SELECT #1, count(*) FROM ads GROUP BY country
        SELECT country, count(*), unnest([1, 2]) FROM ads GROUP BY country
        SELECT list_transform([1], lambda x: x + 1), count(*) FROM ads
        SELECT [x FOR x IN [1]], count(*) FROM ads
        SELECT country, count(*) FROM ads GROUP BY country LIMIT 1 + 1
        SELECT country, count(*) FROM ads GROUP BY country LIMIT 1 OFFSET (SELECT 1)
        SELECT country, (SELECT d.name FROM dim_country d WHERE d.code = ads.country) FROM ads GROUP BY country
        SELECT country, (SELECT max(name) FROM dim_country WHERE code = country) FROM ads GROUP BY country
        SELECT count(*), EXISTS (SELECT 1 FROM dim_country WHERE code = placement) FROM ads
        SELECT count(*) FROM ads HAVING count(*) > (SELECT count(*) FROM recsys WHERE region = country)
        SELECT count(*), (VALUES (country)) FROM ads
        SELECT count(*), (SELECT max(x) FROM (VALUES (country)) t(x)) FROM ads""",
    "SQL_NAME_TAKEN": """
        SELECT count(*) FROM ads AS moderation
        SELECT count(*) FROM moderation AS ads
        SELECT count(*) FROM ads recsys
        WITH ads AS (SELECT country, count(*) FROM ads GROUP BY 1) SELECT * FROM ads
        WITH ads AS (SELECT 1) SELECT count(*) FROM ads
        SELECT count(*) FROM (SELECT * FROM ads) ads""",
    "SQL_QUALIFIED_NAME": """
        SELECT count(*) FROM main.ads
        SELECT count(*) FROM memory.main.ads""",
    "SQL_CONSTRUCT": """
        SELECT count(*) FROM ads WHERE campaign_date BETWEEN SYMMETRIC DATE '2026-02-01' AND DATE '2026-02-28'
        SELECT count(*) FROM (SUMMARIZE ads)
        SELECT count(*) FROM ads AT (VERSION => 3)""",
    "SQL_UNKNOWN_COLUMN": """
        SELECT country, ads.is_remainder, count(*) FROM ads GROUP BY country
        SELECT country, count(*) FROM ads WHERE is_remainder GROUP BY country
        SELECT country, count(*) FILTER (WHERE is_remainder) FROM ads GROUP BY country
        SELECT country, sum(is_remainder) FROM ads GROUP BY country
        SELECT country, (SELECT is_remainder), count(*) FROM ads GROUP BY country
        SELECT code, is_remainder, count(*) FROM dim_country GROUP BY code
        SELECT count(*) FROM ads WHERE contry = 'LU'
        SELECT region, count(*) FROM ads GROUP BY region
        SELECT count(rowid_) FROM ads
        SELECT n, count(*) FROM (SELECT country FROM ads) GROUP BY n""",
    "SQL_TABLE_FUNCTION": """
        SELECT count(*) FROM ads, read_csv('x')
        SELECT count(*) FROM query_table('ads')""",
}  # fmt: skip

ALLOWED = """
    SELECT count(*) FROM ads
    SELECT COUNT(*), count(), count(1), Count(country), count(spend_eur), count(advertiser_id) FROM ads
    SELECT count(*) + 1 AS n, sum(spend_eur) / count(*) FROM ads
    SELECT country, count(*), sum(spend_eur), avg(impressions), count(DISTINCT advertiser_id) FROM ads GROUP BY country ORDER BY country
    SELECT country AS country, count(*) FROM ads GROUP BY country ORDER BY country DESC
    SELECT ads.Country, COUNT(*) FROM ADS GROUP BY COUNTRY ORDER BY 1
    SELECT a.country, b.n FROM (SELECT country, count(*) AS n FROM ads GROUP BY ALL) b JOIN (SELECT DISTINCT country FROM ads) a USING (country) ORDER BY ALL
    SELECT DISTINCT country, placement FROM ads ORDER BY country, placement
    SELECT DISTINCT date_trunc('quarter', campaign_date) AS q FROM ads ORDER BY q
    SELECT DISTINCT country, count(*) > 100 AS many FROM ads GROUP BY country, placement ORDER BY ALL
    SELECT placement, country, sum(spend_eur) AS s FROM ads GROUP BY 2, 1 ORDER BY s DESC LIMIT 3
    SELECT placement p, sum(spend_eur) s FROM ads GROUP BY p HAVING s > 10 ORDER BY s DESC
    SELECT placement, count(*) AS n, n * 2 AS double FROM ads GROUP BY placement HAVING count(*) > 10 AND n > 20 ORDER BY n + 1, placement
    SELECT country, 'x' AS label, 1, count(*) FROM ads GROUP BY ALL ORDER BY ALL
    SELECT upper(country), lower(country) || '!' AS l, count(*) FROM ads GROUP BY country ORDER BY country
    SELECT CASE WHEN count(*) > 1000 THEN 'many' ELSE 'few' END, country FROM ads GROUP BY (country) ORDER BY country
    SELECT date_trunc('month', campaign_date)::DATE AS m, count(*) FROM ads GROUP BY ALL ORDER BY m
    SELECT year(campaign_date), count(*) FROM ads GROUP BY year(campaign_date)
    SELECT extract(year FROM campaign_date) AS y, date_trunc('year', campaign_date), count(*) FROM ads GROUP BY ALL
    SELECT strftime(date_trunc('month', campaign_date), '%Y-%m') AS m, sum(impressions) FROM ads GROUP BY date_trunc('month', campaign_date) ORDER BY m
    SELECT count(*) FILTER (WHERE country = 'FR' AND placement IN ('feed', 'search')), count(*) FILTER (country = 'DE') FROM ads
    SELECT sum(spend_eur) FILTER (WHERE country = 'FR') / sum(spend_eur) AS part FROM ads
    SELECT count_if(country = 'FR'), countif(placement = 'feed') AS c FROM ads
    SELECT sum(CASE WHEN country = 'FR' THEN impressions ELSE 0 END), sum(CASE WHEN country IN ('FR', 'DE') THEN spend_eur END) FROM ads
    SELECT sum(CASE WHEN country = 'FR' THEN 1 ELSE 0 END)::INT AS fr, count(CASE WHEN placement = 'feed' THEN 1 END) AS feed FROM ads
    SELECT avg(CASE WHEN country = 'FR' THEN spend_eur ELSE NULL END), mean(spend_eur) AS m FROM ads
    SELECT count(*) FROM ads WHERE country = 'FR' AND (placement = 'feed')
    SELECT count(*) FROM ads WHERE 'FR' = country AND placement == 'feed'
    SELECT count(*) FROM ads WHERE country IN ('FR', 'FR', 'it''s')
    SELECT count(*) FROM ads WHERE country IS NULL
    SELECT count(*) FROM ads WHERE campaign_date BETWEEN '2026-02-01' AND DATE '2026-03-31'
    SELECT count(*) FROM ads WHERE campaign_date > DATE '2026-01-31' AND campaign_date <= '2026-03-31'::DATE
    SELECT count(*) FROM ads WHERE DATE '2026-02-01' <= campaign_date AND campaign_date < TIMESTAMP '2026-04-01 00:00:00'
    SELECT category, automated, avg(delay_hours) FROM moderation WHERE automated GROUP BY ALL ORDER BY ALL
    SELECT category, count(*) FROM moderation WHERE automated = false GROUP BY category ORDER BY ALL
    SELECT d.name, count(*) AS n FROM ads JOIN dim_country d ON ads.country = d.code GROUP BY d.name ORDER BY ALL
    SELECT name, pop_m, sum(spend_eur) / pop_m AS per_head FROM dim_country JOIN ads ON (code = country) WHERE name IN ('France', 'Spain') GROUP BY name, pop_m ORDER BY ALL
    SELECT d.code, count(*) FILTER (WHERE d.name = 'Malta') AS n FROM ads INNER JOIN dim_country AS d ON d.code = country WHERE d.pop_m = 1 GROUP BY 1 ORDER BY 1
    SELECT v.code, count(*) FROM visits v JOIN dim_country USING (code) GROUP BY v.code ORDER BY ALL
    WITH c AS (SELECT country AS land, campaign_date, spend_eur FROM ads WHERE placement = 'feed') SELECT land, sum(spend_eur) AS s FROM c WHERE campaign_date >= DATE '2026-02-01' GROUP BY land ORDER BY ALL
    WITH c AS (SELECT * FROM ads WHERE placement = 'feed'), d AS (SELECT country FROM c WHERE country = 'FR') SELECT count(*) FROM d
    WITH c(a, b) AS (SELECT country, placement FROM ads) SELECT b, count(*) FROM c GROUP BY b ORDER BY b
    WITH c AS (SELECT * FROM ads), d AS (SELECT 1 AS one) SELECT count(*), (SELECT one FROM d) AS one FROM c
    SELECT t.land, count(*) FROM (SELECT country, placement FROM ads WHERE placement = 'feed') AS t(land, p) GROUP BY t.land ORDER BY ALL
    SELECT count(*) FROM (FROM ads) a JOIN dim_country d ON a.country = d.code
    WITH c AS (SELECT placement, sum(spend_eur) AS s FROM ads GROUP BY 1) SELECT placement, s, rank() OVER (ORDER BY s DESC) AS r FROM c QUALIFY r < 3 ORDER BY r
    WITH c AS (SELECT country, count(*) AS n FROM ads GROUP BY 1) SELECT d.name, c.n FROM c LEFT JOIN dim_country d ON c.country = d.code ORDER BY ALL
    WITH c AS (SELECT country, count(*) AS n FROM ads GROUP BY ALL) SELECT a.country, b.n FROM c a, c b WHERE a.country = b.country ORDER BY ALL
    SELECT country AS k, count(*) FROM ads GROUP BY 1 UNION ALL SELECT category, count(*) FROM moderation GROUP BY 1 ORDER BY ALL
    SELECT country FROM ads GROUP BY country INTERSECT SELECT code FROM dim_country ORDER BY 1
    SELECT code FROM dim_country WHERE code NOT IN (SELECT DISTINCT country FROM ads) ORDER BY code
    SELECT name, EXISTS (SELECT country FROM ads GROUP BY country HAVING country = code) AS there FROM dim_country ORDER BY name
    SELECT placement, count(*) * 100.0 / (SELECT count(*) FROM ads) AS share FROM ads GROUP BY placement ORDER BY ALL
    SELECT (SELECT count(*) FROM ads), (SELECT count(*) FROM moderation WHERE category = 'spam')
    SELECT count(*) > 10 AND sum(spend_eur) > 0 FROM ads HAVING count(*) > 1
    SELECT 1 AS one FROM ads HAVING count(*) > 1
    SELECT region, n FROM recsys, (SELECT count(*) AS n FROM ads WHERE country = 'FR') ORDER BY ALL LIMIT 3
    SELECT * FROM (SELECT country, placement, count(*) AS n FROM ads GROUP BY ALL) PIVOT (sum(n) FOR placement IN ('feed', 'search')) ORDER BY ALL
    SELECT country, count(*) AS _cells1, sum(spend_eur) AS _key1 FROM ads GROUP BY country ORDER BY _key1
    SELECT level, score, born, count(*), sum(hours) FROM visits WHERE level IN (1, -2) AND score = 2.5 AND born = DATE '2000-01-01' GROUP BY ALL
    SELECT date_trunc('week', day), date_trunc('month', seen), date_trunc('week', week), date_trunc('quarter', quarter), count(DISTINCT day) FROM visits GROUP BY ALL ORDER BY ALL
    SELECT day, count(*) FROM visits WHERE day = DATE '2026-02-03' GROUP BY day
    SELECT count(*) FROM visits WHERE seen >= TIMESTAMP '2026-02-02' AND seen < '2026-02-04 00:00:00' AND week >= DATE '2026-02-02' AND quarter < DATE '2027-01-01'
    SELECT country, count(*) FROM ads GROUP BY country HAVING count(*) > 5 ORDER BY count(*) DESC, country LIMIT 2 OFFSET 1
    SELECT floor(age / 10) * 10, 20 * floor(age / 20) AS twenties, count(*) FROM visits GROUP BY ALL ORDER BY ALL
    SELECT floor(price / 5) * 5 AS p, (floor(price / 5) * 5)::INT AS i, sum(hours) FROM visits GROUP BY p ORDER BY p
    SELECT floor(price / 100) * (100) AS p, count(price), count(*) FROM visits GROUP BY p
    SELECT count(*) FROM visits WHERE age >= 10 AND age < 30
    SELECT count(*) FROM visits WHERE age > 9 AND age <= 29
    SELECT count(*) FROM visits WHERE age BETWEEN -10 AND -1
    SELECT count(*) FROM visits WHERE 5 <= price AND price < 20.0
    SELECT count(*) FROM visits WHERE age IS NULL
    SELECT left(postcode, 3), left(postcode, 2) AS two, count(*) FROM visits GROUP BY ALL ORDER BY ALL
    SELECT left(postcode, 1) AS p, count(*) FROM visits WHERE left(postcode, 2) = '10' GROUP BY p
    SELECT count(*) FROM visits WHERE left(postcode, 3) IN ('101', '9', '') AND '10' = left(postcode, 2)
    SELECT count(*) FROM visits WHERE postcode IS NULL
    SELECT date_trunc('week', week)::DATE AS w, datetrunc('year', quarter) AS y, extract('year' FROM quarter) AS e, date_part('year', day), year(seen), count(*) FROM visits GROUP BY ALL ORDER BY ALL
    SELECT date_trunc('week', born), date_trunc('month', born), count(DISTINCT born), count(DISTINCT level) FROM visits GROUP BY ALL ORDER BY ALL
    SELECT count(*) FROM ads JOIN dim_country d ON country = d.code WHERE d.pop_m > 50
    SELECT d.name, count(*) FROM ads JOIN dim_country d ON country = d.code WHERE 10 <= d.pop_m AND pop_m BETWEEN 2 AND 80 GROUP BY ALL ORDER BY ALL
    SELECT count(*) FILTER (WHERE d.name < 'G') FROM ads JOIN dim_country d ON country = d.code WHERE d.name <= 'Malta'
    SELECT v.code, r.kind, count(*), sum(v.hours), sum(r.delay), count(DISTINCT r.person) FROM visits v JOIN reports r ON v.person = r.person GROUP BY ALL ORDER BY ALL
    SELECT kind, count(DISTINCT v.person) FROM reports JOIN visits v USING (person) WHERE v.code = 'DE' AND sent >= DATE '2026-02-01' GROUP BY kind ORDER BY kind
    SELECT d.name, date_trunc('month', r.sent) AS m, avg(r.delay) FROM visits v JOIN reports r ON v.person = r.person JOIN dim_country d ON r.code = d.code GROUP BY ALL ORDER BY ALL
    WITH a AS (SELECT person, hours FROM visits WHERE code = 'DE'), b AS (SELECT person AS p, kind FROM reports WHERE kind = 'spam') SELECT count(*), sum(hours) FROM a JOIN b ON a.person = b.p"""


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _faults(sql: str, **parameters: ParameterValue) -> tuple[Fault, ...]:
    with pytest.raises(StatementRefusal) as caught:
        plan_over_cells(sql, **parameters)
    return caught.value.faults


@cache
def _world() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    make_world(connection)
    return connection


def _columns(result: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Names and types; DuckDB counts by count_if, and adds up whole numbers, in a wider type than count(*) has."""
    return [(column[0], str(column[1]).replace("HUGEINT", "BIGINT")) for column in result.description or ()]


@pytest.mark.parametrize(("code", "sql"), [(code, sql) for code, lines in REFUSED.items() for sql in _lines(lines)])
def test_what_could_show_a_row_is_refused_at_its_place(code: str, sql: str) -> None:
    faults = _faults(sql)
    assert code in {fault.code for fault in faults}
    for fault in faults:
        assert fault.rule
        assert fault.fix
        assert fault.column
        assert fault.snippet
        assert sql[fault.column - 1 :].startswith(fault.snippet)


@pytest.mark.parametrize("sql", _lines(ALLOWED))
def test_a_statement_over_released_cells_means_what_it_says(sql: str) -> None:
    """With every cell released as it is, the answer is DuckDB's own to the statement: rows, names and types."""
    planned = plan_over_cells(sql)
    world = _world()
    expected = world.execute(sql)
    columns, rows = _columns(expected), expected.fetchall()
    for block in planned.blocks:
        release_all(world, block)
    found = world.execute(planned.sql)
    assert _columns(found) == columns
    assert found.fetchall() == rows if "ORDER BY" in sql else Counter(found.fetchall()) == Counter(rows)


@pytest.mark.parametrize("sql", _lines(ALLOWED))
def test_the_text_that_runs_names_no_protected_dataset_and_its_blocks_are_admitted(sql: str) -> None:
    planned = plan_over_cells(sql)
    read = {fold(table.name) for table in parse(planned.sql).tree.find_all(exp.Table)}
    assert planned.blocks
    assert not read & set(DISCLOSURES)
    assert {block.relation for block in planned.blocks} <= read
    for block in planned.blocks:
        check_declared(block, PROTECTED, TABLES)


@pytest.mark.skipif(not (ATTACKS / "sample.jsonl").exists(), reason="the samples are not here")
def test_every_sample_is_refused_or_planned_as_expected() -> None:
    for line in (ATTACKS / "sample.jsonl").read_text().splitlines():
        sample = json.loads(line)
        try:
            plan_over_cells(sample["sql"])
            refused = False
        except StatementRefusal:
            refused = True
        assert refused == (sample["expectation"] == "rejected" and sample["id"] not in ONLY_WHEN_RUN), sample


def test_up_to_five_faults_are_told_at_once() -> None:
    faults = _faults("SELECT min(spend_eur), sum(2 * spend_eur), user_id, rank() OVER (), max(spend_eur), list(user_id)\n"
                     "FROM ads WHERE user_id = 'U1' GROUP BY country")  # fmt: skip
    assert [fault.code for fault in faults] == ["P_AGG", "P_AGGARG", "P_GROUP", "P_STEP", "P_AGG"]
    assert {fault.dataset for fault in faults} == {"ads"}
    below = _faults("SELECT count(*)\nFROM ads\nWHERE user_id = 'U1'")
    assert [(fault.line, fault.column, fault.snippet) for fault in below] == [(3, 7, "user_id = 'U1'")]


def test_a_block_is_written_in_plain_values() -> None:
    planned = plan_over_cells(
        "SELECT date_trunc('month', campaign_date) AS m, d.name, sum(CASE WHEN placement = 'feed' THEN spend_eur END) AS s\n"
        "FROM ads JOIN dim_country d ON country = d.code\n"
        "WHERE country IN ('FR', 'DE') AND campaign_date BETWEEN DATE '2026-02-01' AND DATE '2026-03-31' GROUP BY ALL"
    )
    assert planned.sql == "SELECT _cells1._key1 AS m, _cells1._key2 AS name, _cells1._value1 AS s FROM _cells1".replace(
        "AS name", 'AS "name"'
    )
    assert planned.datasets == ("ads", "dim_country")
    assert planned.blocks == (
        Block(
            relation="_cells1",
            dataset=DatasetName("ads"),
            groupings=(
                Grouping("_key1", "campaign_date", "trunc", "month"),
                Grouping("_key2", "dim_country.name", "value", None),
            ),
            aggregates=(Aggregate("_value1", "sum", "spend_eur", (Atom("placement", "=", ("feed",)),)),),
            atoms=(
                Atom("country", "in", ("DE", "FR")),
                Atom("campaign_date", ">=", (date(2026, 2, 1),)),
                Atom("campaign_date", "<", (date(2026, 4, 1),)),
            ),
            joins=(PublicJoin("country", DatasetName("dim_country"), "code"),),
            line=1,
            column=8,
        ),
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("count_if(country = 'FR')", "count(*) FILTER (WHERE country = 'FR')"),
        ("sum(CASE WHEN country = 'FR' THEN 1 ELSE 0 END)", "count(*) FILTER (country = 'FR')"),
        ("sum(CASE WHEN country = 'FR' THEN spend_eur END)", "sum(spend_eur) FILTER (WHERE country IN ('FR'))"),
        ("count(CASE WHEN country = 'FR' THEN 1 END)", "count() FILTER (WHERE 'FR' = country)"),
        ("mean(spend_eur)", "avg(ads.Spend_eur)"),
    ],
)
def test_two_ways_of_asking_are_one_question(one: str, other: str) -> None:
    first, second = (plan_over_cells(f"SELECT {asked} AS v FROM ads").blocks for asked in (one, other))
    assert [block.aggregates for block in first] == [block.aggregates for block in second]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT country, is_remainder, count(*) FROM ads GROUP BY country",
        "SELECT country, IS_Remainder, count(*) FROM ads GROUP BY ALL",
        "SELECT country, count(*) AS n, is_remainder AS rest FROM ads GROUP BY 1, 3",
        "SELECT DISTINCT country, is_remainder FROM ads",
        "SELECT CASE WHEN (is_remainder) THEN 'others' ELSE country END AS c, count(*) FROM ads GROUP BY country, is_remainder",
        "SELECT country, count(*) FROM ads GROUP BY country HAVING NOT is_remainder ORDER BY is_remainder",
        "WITH a AS (SELECT country FROM ads) SELECT country, is_remainder AS is_remainder, count(*) FROM a GROUP BY country",
        "SELECT sum(n) FILTER (WHERE NOT is_remainder) FROM (SELECT country, is_remainder, count(*) AS n FROM ads GROUP BY country)",
        "SELECT a.country, is_remainder, count(*) FROM ads a JOIN dim_country d ON a.country = d.code GROUP BY a.country",
    ],
)
def test_the_remainder_is_asked_for_by_its_mark(sql: str) -> None:
    planned = plan_over_cells(sql)
    [block] = planned.blocks
    assert block.remainder is not None
    assert f"{block.relation}.{block.remainder}" in planned.sql
    assert [key.column for key in block.groupings] == ["country"]
    check_declared(block, PROTECTED, TABLES)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT country, count(*) AS is_remainder FROM ads GROUP BY country ORDER BY is_remainder",
        "SELECT country, count(*) FROM ads GROUP BY country",
        "SELECT country AS is_remainder, count(*) FROM ads GROUP BY is_remainder",
    ],
)
def test_an_alias_is_no_mark_of_a_remainder(sql: str) -> None:
    [block] = plan_over_cells(sql).blocks
    assert block.remainder is None


def test_a_key_or_figure_that_is_asked_for_twice_is_released_once() -> None:
    [block] = plan_over_cells(
        "SELECT country, COUNTRY AS c, count(*), 2 * COUNT(*) FROM ads GROUP BY country, ads.country ORDER BY count(*)"
    ).blocks
    assert len(block.groupings) == len(block.aggregates) == 1


def test_one_question_is_one_block_however_often_it_is_asked() -> None:
    text = "SELECT (SELECT count(*) FROM ads), (SELECT COUNT() AS n FROM ads), (SELECT count(*) FROM ads WHERE country = 'FR')"
    assert [block.relation for block in plan_over_cells(text).blocks] == ["_cells1", "_cells2"]


def test_a_parameter_works_on_released_values() -> None:
    planned = plan_over_cells("SELECT country, count(*) * $f AS n FROM ads GROUP BY country HAVING count(*) > $least")
    assert sorted(planned.parameters) == ["f", "least"]
    assert "$least" in planned.sql


BOUND: list[tuple[str, dict[str, ParameterValue], str]] = [
    ("country = $c", {"c": "FR"}, "country = 'FR'"),
    ("country IN ($c, 'DE')", {"c": "it's"}, "country IN ('it''s', 'DE')"),
    ("campaign_date >= $d", {"d": date(2026, 2, 1)}, "campaign_date >= DATE '2026-02-01'"),
    ("campaign_date <= $d", {"d": "2026-01-31"}, "campaign_date <= '2026-01-31'"),
    ("campaign_date BETWEEN $a AND $b", {"a": date(2026, 2, 1), "b": date(2026, 2, 28)},
     "campaign_date BETWEEN '2026-02-01' AND '2026-02-28'"),
    ("campaign_date < $d", {"d": datetime(2026, 2, 1)}, "campaign_date < TIMESTAMP '2026-02-01 00:00:00'"),  # noqa: DTZ001 - as typed
]  # fmt: skip
UNFIT: list[tuple[str, ParameterValue]] = [
    ("country = $v", None),
    ("country = $v", 5),
    ("country = $v", True),
    ("country IN ('DE', $v)", 1.5),
    ("campaign_date < $v", "FR"),
    ("campaign_date < $v", date(2026, 2, 2)),
    ("campaign_date < $v", datetime(2026, 2, 1, 12)),  # noqa: DTZ001 - as typed
    ("campaign_date < $v", datetime(2026, 2, 1, tzinfo=UTC)),
    ("campaign_date < $v", 20260201),
]


@pytest.mark.parametrize(("condition", "values", "written"), BOUND)
def test_a_value_in_a_condition_is_as_if_it_were_written_there(
    condition: str, values: dict[str, ParameterValue], written: str
) -> None:
    planned = plan_over_cells(f"SELECT count(*) FROM ads WHERE {condition}", **values)
    assert planned.blocks == plan_over_cells(f"SELECT count(*) FROM ads WHERE {written}").blocks
    assert (set(planned.parameters), planned.open_parameters) == (set(values), ())
    assert "$" not in planned.sql


@pytest.mark.parametrize(("condition", "value"), UNFIT)
def test_a_value_is_held_to_the_rules_of_a_literal(condition: str, value: ParameterValue) -> None:
    sql = f"SELECT count(*) FROM ads WHERE {condition}"
    [fault] = _faults(sql, v=value)
    assert fault.code == "P_FILTER"
    assert fault.snippet
    assert fault.column is not None
    assert sql[fault.column - 1 :].startswith(fault.snippet)
    assert str(value) not in fault.message


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 7.5, "5", None])
def test_a_bound_is_a_finite_number_on_the_grid(value: ParameterValue) -> None:
    assert [fault.code for fault in _faults("SELECT count(*) FROM visits WHERE price < $v", v=value)] == ["P_FILTER"]


@pytest.mark.parametrize("value", ["a\0b", "\ud800", "x" * 20_001, 10**38, -(10**5000)], ids=range(5))
def test_a_value_that_no_statement_could_hold_is_refused(value: ParameterValue) -> None:
    for condition in ("country = $v", "country IN ('DE', $v)"):
        [fault] = _faults(f"SELECT count(*) FROM ads WHERE {condition}", v=value)
        assert fault.code == "P_PARAMETER"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM visits WHERE level = {}",
        "SELECT count(*) FROM visits WHERE level = -{}",
        "SELECT country, count(*) FROM ads GROUP BY {}",
        "SELECT floor(age / {0}) * {0}, count(*) FROM visits GROUP BY 1",
        "SELECT left(postcode, {}), count(*) FROM visits GROUP BY 1",
    ],
)
def test_a_number_of_thousands_of_digits_is_refused_like_any_other(sql: str) -> None:
    assert {fault.code for fault in _faults(sql.format("9" * 5000))} & {"P_FILTER", "P_GROUP"}


def test_the_fix_of_a_group_writes_it() -> None:
    [fault] = _faults("SELECT age // 10, count(*) FROM visits GROUP BY 1")
    assert "Write GROUP BY floor(age / 10) * 10;" in fault.fix
    [fault] = _faults("SELECT postcode, count(*) FROM visits GROUP BY 1")
    assert fault.fix == "Write GROUP BY left(postcode, 3)."


def test_keys_take_values_as_well() -> None:
    planned = plan_over_cells(
        "SELECT date_trunc($p, campaign_date) AS m, count(*) AS n FROM ads GROUP BY date_trunc($p, campaign_date)",
        p="month",
    )
    assert planned.blocks[0].groupings == (Grouping("_key1", "campaign_date", "trunc", "month"),)
    steps = plan_over_cells(
        "SELECT floor(age / $k) * $k AS a, left(postcode, $n) AS p, count(*) FROM visits GROUP BY ALL", k=20, n=2
    )
    assert [key.grid for key in steps.blocks[0].groupings] == [20, 2]
    assert [fault.code for fault in _faults("SELECT left(postcode, $n), count(*) FROM visits GROUP BY 1", n=4)] == [
        "P_GROUP"
    ]


def test_a_value_stays_a_parameter_outside_of_blocks() -> None:
    planned = plan_over_cells(
        "SELECT country, count(*) * $f AS n FROM ads WHERE placement = $p GROUP BY country HAVING count(*) > $least LIMIT $rows OFFSET $rows",
        f=2, p="feed", least=10, rows=5,
    )  # fmt: skip
    assert set(planned.parameters) == {"f", "p", "least", "rows"}
    assert set(planned.open_parameters) == {"f", "least", "rows"}
    assert planned.blocks[0].atoms == (Atom("placement", "=", ("feed",)),)


@pytest.mark.parametrize("rows", [-1, 1.5, "2", True, None])
def test_a_limit_is_a_number_of_rows(rows: ParameterValue) -> None:
    for end in ("LIMIT $n", "LIMIT 1 OFFSET $n"):
        faults = _faults(f"SELECT country, count(*) FROM ads GROUP BY country {end}", n=rows)
        assert [fault.code for fault in faults] == ["P_STEP"]


def test_two_datasets_are_one_block_over_the_entity_that_both_declare() -> None:
    [block] = plan_over_cells(
        "SELECT r.kind, sum(v.hours) AS h FROM visits v JOIN (SELECT * FROM reports WHERE code = 'DE') r USING (person) "
        "JOIN dim_country d ON d.code = r.code WHERE d.pop_m > 1 AND v.level = 1 GROUP BY r.kind"
    ).blocks
    assert block == Block(
        relation="_cells1",
        dataset=DatasetName("visits"),
        groupings=(Grouping("_key1", "reports.kind", "value", None),),
        aggregates=(Aggregate("_value1", "sum", "hours", ()),),
        atoms=(Atom("reports.code", "=", ("DE",)), Atom("dim_country.pop_m", ">", (1,)), Atom("level", "=", (1,))),
        joins=(PublicJoin("reports.code", DatasetName("dim_country"), "code"),),
        line=1,
        column=8,
        entity_join=EntityJoin("person", DatasetName("reports"), "person"),
    )


def test_a_shared_entity_takes_both_policies() -> None:
    alone = {name: each for name, each in PROTECTED.items() if name != "reports"}
    rules = DISCLOSURES["reports"].model_copy(update={"entity_joins": {}})
    alone[DatasetName("reports")] = Protected(PROTECTED[DatasetName("reports")].schema, rules)
    for sql in ("visits JOIN reports USING (person)", "reports JOIN visits USING (person)"):
        with pytest.raises(StatementRefusal) as caught:
            plan(parse(f"SELECT count(*) FROM {sql}"), TABLES, statement_parser(), alone)
        assert [fault.code for fault in caught.value.faults] == ["P_JOIN"]


def test_a_join_cannot_undo_a_grid() -> None:
    rules = DISCLOSURES["ads"].model_copy(update={"public_joins": {"campaign_date": "recsys.valid_from"}})
    protected = {DatasetName("ads"): Protected(PROTECTED[DatasetName("ads")].schema, rules)}
    text = "SELECT count(*) FROM ads JOIN recsys ON campaign_date = valid_from"
    with pytest.raises(StatementRefusal) as caught:
        plan(parse(text), TABLES, statement_parser(), protected)
    assert [fault.code for fault in caught.value.faults] == ["P_JOIN"]


def test_a_statement_has_so_many_blocks_at_most() -> None:
    many = " UNION ALL ".join(f"SELECT count(*) FROM ads WHERE country = '{i}'" for i in range(MAX_BLOCKS + 1))
    assert [fault.code for fault in _faults(many)] == ["P_STEP"]


def test_a_protected_dataset_stays_closed_where_it_is_not_given() -> None:
    with pytest.raises(StatementRefusal) as caught:
        plan(parse("SELECT count(*) FROM ads"), TABLES, statement_parser())
    assert [fault.code for fault in caught.value.faults] == ["SQL_UNKNOWN_TABLE"]
