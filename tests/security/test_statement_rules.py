# ruff: noqa: E501 - a statement reads best on one line
"""What a statement may not do is refused before it runs, at its place and by its rule; what it may do stays possible."""

import json
from pathlib import Path

import pytest
from support.statements import statement_parser

from portal.errors import StatementRefusal
from portal.ids import DatasetName
from portal.sql import parse, plan
from portal.sql.plan import Plan, TableSchema

SAMPLES = Path(__file__).parents[3] / "shared" / "attacks" / "sample.jsonl"
COLUMNS = {
    "ads": "advertiser_id user_id country placement campaign_date spend_eur impressions creative_text",
    "moderation": "decision_id user_id category automated decision_date delay_hours content_excerpt",
    "recsys": "param weight region model_hash valid_from topics target",
    "dim_country": "code name pop_m",
}
TABLES = {
    DatasetName(table): TableSchema(DatasetName(table), dict.fromkeys(columns.split(), "VARCHAR"))
    for table, columns in COLUMNS.items()
}
NOT_FOR_ROW_ACCESS = {
    "row_level", "agg_misuse", "singling_out", "differencing", "having_oracle", "join_abuse", "error_channel", "mask_bypass",
}  # fmt: skip
"""Classes about aggregate access: on row access the researcher may see the rows, and the governed copy holds no others."""
ONLY_FOR_AGGREGATES = {"NAM-007", "MET-024"}

