# ruff: noqa: E501 - a statement reads best on one line
"""A plan's statement gives what DuckDB gives for the researcher's own: names, types and rows."""

from functools import cache

import duckdb
import pytest
from support.statements import schemas_of, statement_parser

from portal.sql import parse, plan

WORLD = """
CREATE TABLE ads AS SELECT i AS ad_id, ['DE', 'FR', 'LU', 'BE'][1 + i % 4] AS country, ['feed', 'stories', NULL][1 + i % 3]
  AS placement, DATE '2026-01-01' + (i * 13 % 181)::INTEGER AS first_shown, (i * 37 % 1000) / 10.0 AS spend_eur,
  (i * 17 % 5000)::BIGINT AS impressions, ['a', 'b', 'c'][:1 + i % 3] AS topics, i % 5 = 0 AS political,
  {'age': i % 80, 'place': {'region': 'r' || i % 7}} AS target, MAP {'x': i, 'y': i * 2} AS counters,
  '{"k": ' || i || ', "tags": ["t' || i % 3 || '"]}' AS payload, TIMESTAMP '2026-01-01 00:00:00' + INTERVAL (i) HOUR AS seen_at,
  'Ad number ' || i AS "Title Text" FROM range(400) t(i);
CREATE TABLE rates AS SELECT DATE '2026-01-01' + (i * 9)::INTEGER AS valid_from, ['DE', 'FR', 'LU', 'BE'][1 + i % 4] AS country,
  1 + i / 100 AS rate FROM range(40) t(i);
CREATE TABLE links AS SELECT i AS child, (i - 1) // 2 AS parent FROM range(1, 60) t(i);
"""

