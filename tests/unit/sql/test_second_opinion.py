"""DuckDB's own reading is held against an allowlist of its own, whatever the first reading said."""

import pytest
from support.statements import statement_parser

from portal.errors import StatementRefusal
from portal.sql import describe_functions, verify
from portal.sql.agreement import same, same_names
from portal.sql.functions import BY_NAME, FUNCTIONS, SERIES, SIZED, TEMPLATED

UNSEEN = """
    WITH x AS (DELETE FROM ads RETURNING *) SELECT * FROM x, ads
    SELECT * FROM ads, read_csv('x')
    SELECT * FROM ads, duckdb_settings()
    SELECT * FROM main.ads
    SELECT * FROM ads AT (VERSION => 3)
    SELECT * FROM ads, links
    SELECT * FROM 'x.parquet'
    SELECT 1
    SELECT current_setting('x') FROM ads
    SELECT country.read_text() FROM ads
    SELECT sum(stats(country)) OVER () FROM ads
    FROM (DESCRIBE ads)
    FROM (SUMMARIZE ads)
    FROM (SHOW TABLES), ads
    SELECT sum(country) EXPORT_STATE FROM ads
    SELECT 1 FROM ads; SELECT 2 FROM ads
    DROP TABLE ads
    not sql at all
    COPY ads TO 'x.csv'"""


@pytest.mark.parametrize("sql", [line.strip() for line in UNSEEN.splitlines() if line.strip()])
def test_what_was_never_looked_at_is_refused(sql: str) -> None:
    with pytest.raises(StatementRefusal) as caught:
        verify(sql, ["ads"], statement_parser())
    assert [fault.code for fault in caught.value.faults] == ["SQL_UNVERIFIED"]


def test_the_tables_must_be_exactly_the_planned_ones() -> None:
    verify("WITH c AS (FROM ads) SELECT * FROM c, Links", ["ads", "links"], statement_parser())
    with pytest.raises(StatementRefusal):
        verify("SELECT * FROM ads", ["ads", "links"], statement_parser())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT a::date", "SELECT CAST(a AS DATE)"),
        ("SELECT NOT a IS NULL", "SELECT a IS NOT NULL"),
        ("SELECT a FROM t, u", "SELECT a FROM t JOIN u ON true"),
        ("SELECT interval '2 days'", "SELECT INTERVAL 2 DAY"),
        ("SELECT a FROM t ORDER BY a ASC NULLS LAST", "SELECT a FROM t ORDER BY a"),
        ("SELECT 1_000 + .5", "SELECT 1000 + 0.5"),
        ("SELECT a ^ 2, @a, +a", "SELECT pow(a, 2), abs(a), a"),
        ("SELECT ARRAY[1]", "SELECT [1]"),
        ("WITH f(a) AS (VALUES (1)) FROM f", "WITH f(a) AS (SELECT * FROM (VALUES (1)) AS _values) FROM f"),
        ("SELECT a::text, b::int8", "SELECT a::VARCHAR, b::BIGINT"),
    ],
)
def test_two_ways_of_writing_one_statement(one: str, other: str) -> None:
    parser = statement_parser()
    assert same(parser.serialise(one), parser.serialise(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT a", "SELECT b"),
        ("SELECT a AS x", "SELECT a AS y"),
        ("SELECT a FROM t", "SELECT a FROM u"),
        ("SELECT a FROM t", "SELECT DISTINCT a FROM t"),
        ("SELECT a FROM t LIMIT 1", "SELECT a FROM t LIMIT 2"),
        ("SELECT sum(a)", "SELECT sum(DISTINCT a)"),
        ("SELECT sum(a)", "SELECT sum(a) FILTER (b)"),
        ("SELECT a AND b OR c", "SELECT a AND (b OR c)"),
        ("SELECT interval '2 days'", "SELECT INTERVAL 2 MONTH"),
        ("SELECT interval '2 days'", "SELECT INTERVAL 3 DAY"),
        ("SELECT a FROM t ORDER BY a NULLS FIRST", "SELECT a FROM t ORDER BY a"),
        ("SELECT a FROM t, u", "SELECT a FROM t LEFT JOIN u ON true"),
        ("SELECT a FROM t JOIN u ON false", "SELECT a FROM t JOIN u ON true"),
        ("SELECT last(a IGNORE NULLS) OVER ()", "SELECT last(a) OVER ()"),
        ("SELECT a::INT", "SELECT try_cast(a AS INT)"),
        ("SELECT NOT a IS NULL", "SELECT a IS NULL"),
        ("SELECT 1 UNION SELECT 2", "SELECT 1 UNION ALL SELECT 2"),
        ("SELECT a FROM (SELECT * FROM t WHERE b) valueslist", "SELECT a FROM t valueslist"),
    ],
)
def test_two_statements(one: str, other: str) -> None:
    parser = statement_parser()
    assert not same(parser.serialise(one), parser.serialise(other))


def test_a_column_without_alias_is_named_by_its_text() -> None:
    parser = statement_parser()
    one, other, named = (
        parser.serialise(sql) for sql in ("SELECT a::date", "SELECT CAST(a AS DATE)", "SELECT a::date AS a")
    )
    assert same(one, other)
    assert not same_names(one, other)
    assert same_names(named, parser.serialise("SELECT CAST(a AS DATE) AS a"))


def test_the_rules_about_functions_are_about_allowed_functions() -> None:
    assert FUNCTIONS.keys() >= {*SERIES, *SIZED, *TEMPLATED, *BY_NAME}


def test_every_function_is_described_once() -> None:
    described = [name for kind in describe_functions() for name in kind.names]
    assert sorted(described) == sorted(FUNCTIONS)