REFUSED = {
    "SQL_NOT_A_QUERY": """
        CHECKPOINT
        BEGIN
        COMMIT
        VACUUM
        EXPLAIN SELECT 1
        EXPLAIN ANALYZE SELECT * FROM ads
        DESCRIBE ads
        SUMMARIZE ads
        SHOW TABLES
        PRAGMA database_list
        SET threads = 8
        RESET threads
        SET VARIABLE x = 1
        ATTACH ':memory:' AS m
        DETACH m
        USE memory
        INSTALL httpfs
        LOAD httpfs
        COPY ads TO 'x.csv'
        COPY (SELECT 1) TO 'x.parquet'
        EXPORT DATABASE 'x'
        IMPORT DATABASE 'x'
        CALL pragma_version()
        PREPARE p AS SELECT 1
        EXECUTE p
        DEALLOCATE p
        CREATE TABLE x AS SELECT 1
        CREATE MACRO upper(x) AS 'PWNED'
        CREATE OR REPLACE TEMP VIEW ads AS SELECT 1
        CREATE SECRET s (TYPE s3)
        CREATE FUNCTION f(x) AS x
        DROP TABLE ads
        ALTER TABLE ads ADD COLUMN x INT
        INSERT INTO ads VALUES (1)
        UPDATE ads SET country = 'x'
        DELETE FROM ads
        TRUNCATE ads
        MERGE INTO ads USING dim_country d ON true WHEN MATCHED THEN DELETE
        COMMENT ON TABLE ads IS 'x'
        ANALYZE
        FORCE CHECKPOINT
        read_csv('x')
        1 + 1
        country FROM ads""",
    "SQL_READ_ONLY": """
        WITH x AS (DELETE FROM ads RETURNING *) SELECT * FROM x
        WITH x AS (INSERT INTO ads VALUES (1) RETURNING *) SELECT * FROM x
        WITH x AS (UPDATE ads SET country = 'x' RETURNING *) FROM x
        SELECT * FROM (WITH y AS (DELETE FROM ads RETURNING *) SELECT * FROM y)""",
    "SQL_SYNTAX": """
        SELECT
        SELECT FROM WHERE
        SELECT * FROM ads WHERE
        SELECT (1
        SELECT 'open
        SELECT * FROM (SHOW ALL TABLES)
        WITH x AS (COPY ads TO 'x.csv') SELECT 1
        SELECT x'41'
        SELECT `country` FROM ads
        SELECT 1 AS
        WITH SELECT 1
        SELECT * FROM ads ORDER BY country USING SAMPLE 3
        SELECT first(country) IGNORE NULLS OVER () FROM ads""",
    "SQL_ONE_STATEMENT": """
        SELECT 1; SELECT 2
        SELECT 1; DROP TABLE ads
        SELECT 1;; SELECT 2
        FROM ads; SET threads = 8;""",
    "SQL_PIPE": """
        FROM ads |> SELECT country
        SELECT * FROM ads |> WHERE country = 'DE'""",
    "SQL_PIVOT": """
        PIVOT ads ON country USING sum(spend_eur)
        PIVOT ads ON country, placement USING count(*) GROUP BY user_id""",
    "SQL_TABLE_FUNCTION": """
        SELECT * FROM read_text('/etc/passwd')
        SELECT * FROM Read_Csv('x.csv')
        SELECT * FROM "read_parquet"('x.parquet')
        FROM read_parquet(['a', 'b'])
        FROM read_json_auto('http://169.254.169.254/')
        FROM read_blob('/proc/self/environ')
        FROM glob('/*')
        FROM sniff_csv('x')
        FROM parquet_metadata('x')
        FROM parquet_schema('x')
        FROM duckdb_settings()
        FROM duckdb_secrets()
        FROM duckdb_functions()
        FROM pragma_table_info('ads')
        FROM query('SELECT 1')
        FROM query_table('ads')
        FROM histogram(ads, country)
        FROM json_execute_serialized_sql('x')
        FROM test_all_types()
        FROM repeat('x', 100)
        FROM seq_scan(ads)
        FROM which_secret('x', 's3')
        FROM ads, read_text('/etc/passwd')
        FROM ads JOIN read_text('/etc/passwd') ON true
        FROM ads, LATERAL read_text(country)
        FROM json_each('{}')
        FROM arrow_scan(1, 2, 3)
        SELECT (SELECT content FROM read_text('/etc/passwd'))
        WITH a AS (FROM glob('*')) FROM a
        SELECT 1 UNION ALL SELECT content FROM read_text('x')""",
    "SQL_FILE_NAME": """
        FROM 'x.parquet'
        FROM "x.csv"
        SELECT * FROM '/etc/passwd'
        SELECT * FROM 's3://bucket/x.parquet'
        SELECT * FROM 'https://example.org/x.csv'
        SELECT * FROM '*.parquet'
        SELECT * FROM '../ads.parquet'
        SELECT * FROM ads JOIN 'x.csv' AS x ON true""",
    "SQL_QUALIFIED_NAME": """
        SELECT * FROM main.ads
        SELECT * FROM memory.main.ads
        SELECT * FROM information_schema.tables
        SELECT * FROM pg_catalog.pg_class
        SELECT * FROM "main"."ads"
        SELECT * FROM main.secret_ds""",
    "SQL_UNKNOWN_TABLE": """
        SELECT * FROM secret_ds
        SELECT * FROM no_such_table
        SELECT * FROM duckdb_logs
        SELECT * FROM sqlite_master
        SELECT * FROM pg_tables
        SELECT * FROM secret_df
        WITH x AS (SELECT * FROM y), y AS (SELECT 1) SELECT * FROM x
        WITH x AS (SELECT * FROM x) SELECT * FROM x
        SELECT count(*) FROM ads WHERE EXISTS (FROM hidden)""",
    "SQL_NAME_TAKEN": """
        SELECT * FROM ads AS moderation
        SELECT * FROM ads MODERATION
        WITH ads AS (SELECT 1) SELECT * FROM ads
        WITH Recsys AS (SELECT 1) SELECT * FROM recsys
        SELECT * FROM (SELECT 1) AS ads
        SELECT * FROM unnest([1]) AS ads(x)
        SELECT * FROM (VALUES (1)) ads(x)
        SELECT * FROM ads, LATERAL (SELECT 1) recsys
        SELECT * FROM ads: recsys""",
    "SQL_UNKNOWN_COLUMN": """
        SELECT contry FROM ads
        SELECT ads.region FROM ads
        SELECT a.country FROM ads
        SELECT user
        SELECT session_user_ FROM ads
        SELECT main.ads.country FROM ads
        SELECT country FROM ads WHERE hidden = 1
        SELECT count(*) FROM ads GROUP BY nothing
        SELECT country FROM ads ORDER BY nothing
        SELECT * EXCLUDE (nothing) FROM ads
        SELECT * FROM ads JOIN dim_country USING (country)
        SELECT name FROM ads SEMI JOIN dim_country d ON d.code = country
        SELECT x FROM (SELECT country FROM ads)
        SELECT s.spend_eur FROM (SELECT country FROM ads) s
        WITH c AS (SELECT country FROM ads) SELECT placement FROM c
        SELECT list_transform([1], lambda x: y) FROM ads
        SELECT sum(spend_eur) OVER (PARTITION BY nothing) FROM ads
        SELECT nothing.upper() FROM ads
        SELECT main.upper('x')
        SELECT CASE WHEN nope THEN 1 END FROM ads
        SELECT (SELECT max(weight) FROM recsys WHERE region = cntry) FROM ads""",
    "SQL_VIRTUAL_COLUMN": """
        SELECT rowid FROM ads
        SELECT filename FROM ads
        SELECT ads.file_row_number FROM ads
        SELECT * FROM ads ORDER BY file_index
        SELECT country FROM ads a WHERE a.rowid = 1""",
    "SQL_AMBIGUOUS_COLUMN": """
        SELECT user_id FROM ads, moderation
        SELECT country FROM ads a JOIN ads b ON a.user_id = b.user_id""",
    "SQL_REPEATED_NAME": """
        SELECT country FROM (SELECT 1 AS a, 2 AS country) AS t(country)
        SELECT x FROM (SELECT 1 AS a, 2 AS b) AS t(x, x)
        WITH t(x, x) AS (SELECT 1, 2) SELECT x FROM t""",
    "SQL_FUNCTION": """
        SELECT current_setting('threads')
        SELECT current_query()
        SELECT current_database()
        SELECT current_schema()
        SELECT current_schemas(true)
        SELECT getvariable('x')
        SELECT getenv('HOME')
        SELECT nextval('s')
        SELECT currval('s')
        SELECT setseed(0.5)
        SELECT sleep_ms(10000)
        SELECT pg_sleep(10)
        SELECT error('x')
        SELECT write_log('x')
        SELECT stats(country) FROM ads
        SELECT vector_type(country) FROM ads
        SELECT txid_current()
        SELECT version()
        SELECT json_serialize_sql('SELECT 1')
        SELECT json_deserialize_sql('x')
        SELECT json_serialize_plan('x')
        SELECT variant_bytes_to_variant('x')
        SELECT st_geomfromwkb('x'::BLOB)
        SELECT has_table_privilege('ads', 'select')
        SELECT inet_server_addr()
        SELECT pg_get_viewdef(1)
        SELECT query('SELECT 1')
        SELECT read_text('x')
        SELECT country.read_text() FROM ads
        SELECT 'x'.current_setting()
        SELECT ads.country.getenv() FROM ads
        SELECT CURRENT_SETTING('x')
        SELECT "current_setting"('x')
        SELECT create_sort_key(country, 'ASC') FROM ads
        SELECT list_aggregate([1], 'combine_aggr')
        SELECT list_aggregate([1], country) FROM ads
        SELECT no_such_function(1)
        SELECT __internal_compress_string_hugeint('x')
        SELECT to_aggregate_state(1)
        SELECT regexp_split_to_table('a', 'b')
        SELECT current_user
        SELECT session_user
        SELECT current_catalog
        SELECT uuid()""",
    "SQL_SIZE": """
        SELECT length(repeat('x', 2000000000))
        SELECT 'x'.repeat(2000000000)
        SELECT repeat('x', 1000 * 1000)
        SELECT repeat('x', spend_eur::INT) FROM ads
        SELECT rpad('x', 1000000000, 'y')
        SELECT lpad('x', $n, 'y')
        SELECT len(range(100000000))
        SELECT len(generate_series(1, 1000000000))
        SELECT unnest(generate_series(1, 1000000000))
        SELECT range(0, spend_eur::INT) FROM ads
        SELECT (1).range(10)
        SELECT range(10, 0, 0)
        SELECT count(*) FROM range(1000000000)
        SELECT * FROM generate_series(DATE '1000-01-01', DATE '9000-01-01', INTERVAL 1 SECOND)
        SELECT * FROM range((SELECT 10))
        SELECT list_resize([1], 100000000)
        SELECT printf('%1000000000d', 1)
        SELECT format('{:>1000000000}', 'x')
        SELECT format('{:>{}}', 'x', 1000000000)
        SELECT printf('%*d', 1000000000, 1)
        SELECT printf(creative_text, 1) FROM ads
        SELECT to_base(1, 2, 100000000)
        SELECT bar(1, 0, 1, 100000000)""",
    "SQL_ENDLESS_RECURSION": """
        WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r
        WITH RECURSIVE r(s) AS (SELECT 'x' UNION ALL SELECT s || s FROM r) SELECT * FROM r""",
    "SQL_CONSTRUCT": """
        SELECT * FROM (SUMMARIZE ads)
        SELECT * FROM (DESCRIBE ads)
        SELECT * INTO x FROM ads
        SELECT * FROM ads FOR UPDATE
        SELECT * FROM ads AT (VERSION => 3)""",
    "SQL_TYPE": """
        SELECT country::secret_type FROM ads
        SELECT CAST(country AS "DROP TABLE") FROM ads""",
    "SQL_PARAMETER": """
        SELECT ?
        SELECT * FROM ads WHERE country = ? AND spend_eur > ?
        SELECT $1
        SELECT $1::INT + $2""",
    "SQL_EMPTY": """
        ;
        -- nothing
        /* nothing */""",
}  # fmt: skip

