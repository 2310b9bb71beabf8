"""Two datasets of statistics joined on an entity, asked in SQL, on the production engines."""

from collections.abc import Iterator

import duckdb
import pytest
from support.attack_world import ASKER, an_attack_world

from portal.desk.answers import Answer
from portal.desk.services import Services
from portal.desk.statements import explain_statement, run_statement
from portal.errors import StatementRefusal
from portal.sql.plan import Statement

SCRIPT = """
    CREATE TABLE ads AS SELECT 'T' || i % 60 AS trader, ['FR', 'DE', 'IT'][1 + i % 3] AS country,
      DATE '2026-01-01' + (i * 7 % 90)::INT AS day, (i * 37 % 100)::DOUBLE AS spend FROM range(900) t(i);
    CREATE TABLE cases AS SELECT 'T' || i % 60 AS trader, 'J' || i % 17 AS judge,
      ['fraud', 'spam'][1 + i * 11 % 2] AS kind, (i * 13 % 20)::BIGINT AS hours FROM range(600) t(i);
    CREATE TABLE notes AS SELECT 'T' || i % 60 AS trader, i % 4 AS grade FROM range(100) t(i);
"""
_BECAUSE = "because: A reason that is long enough to be read."
_RULE = "  - for: {{tier: vetted, grant: required}}\n    access: aggregates\n    disclosure: {}\n    {}\n"
RULES = {
    "ads": _RULE.format(
        "{entities: {trader: 10}, dimensions: {country: equal, day: {range: month}}, measures: {spend: {round: 10}}, "
        "entity_joins: {trader: cases.trader}}",
        _BECAUSE,
    ),
    "cases": _RULE.format(
        "{entities: {trader: 5, judge: 3}, dimensions: {kind: equal}, measures: {hours: {round: 1}}, "
        "entity_joins: {trader: ads.trader}}",
        _BECAUSE,
    ),
    "notes": _RULE.format("{entities: {trader: 10}, dimensions: {grade: equal}}", _BECAUSE),
}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with an_attack_world(tmp_path_factory.mktemp("joined"), SCRIPT, RULES, RULES) as world:
        yield world


def asked(services: Services, sql: str) -> Answer:
    return run_statement(services, ASKER, Statement(sql))


def truth(sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as world:
        world.execute(SCRIPT)
        return world.sql(sql).fetchall()


def rounded(figures: tuple[object, ...]) -> tuple[object, ...]:
    *keys, n, spend, hours = figures
    assert isinstance(n, int)
    assert isinstance(spend, float)
    return (*keys, (n * 2 + 5) // 10 * 5, round(spend / 10) * 10, float(str(hours)))


QUESTION = """SELECT {} AS key, count(*) AS n, sum(a.spend) AS spent, sum(c.hours) AS took
    FROM ads a JOIN cases c ON a.trader = c.trader {} GROUP BY 1 ORDER BY 1"""


@pytest.mark.parametrize(
    ("key", "where"),
    [("a.country", ""), ("c.kind", "WHERE a.country = 'FR'"), ("date_trunc('month', a.day)", "WHERE c.kind = 'fraud'")],
)
def test_figures_are_those_of_the_join_rounded(services: Services, key: str, where: str) -> None:
    sql = QUESTION.format(key, where)
    found = asked(services, sql).table().to_pylist()
    assert [tuple(row.values()) for row in found] == [rounded(row) for row in truth(sql)]


def test_the_receipt_names_both(services: Services) -> None:
    answer = asked(services, "SELECT count(*) FROM cases JOIN ads USING (trader)")
    assert {use.dataset for use in answer.receipt.sources} == {"ads", "cases"}
    assert all(use.release == 1 and use.obligations for use in answer.receipt.sources)
    again = asked(services, "SELECT count(*) FROM cases JOIN ads USING (trader)")
    assert again.receipt.fingerprint == answer.receipt.fingerprint
    assert again.table() == answer.table()


def test_explain_says_what_would_be_released(services: Services) -> None:
    sql = "SELECT count(DISTINCT c.judge) FROM ads a JOIN cases c ON a.trader = c.trader"
    [words] = explain_statement(services, ASKER, Statement(sql)).releases
    assert words.startswith("Line 1: of ads, joined to cases by trader = trader, one cell in all:")


def test_a_join_that_one_policy_alone_would_allow_is_refused(services: Services) -> None:
    with pytest.raises(StatementRefusal) as refused:
        asked(services, "SELECT count(*) FROM ads JOIN notes ON ads.trader = notes.trader")
    assert [fault.code for fault in refused.value.faults] == ["P_JOIN"]


def test_joined_and_single_blocks_stand_in_one_statement(services: Services) -> None:
    sql = """WITH two AS (SELECT country, count(*) AS pairs FROM ads JOIN cases USING (trader) GROUP BY 1),
      one AS (SELECT country, count(*) AS n FROM ads GROUP BY 1)
      SELECT country, pairs / n AS cases_each FROM two JOIN one USING (country) ORDER BY 1"""
    assert asked(services, sql).table().column("cases_each").to_pylist() == [10.0, 10.0, 10.0]
