# ruff: noqa: E501 - a statement reads best on one line
"""What may be asked of a dataset that is open for statistics only, and that nothing else can be, in any form of words."""

import json
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path

import duckdb
import pytest
from sqlglot import exp
from support.protected import DISCLOSURES, TABLES, make_world, plan_over_cells, release_all
from support.statements import statement_parser

from portal.errors import Fault, StatementRefusal
from portal.ids import DatasetName
from portal.sql import parse, plan
from portal.sql.blocks import Aggregate, Atom, Block, Grouping, PublicJoin
from portal.sql.places import fold
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
        SELECT sum(spend_eur, 2) FROM ads""",
    "P_GROUP": """
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
        SELECT count(*) FROM ads GROUP BY (SELECT 1)""",
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
        SELECT count(*) FROM ads WHERE country = $country
        SELECT count(*) FROM ads WHERE country IN ('DE', $country)
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
        SELECT count(*) FROM ads JOIN dim_country d ON country = d.code WHERE d.pop_m > 50
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
        SELECT count(*) FROM visits WHERE person IN ('P1')""",
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
        WITH c AS (SELECT * FROM ads) SELECT count(*) FROM c JOIN c AS d ON c.country = d.country""",
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
        SELECT country, count(*) FROM ads GROUP BY country LIMIT $n
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
    SELECT country, count(*) FROM ads GROUP BY country HAVING count(*) > 5 ORDER BY count(*) DESC, country LIMIT 2 OFFSET 1"""


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _faults(sql: str) -> tuple[Fault, ...]:
    with pytest.raises(StatementRefusal) as caught:
        plan_over_cells(sql)
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
def test_the_text_that_runs_names_no_protected_dataset(sql: str) -> None:
    planned = plan_over_cells(sql)
    read = {fold(table.name) for table in parse(planned.sql).tree.find_all(exp.Table)}
    assert planned.blocks
    assert not read & set(DISCLOSURES)
    assert {block.relation for block in planned.blocks} <= read


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


def test_a_statement_has_so_many_blocks_at_most() -> None:
    many = " UNION ALL ".join(f"SELECT count(*) FROM ads WHERE country = '{i}'" for i in range(MAX_BLOCKS + 1))
    assert [fault.code for fault in _faults(many)] == ["P_STEP"]


def test_a_protected_dataset_stays_closed_where_it_is_not_given() -> None:
    with pytest.raises(StatementRefusal) as caught:
        plan(parse("SELECT count(*) FROM ads"), TABLES, statement_parser())
    assert [fault.code for fault in caught.value.faults] == ["SQL_UNKNOWN_TABLE"]