ALLOWED = """
    SELECT 1
    SELECT 0x1F
    SELECT 1 /* /* */ , (SELECT content FROM read_text('/etc/passwd')) */
    SELECT 1;
    SELECT * FROM ads; -- and then
    SELECT topic FROM recsys, LATERAL unnest(topics) AS x(topic)
    SELECT topic FROM recsys, LATERAL (SELECT unnest(topics) AS topic)
    FROM ads
    TABLE ads
    VALUES (1), (2)
    WITH f(a, b) AS (VALUES (1, 2)) SELECT * FROM f
    WITH RECURSIVE f(a) AS (VALUES (1) UNION ALL SELECT a + 1 FROM f WHERE a < 3) SELECT a FROM f
    WITH f AS (VALUES (1), (2) ORDER BY 1 LIMIT 1) FROM f
    SELECT * FROM ADS
    SELECT Ads.Country FROM ads
    SELECT * FROM ads ads
    SELECT ads FROM ads
    SELECT a.* FROM ads AS a
    SELECT 'FROM read_text(1); DROP TABLE ads' AS text
    SELECT country AS "read_csv" FROM ads
    SELECT "country" FROM "ads"
    SELECT user_id AS user FROM ads
    SELECT count(*) FROM ads WHERE country = $country
    SELECT $a + $b AS total, $a
    SELECT spend_eur AS country, count(*) FROM ads GROUP BY ALL
    SELECT count(*) AS ads FROM ads
    SELECT typeof(creative_text) FROM ads LIMIT 1
    SELECT sum(model_hash::INT) FROM recsys
    SELECT count(*) FROM recsys WHERE model_hash LIKE 'sha-1%'
    SELECT median(spend_eur), mode(country), quantile_cont(spend_eur, 0.9) FROM ads
    SELECT approx_count_distinct(user_id), approx_quantile(spend_eur, 0.5), approx_top_k(country, 3) FROM ads
    SELECT country, rank() OVER (ORDER BY sum(spend_eur) DESC) FROM ads GROUP BY country
    SELECT * FROM ads QUALIFY row_number() OVER (PARTITION BY country ORDER BY spend_eur) = 1
    SELECT d.name, count(*) FROM ads JOIN dim_country d ON ads.country = d.code GROUP BY 1
    SELECT * FROM ads a ASOF JOIN recsys r ON a.campaign_date >= r.valid_from
    SELECT * FROM ads POSITIONAL JOIN recsys
    SELECT * FROM ads, LATERAL (SELECT name FROM dim_country WHERE code = country) x
    SELECT * FROM ads ANTI JOIN dim_country d ON ads.country = d.code
    SELECT a.user_id FROM ads a JOIN moderation m USING (user_id)
    SELECT user_id FROM ads JOIN moderation USING (user_id)
    SELECT * EXCLUDE (user_id) REPLACE (upper(country) AS country) FROM ads
    SELECT COLUMNS('.*_id') FROM ads
    SELECT min(COLUMNS(*)) FROM dim_country
    SELECT list_transform(topics, lambda t: lower(t)) FROM recsys
    SELECT [t FOR t IN topics IF t LIKE 'a%'] FROM recsys
    SELECT target.place.region, recsys.target.age FROM recsys
    SELECT unnest(topics) AS topic FROM recsys
    SELECT topic FROM recsys, unnest(topics) AS u(topic)
    SELECT unnest(range(10)), repeat('x', 3), lpad(country, 5, '0') FROM ads
    SELECT d FROM generate_series(DATE '2025-01-01', DATE '2025-12-31', INTERVAL 1 DAY) AS s(d)
    SELECT printf('%05.2f', spend_eur), format('{:>20}', country) FROM ads
    SELECT list_aggregate([1, 2], 'sum')
    SELECT country.upper().lower() FROM ads
    SELECT payload->>'$.a' FROM (SELECT '{"a": 1}' AS payload)
    SELECT country FROM ads UNION ALL BY NAME SELECT code AS country FROM dim_country
    SELECT country FROM ads EXCEPT SELECT code FROM dim_country
    WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 10) SELECT * FROM r
    WITH RECURSIVE r AS (SELECT 1 AS n UNION SELECT 1 FROM r) SELECT n FROM r
    WITH a AS (SELECT country, count(*) AS n FROM ads GROUP BY 1), b AS (SELECT max(n) AS m FROM a) SELECT * FROM a, b WHERE n = m
    SELECT n1.placement FROM (SELECT placement, count(*) AS n FROM ads GROUP BY 1) n1 JOIN (SELECT placement FROM ads) n2 ON n1.placement = n2.placement
    SELECT country, placement, sum(spend_eur), grouping(country) FROM ads GROUP BY GROUPING SETS ((country), (placement), ())
    FROM (SELECT country, spend_eur FROM ads) PIVOT (sum(spend_eur) FOR country IN ('DE', 'FR'))
    UNPIVOT ads ON spend_eur, impressions INTO NAME n VALUE v
    SELECT * FROM ads USING SAMPLE 10%
    SELECT * FROM ads TABLESAMPLE reservoir(20 ROWS) REPEATABLE (7)
    SELECT country FROM ads ORDER BY ALL LIMIT 10%
    SELECT spend_eur * 2 AS twice, twice + 1 FROM ads WHERE twice > 3 ORDER BY twice
    SELECT CASE WHEN EXISTS (SELECT 1 FROM ads WHERE country = 'LU') THEN 1 ELSE 0 END
    SELECT "count_star()" FROM (SELECT count(*) FROM ads)
    SELECT x.country FROM (SELECT * FROM ads) x
    SELECT last_value(country IGNORE NULLS) OVER (ORDER BY campaign_date) FROM ads
    SELECT strptime('2026-01-01', '%Y-%m-%d'), date_trunc('month', campaign_date), campaign_date + INTERVAL 1 MONTH FROM ads
    SELECT * FROM ads WHERE (country, placement) IN (('DE', 'feed'), ('FR', 'stories'))
    SELECT DISTINCT ON (country) country, spend_eur FROM ads ORDER BY country, spend_eur DESC
    SELECT now(), current_date, random() < 0.5"""


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def planned(sql: str) -> Plan:
    return plan(parse(sql), TABLES, statement_parser())