ANALYTICAL = {
    "from first": "FROM ads",
    "from first with select": "FROM ads SELECT country, count(*) GROUP BY ALL ORDER BY ALL",
    "names of unaliased items": "SELECT count(*), COUNT(DISTINCT country), Sum(spend_eur), spend_eur+1, -impressions, ad_id IS NOT NULL, "
    "any_value(x::date) FROM ads, (SELECT '2026-01-01' x) GROUP BY spend_eur, impressions, ad_id ORDER BY ad_id LIMIT 3",
    "names keep their case": 'SELECT Country, PLACEMENT AS Place, "Title Text" FROM ADS ORDER BY ad_id LIMIT 5',
    "names of nested unaliased items": "SELECT * FROM (SELECT country, count(*), max(ad_id)::varchar FROM ads GROUP BY 1) ORDER BY 1",
    "values": "VALUES (1, 'a'), (2, 'b')",
    "values with names": "SELECT x::int + 1, y FROM (VALUES ('1', 'a'), ('2', 'b')) v(x, y)",
    "windows": "SELECT ad_id, row_number() OVER (PARTITION BY country ORDER BY spend_eur DESC, ad_id), lag(spend_eur, 1, 0) OVER w, "
    "sum(impressions) OVER (w ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) FROM ads WINDOW w AS (PARTITION BY country ORDER BY ad_id) ORDER BY 1",
    "range frame": "SELECT first_shown, sum(spend_eur) OVER (ORDER BY first_shown RANGE BETWEEN INTERVAL 7 DAYS PRECEDING AND CURRENT ROW) "
    "FROM ads ORDER BY ALL",
    "ignore nulls": "SELECT ad_id, last_value(placement IGNORE NULLS) OVER (ORDER BY ad_id), first_value(placement) OVER (ORDER BY ad_id) FROM ads ORDER BY 1",
    "frame exclusion": "SELECT ad_id, avg(spend_eur) OVER (ORDER BY ad_id ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW) FROM ads ORDER BY 1",
    "qualify": "SELECT country, ad_id, spend_eur FROM ads QUALIFY rank() OVER (PARTITION BY country ORDER BY spend_eur DESC, ad_id) <= 2 ORDER BY ALL",
    "grouping sets": "SELECT country, placement, count(*), grouping(country, placement) FROM ads GROUP BY GROUPING SETS ((country, placement), (country), ()) ORDER BY ALL",
    "cube": "SELECT country, political, sum(spend_eur) FROM ads GROUP BY CUBE (country, political) ORDER BY ALL",
    "rollup": "SELECT country, placement, median(spend_eur) FROM ads GROUP BY ROLLUP (country, placement) ORDER BY ALL NULLS FIRST",
    "filter": "SELECT country, count(*) FILTER (WHERE political), count(*) FILTER (spend_eur > 50) AS many FROM ads GROUP BY country ORDER BY 1",
    "quantiles": "SELECT country, quantile_cont(spend_eur, [0.1, 0.5]), quantile_disc(impressions, 0.9), mad(spend_eur), mode(country) FROM ads GROUP BY 1 ORDER BY 1",
    "within group": "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY spend_eur), mode() WITHIN GROUP (ORDER BY country) FROM ads",
    "ordered aggregates": "SELECT country, string_agg(ad_id::text, ',' ORDER BY ad_id DESC), list(ad_id ORDER BY spend_eur, ad_id)[:3], arg_max(ad_id, spend_eur) "
    "FROM ads WHERE ad_id < 40 GROUP BY 1 ORDER BY 1",
    "top n aggregates": "SELECT country, max(spend_eur, 3), arg_min(ad_id, spend_eur, 2) FROM ads GROUP BY country ORDER BY 1",
    "regression": "SELECT regr_slope(spend_eur, impressions), corr(spend_eur, impressions), entropy(country), kurtosis(spend_eur), histogram(country) FROM ads",
    "asof join": "SELECT ad_id, rate FROM ads ASOF JOIN rates r ON ads.country = r.country AND ads.first_shown >= r.valid_from ORDER BY 1",
    "asof left join using": "SELECT ad_id, rate FROM ads a ASOF LEFT JOIN (SELECT country, valid_from AS first_shown, rate FROM rates) USING (country, first_shown) ORDER BY 1",
    "positional join": "SELECT ads.ad_id, links.parent FROM ads POSITIONAL JOIN links ORDER BY 1 LIMIT 100",
    "lateral": "SELECT a.ad_id, top.rate FROM ads a, LATERAL (SELECT rate FROM rates r WHERE r.country = a.country ORDER BY rate DESC LIMIT 1) top ORDER BY 1",
    "semi and anti": "SELECT count(*) FROM ads SEMI JOIN rates USING (country) ANTI JOIN links ON ads.ad_id = links.child",
    "natural and full": "SELECT count(*), count(r.rate) FROM ads NATURAL JOIN rates r FULL JOIN links l ON l.child = ads.ad_id",
    "comma and unnest": "SELECT country, topic, count(*) FROM ads, unnest(topics) AS t(topic) GROUP BY ALL ORDER BY ALL",
    "unnest in select": "SELECT ad_id, unnest(topics) AS topic, unnest(target, recursive := true) FROM ads ORDER BY ad_id, topic LIMIT 20",
    "lambdas": "SELECT list_transform(topics, lambda x: upper(x) || country), list_filter(topics, lambda x, i: i > 1), list_reduce([1, 2, 3], lambda a, b: a + b) "
    "FROM ads ORDER BY ad_id LIMIT 9",
    "comprehension": "SELECT [x || '!' FOR x IN topics IF x <> 'a'], len(topics), list_sort(topics, 'DESC') FROM ads ORDER BY ad_id LIMIT 9",
    "list functions": "SELECT topics[1], topics[-1], topics[2:], list_zip(topics, [1, 2]), list_aggregate(topics, 'min'), topics && ['a'], list_position(topics, 'b'), [1, 2] || [3] FROM ads ORDER BY ad_id LIMIT 9",
    "structs and maps": "SELECT target.age, target.place.region, ads.target.age AS age2, target['age'], counters['x'], map_keys(counters), {'n': ad_id, 'm': [ad_id]}, row(1, 'a') "
    "FROM ads ORDER BY ad_id LIMIT 9",
    "struct star": "SELECT target.* FROM ads ORDER BY ALL LIMIT 5",
    "whole row": "SELECT ads FROM ads ORDER BY ad_id LIMIT 3",
    "json": "SELECT payload->'$.k', payload->>'$.tags[0]', payload->>'k', json_extract(payload, '$.tags'), (payload::json)->>'$.k', json_array_length(payload, '$.tags') FROM ads ORDER BY ad_id LIMIT 5",
    "columns": "SELECT COLUMNS('(ad_id|spend.*)'), min(COLUMNS(* EXCLUDE (ad_id, topics, target, counters, spend_eur))) OVER () FROM ads ORDER BY ad_id LIMIT 4",
    "columns by lambda": "SELECT COLUMNS(lambda c: c LIKE '%n%') FROM rates ORDER BY ALL LIMIT 4",
    "star changed": "SELECT * EXCLUDE (target, counters) REPLACE (round(spend_eur) AS spend_eur) RENAME (country AS land) FROM ads ORDER BY ad_id LIMIT 4",
    "aliases anywhere": "SELECT spend_eur * 2 AS double, double + 1 AS more FROM ads WHERE double > 100 ORDER BY more DESC, ad_id LIMIT 7",
    "prefix alias": "SELECT total: sum(spend_eur), n: count(*) FROM a: ads",
    "group by alias and having": "SELECT date_trunc('month', first_shown) AS month, count(*) AS n FROM ads GROUP BY month HAVING n > 60 ORDER BY month",
    "set operations": "SELECT country FROM ads UNION SELECT country FROM rates EXCEPT SELECT 'LU' ORDER BY 1",
    "intersect all": "SELECT country FROM ads INTERSECT ALL SELECT country FROM rates ORDER BY 1",
    "by name": "SELECT country, 1 AS n FROM ads WHERE ad_id < 3 UNION ALL BY NAME SELECT 2 AS n, 'x' AS extra, country FROM rates WHERE rate < 1.02 ORDER BY ALL",
    "parenthesised": "(SELECT 1 AS a) UNION ALL (SELECT 2 ORDER BY 1 LIMIT 1) ORDER BY a",
    "recursive tree": "WITH RECURSIVE up(node, depth) AS (SELECT 59, 0 UNION ALL SELECT l.parent, depth + 1 FROM up JOIN links l ON l.child = up.node) SELECT * FROM up ORDER BY depth",
    "recursive days": "WITH RECURSIVE d AS (SELECT DATE '2026-01-01' AS day UNION ALL SELECT (day + INTERVAL 1 DAY)::DATE FROM d WHERE day < DATE '2026-01-10') "
    "SELECT day, count(ad_id) FROM d LEFT JOIN ads ON first_shown = day GROUP BY day ORDER BY day",
    "materialised members": "WITH a AS MATERIALIZED (SELECT country, sum(spend_eur) AS s FROM ads GROUP BY 1), b AS NOT MATERIALIZED (SELECT max(s) AS m FROM a) SELECT * FROM a, b WHERE s = m",
    "correlated": "SELECT country, ad_id FROM ads a WHERE spend_eur = (SELECT max(spend_eur) FROM ads b WHERE b.country = a.country) ORDER BY ALL",
    "quantified": "SELECT ad_id FROM ads WHERE country = ANY (SELECT country FROM rates WHERE rate > 1.3) AND spend_eur >= ALL (SELECT 1) AND NOT EXISTS (FROM links WHERE child = ad_id) ORDER BY 1",
    "array subquery": "SELECT ARRAY(SELECT rate FROM rates ORDER BY rate LIMIT 3), (SELECT count(*) FROM links)",
    "case and null": "SELECT CASE WHEN placement IS NULL THEN 'none' ELSE placement END, coalesce(placement, '-'), nullif(country, 'DE'), ifnull(placement, 'x'), if(political, 1, 0), "
    "placement NOTNULL, placement IS DISTINCT FROM 'feed', CASE country WHEN 'DE' THEN 1 END FROM ads ORDER BY ad_id LIMIT 12",
    "operators": "SELECT ad_id // 7, ad_id % 7, 2 ** 3, 2 ^ 3, @(-5), 5 & 3, 5 | 3, 1 << 4, ~1, xor(5, 3), 7 / 2, +ad_id, ad_id::double / 3 FROM ads ORDER BY ad_id LIMIT 5",
    "text": "SELECT upper(country), substring(\"Title Text\" FROM 4 FOR 6), trim(BOTH 'A' FROM \"Title Text\"), position('n' IN \"Title Text\"), country[1], lpad(ad_id::VARCHAR, 5, '0'), "
    "\"Title Text\" LIKE 'Ad%', country ILIKE 'd_', country NOT LIKE 'D%', regexp_extract(\"Title Text\", '(\\d+)', 1), regexp_replace(country, '[A-M]', 'x', 'g'), "
    "split_part(\"Title Text\", ' ', 2), country SIMILAR TO 'D.', \"Title Text\" ~ '9$', concat_ws('-', country, placement), md5(country), format('{} {:.1f}', country, spend_eur), "
    "'it''s' || e'a\\nb' || $$q$$ FROM ads ORDER BY ad_id LIMIT 12",
    "dates": "SELECT year(first_shown), extract(month FROM first_shown), date_part('week', first_shown), first_shown + INTERVAL '2 months', first_shown - INTERVAL 3 DAY, first_shown + 5, "
    "datediff('day', DATE '2026-01-01', first_shown), strftime(seen_at, '%Y-%m'), time_bucket(INTERVAL '1 week', seen_at), last_day(first_shown), monthname(first_shown), "
    "age(seen_at, TIMESTAMP '2025-01-01'), (seen_at AT TIME ZONE 'UTC')::VARCHAR, epoch(seen_at), make_date(2026, 1, 2), try_strptime('x', '%Y'), dayofweek(first_shown) FROM ads ORDER BY ad_id LIMIT 9",
    "casts": "SELECT spend_eur::INT, CAST(spend_eur AS varchar), TRY_CAST(country AS INTEGER), spend_eur::decimal(10, 2), [1, 2]::varchar[], ad_id::hugeint, '1 day'::interval, "
    "{'a': 1}::STRUCT(a VARCHAR), try_cast('x' as date), ad_id::text, '[1]'::json, 1::bool FROM ads ORDER BY ad_id LIMIT 3",
    "literals": "SELECT 1_000, 1e3, .5, 5., 'a', NULL, TRUE, 12345678901234567890, DATE '2026-01-01', TIME '10:00:00', INTERVAL 1 YEAR, [], {'a': NULL}",
    "pivot": "FROM (SELECT country, political, spend_eur FROM ads) PIVOT (sum(spend_eur) AS total, count(*) AS n FOR political IN (true, false) GROUP BY country) ORDER BY ALL",
    "unpivot": "FROM (SELECT ad_id, impressions, ad_id * 2 AS twice FROM ads) UNPIVOT (v FOR name IN (impressions, twice)) ORDER BY ALL LIMIT 20",
    "unpivot statement": "UNPIVOT rates ON rate INTO NAME n VALUE v",
    "sample": "SELECT count(*) FROM ads USING SAMPLE 100 ROWS",
    "repeatable sample": "SELECT count(*) FROM ads TABLESAMPLE reservoir(10%) REPEATABLE (42)",
    "limit percent": "SELECT ad_id FROM ads ORDER BY ad_id LIMIT 10%",
    "limit by subquery": "SELECT ad_id FROM ads ORDER BY ad_id DESC LIMIT (SELECT 3) OFFSET 2",
    "distinct on": "SELECT DISTINCT ON (country) country, ad_id FROM ads ORDER BY country, spend_eur DESC NULLS LAST, ad_id",
    "order by position and all": "SELECT country, placement FROM ads ORDER BY 2 NULLS FIRST, 1 DESC LIMIT 9",
    "method chaining": "SELECT country.lower().concat('x'), topics.list_transform(lambda x: x || '?').len() FROM ads ORDER BY ad_id LIMIT 5",
    "series in from": "SELECT d::DATE AS day, count(ad_id) FROM generate_series(DATE '2026-01-01', DATE '2026-02-01', INTERVAL 1 DAY) s(d) LEFT JOIN ads ON first_shown = d GROUP BY ALL ORDER BY ALL",
    "series in select": "SELECT unnest(range(5)), range(3)",
    "collation": "SELECT country FROM rates WHERE country COLLATE NOCASE = 'de' ORDER BY country COLLATE NOCASE, rate",
    "comments": "SELECT /* one /* nested */ */ country -- and to the end\n, count(*) FROM ads GROUP BY 1 ORDER BY 1",
    "trailing comma and semicolon": "SELECT country, count(*), FROM ads GROUP BY country ORDER BY country;",
}


@cache
def world() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(WORLD)
    return connection


def answer(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[list[tuple[str, str]], list[tuple[object, ...]]]:
    result = connection.execute(sql)
    described = [(str(column[0]), str(column[1])) for column in result.description or ()]
    return described, result.fetchall()


@pytest.mark.parametrize("sql", ANALYTICAL.values(), ids=ANALYTICAL)
def test_analytical_statement(sql: str) -> None:
    planned = plan(parse(sql), schemas_of(world()), statement_parser())
    expected = answer(world(), sql)
    assert expected[1], "an empty answer proves little"
    assert answer(world(), planned.sql) == expected
