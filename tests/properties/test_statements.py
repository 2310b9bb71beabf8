# ruff: noqa: E501 - a statement reads best on one line
"""Whatever text is asked: it is refused, or it becomes a text that DuckDB reads and that verifies. Nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.statements import statement_parser

from portal.errors import StatementRefusal
from portal.ids import DatasetName
from portal.sql import parse, plan, verify
from portal.sql.plan import Plan, TableSchema

TABLES = {
    DatasetName(name): TableSchema(DatasetName(name), dict.fromkeys(columns.split(), "VARCHAR"))
    for name, columns in {"ads": "country placement spend day topics target", "links": "child parent"}.items()
}
STATEMENTS = (
    "SELECT country , count ( * ) FILTER ( WHERE spend > 1 ) FROM ads GROUP BY ALL HAVING count ( * ) > 2 ORDER BY 1 DESC",
    "WITH RECURSIVE r ( n ) AS ( SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 9 ) SELECT * FROM r JOIN ads a ON a . spend = r . n",
    "FROM ads a ASOF LEFT JOIN links l ON a . spend >= l . child SELECT a . * EXCLUDE ( day ) , l . parent :: INT [ 3 ]",
    "SELECT list_transform ( topics , lambda x : x || 'a' ) , target . age , [ x FOR x IN topics IF x <> 'b' ] FROM ads LIMIT 10 %",
    "SELECT CASE WHEN country NOT IN ( 'DE' ) THEN $p ELSE NULL END , DATE '2026-01-01' + INTERVAL 1 DAY FROM ads , unnest ( topics ) AS u ( t )",
    "SELECT sum ( spend ) OVER ( PARTITION BY country ORDER BY day ROWS BETWEEN 2 PRECEDING AND CURRENT ROW ) FROM ads QUALIFY rank ( ) OVER ( ) = 1",
    "( SELECT country FROM ads EXCEPT SELECT child FROM links ) UNION BY NAME SELECT 1 AS child , ( VALUES ( TRUE ) ) ORDER BY ALL",
    "SELECT a . country . upper ( ) , { 'k' : spend } , payload ->> '$.a' FROM ( SELECT * , '{}' AS payload FROM ads ) a WHERE EXISTS ( FROM links )",
    "FROM ads PIVOT ( sum ( spend ) FOR country IN ( 'DE' , 'FR' ) )",
    "SELECT percentile_cont ( 0.5 ) WITHIN GROUP ( ORDER BY spend ) , count ( DISTINCT day ) , extract ( year FROM day ) FROM ads USING SAMPLE 5 %",
)
HOSTILE = (
    "; DROP TABLE ads", "read_text ( '/etc/passwd' )", "'x.csv'", "main . ads", "rowid", "current_setting ( 'threads' )", "DELETE FROM ads RETURNING *",
    "INTO x", "FOR UPDATE", "?", "$1", "|>", "/*", "--", "*/", "'", '"', "$$", "(", ")", "[", "]", "{", "}", "::", "->", "lambda", "AS", "JOIN ads",
    "date (", "repeat ( 'x' , 1e9 )", "WITH", "SELECT", "FROM", "COPY", "\u00e9", "\ue000", "\0", "0x1F", "1e999", "é'", "CASE", "END", "#1", "COLUMNS ( * )",
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> str:
    words = draw(st.sampled_from(STATEMENTS)).split()
    others = draw(st.sampled_from(STATEMENTS)).split()
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, max(len(words) - 1, 0)))
        match draw(st.sampled_from(("delete", "repeat", "swap", "hostile", "graft"))):
            case "delete":
                del words[at : at + draw(st.integers(1, 4))]
            case "repeat":
                words[at:at] = words[at : at + draw(st.integers(1, 5))] * draw(st.integers(1, 4))
            case "swap":
                words.insert(at, words.pop() if words else "")
            case "hostile":
                words.insert(at, draw(st.sampled_from(HOSTILE)))
            case "graft":
                start = draw(st.integers(0, len(others)))
                words[at : at + draw(st.integers(0, 3))] = others[start : start + draw(st.integers(1, 12))]
    return " ".join(words)


def refused_or_verified(text: str) -> Plan | None:
    try:
        planned = plan(parse(text), TABLES, statement_parser())
    except StatementRefusal:
        return None
    verify(planned.sql, planned.datasets, statement_parser())
    return planned


@settings(deadline=2_000)
@given(mutated())
def test_a_mutated_statement_is_refused_or_verified(text: str) -> None:
    refused_or_verified(text)


@settings(deadline=2_000)
@given(mutated())
def test_a_planned_statement_plans_to_itself(text: str) -> None:
    planned = refused_or_verified(text)
    if planned is not None:
        again = plan(parse(planned.sql), TABLES, statement_parser())
        assert again.datasets == planned.datasets
        assert again.columns == planned.columns


@settings(deadline=2_000)
@given(st.text(max_size=200))
def test_any_text_at_all(text: str) -> None:
    refused_or_verified(text)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_what_is_mutated_is_allowed_to_begin_with(statement: str) -> None:
    assert refused_or_verified(statement) is not None