def refusal(sql: str) -> StatementRefusal:
    with pytest.raises(StatementRefusal) as caught:
        planned(sql)
    return caught.value


def attacks() -> list[dict[str, str]]:
    if not SAMPLES.exists():
        return []
    return [json.loads(line) for line in SAMPLES.read_text().splitlines()]


ROW_ATTACKS = [
    attack
    for attack in attacks()
    if attack["class"] not in NOT_FOR_ROW_ACCESS and attack["id"] not in ONLY_FOR_AGGREGATES
]


@pytest.mark.skipif(not ROW_ATTACKS, reason="the shared attack samples are not here")
@pytest.mark.parametrize("attack", ROW_ATTACKS, ids=lambda attack: attack["id"])
def test_an_attack_sample_ends_as_expected_on_row_access(attack: dict[str, str]) -> None:
    if attack["expectation"] == "rejected":
        refusal(attack["sql"])
    else:
        planned(attack["sql"])


@pytest.mark.parametrize(("code", "sql"), [(code, sql) for code, text in REFUSED.items() for sql in lines(text)])
def test_refused_by_its_rule_at_its_place(code: str, sql: str) -> None:
    faults = refusal(sql).faults
    assert code in [fault.code for fault in faults]
    assert len(faults) <= 5
    for fault in faults:
        assert fault.message
        assert fault.rule.startswith("sql.")
        assert fault.fix
        assert code in ("SQL_EMPTY", "SQL_UNVERIFIED") or fault.snippet in sql


