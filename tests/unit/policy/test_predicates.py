import duckdb
import pytest

from portal.policy.predicates import PredicateError, bind_predicate, check_predicate

COLUMNS = ("country", "states", "price", "day")
GOOD = (
    "states && project.member_states",
    "country IN project.member_states",
    "country IN ('DE', 'FR') AND NOT price IS NULL",
    "day BETWEEN DATE '2026-01-01' AND DATE '2026-02-01' OR price >= -1.5",
    "(country <> 'O''Brien')",
    "true",
)
BAD = (
    "price > (SELECT max(price) FROM sales)",
    "country IN (SELECT 'DE')",
    "random() < 0.5",
    "lower(country) = 'de'",
    "price + 1 > 2",
    "unknown = 1",
    "sales.country = 'DE'",
    "other.project.member_states = country",
    "project.member_states = country",
    "project.secrets && states",
    "country IN country",
    "country LIKE 'D%'",
    "CAST(country AS INTEGER) = 1",
    "country = 'DE'; DROP TABLE sales",
    "",
    "AND",
    "((((",
)


@pytest.mark.parametrize("text", GOOD)
def test_the_language_of_row_rules_runs_on_duckdb(text: str) -> None:
    predicate = bind_predicate(text, COLUMNS, {"member_states": ("DE",)})
    row = "SELECT 'DE' AS country, ['DE'] AS states, 2.0 AS price, DATE '2026-01-15' AS day"
    assert duckdb.execute(f"SELECT count(*) FROM ({row}) WHERE {predicate}").fetchall() == [(1,)]


@pytest.mark.parametrize("text", BAD)
def test_all_else_is_refused(text: str) -> None:
    with pytest.raises(PredicateError):
        check_predicate(text, COLUMNS)


@pytest.mark.parametrize("text", ["states && project.member_states", "country IN project.member_states"])
def test_a_project_without_values_sees_no_row(text: str) -> None:
    predicate = bind_predicate(text, COLUMNS, {"member_states": ()})
    rows = "SELECT 'DE' AS country, ['DE'] AS states UNION ALL SELECT NULL, NULL"
    assert duckdb.execute(f"SELECT count(*) FROM ({rows}) WHERE {predicate}").fetchall() == [(0,)]


def test_project_values_cannot_leave_their_quotes() -> None:
    predicate = bind_predicate("country IN project.member_states", COLUMNS, {"member_states": ("' OR true --",)})
    assert duckdb.execute(f"SELECT count(*) FROM (SELECT 'DE' AS country) WHERE {predicate}").fetchall() == [(0,)]