@pytest.mark.parametrize("sql", lines(ALLOWED))
def test_allowed(sql: str) -> None:
    assert planned(sql).sql


def test_the_tables_are_as_long_as_they_should_be() -> None:
    assert sum(len(lines(text)) for text in REFUSED.values()) >= 120
    assert len(lines(ALLOWED)) >= 60


def test_unknown_and_not_granted_tables_read_alike() -> None:
    one, other = (refusal(f"SELECT * FROM {name}").faults for name in ("secret_ds", "zecret_ds"))
    assert [str(fault).replace("secret_ds", "zecret_ds") for fault in one] == [str(fault) for fault in other]


def test_suggestions_come_from_granted_tables_only() -> None:
    assert "secret_ds" not in refusal("SELECT * FROM secret_d").faults[0].fix
    assert "moderation" in refusal("SELECT * FROM moderatio").faults[0].fix


def test_up_to_five_faults_in_the_order_of_the_text() -> None:
    faults = refusal("SELECT aa, bb,\n  cc FROM ads WHERE dd = 1 AND ee = getenv('x') AND ff = 2").faults
    assert [(fault.line, fault.column) for fault in faults] == [(1, 8), (1, 12), (2, 3), (2, 21), (2, 32)]


@pytest.mark.parametrize("sql", ["SELECT 1\0", "SELECT 'a\ue000b'", "SELECT '\ud800'", "\ufeffSELECT 1"])
def test_a_character_that_no_statement_holds(sql: str) -> None:
    refusal(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT '" + "x" * 20_000 + "'",
        "SELECT " + "(" * 101 + "1" + ")" * 101,
        "SELECT " + "(" * 9_000 + "1" + ")" * 9_000,
        "SELECT " + "- " * 9_000 + "1",
        "SELECT " + "NOT " * 4_000 + "true",
        "SELECT x" + "[1]" * 6_000,
        "SELECT " + "abs(" * 1_500 + "1" + ")" * 1_500,
        "SELECT 1::" + "decimal(" * 40 + "1" + ")" * 40,
        "SELECT date " + "(" * 40 + "1" + ")" * 40,
        "SELECT " + "CASE WHEN true THEN " * 500 + "1" + " END" * 500,
        "SELECT 1" + "::INT" * 3_000,
        "SELECT " + "1 + " * 4_000 + "1",
        "SELECT * FROM " + "(SELECT * FROM " * 800 + "ads" + ")" * 800,
        "SELECT * FROM ads a" + " JOIN ads" * 1_500,
        "SELECT 1" + " UNION ALL SELECT 1" * 1_000 + " FROM nowhere",
        "FROM " * 3_000 + "ads",
    ],
    ids=lambda sql: sql[:30],
)
def test_long_and_deep_statements_are_refused_not_crashed_on(sql: str) -> None:
    refusal(sql)
