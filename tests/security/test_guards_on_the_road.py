"""Guards that stand between a person and cells on the desk's own road: each is missed where it is not there."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from support.oracle.data import Patch, rows_of
from support.oracle.rules import Rules
from support.oracle.world import ASKER, OracleWorld, an_oracle_world

from portal.desk.activity import my_entries
from portal.desk.cells import release_cells
from portal.desk.preparing import prepare
from portal.desk.statements import run_statement
from portal.errors import EngineFailure, LimitReached, StatementRefusal, UsageError
from portal.ledger import Action
from portal.sql.blocks import Aggregate, Atom, Grouping
from portal.sql.plan import Statement

RULES = Rules({"person": 3, "firm": 2}, "month", 10, 2, {"amount": 1, "pieces": 1}, 5, 0.1, 2, 1.0, True, True)  # noqa: FBT003 - in order
COUNT = "SELECT count(*) FROM visits"
MANY = [Patch(country, 1, 18, "101", at, 7, 4, 1, "equal", nameless=False) for country, at in (("DE", 0), ("FR", 7))]
FEW = Patch("LU", 1, 18, "101", 20, 2, 2, 1, "equal", nameless=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OracleWorld]:
    with an_oracle_world(tmp_path_factory.mktemp("guards"), quick=True) as world:
        yield world


@pytest.fixture
def world(built: OracleWorld) -> OracleWorld:
    """Seven persons of four firms in each of two countries, with a row each."""
    built.begin([row for patch in MANY for row in rows_of(patch)], RULES)
    return built


def figure(world: OracleWorld, sql: str, **parameters: Any) -> Any:
    answer, _ = world.ask(sql, parameters)
    return answer.table().column(0)[0].as_py()


@pytest.mark.parametrize(
    "change",
    [
        {"groupings": (Grouping("k", "person", "value", None),)},
        {"atoms": (Atom("person", "=", ("p1",)),)},
        {"aggregates": (Aggregate("v", "sum", "age", ()),)},
    ],
)
def test_a_block_that_is_not_declared_computes_nothing_whoever_made_it(world: OracleWorld, change: Any) -> None:
    prepared = prepare(world.services, ASKER, Statement(COUNT))
    [block] = prepared.plan.blocks
    assert release_cells(world.services, prepared, {}).relations
    undeclared = replace(prepared, plan=replace(prepared.plan, blocks=(replace(block, **change),)))
    with pytest.raises(EngineFailure) as refused:
        release_cells(world.services, undeclared, {})
    assert [fault.code for fault in refused.value.faults] == ["BLOCK_NOT_ADMITTED"]


def test_under_another_rounding_the_value_that_was_shown_is_shown_again(world: OracleWorld) -> None:
    """Two roundings of one number would tell more of it than either."""
    assert figure(world, COUNT) == 15
    world.rule(replace(RULES, counts=2))
    assert figure(world, COUNT) == 15
    world.begin(
        list(rows_of(Patch("DE", 1, 18, "101", 0, 7, 4, 2, "equal", nameless=False))),
        replace(RULES, counts=2),
    )
    assert figure(world, COUNT) == 14


def test_under_stricter_rules_an_answer_is_not_given_again(world: OracleWorld) -> None:
    assert figure(world, COUNT) == 15
    world.rule(replace(RULES, entities={"person": 15, "firm": 2}))
    assert figure(world, COUNT) is None


def test_under_other_row_rules_the_same_question_is_about_other_rows(world: OracleWorld) -> None:
    assert figure(world, COUNT) == 15
    world.rule(RULES, rows="country = 'DE'")
    assert figure(world, COUNT) == 5
    world.rule(RULES, rows="person <> 'p1'")
    assert figure(world, COUNT) is None


def test_a_bound_of_dates_and_a_mask_hold_before_cells_are_made(world: OracleWorld) -> None:
    by_country = "SELECT country, count(*) AS n FROM visits GROUP BY country ORDER BY country"
    world.rule(RULES, columns={"country": {"map": {"DE": "some", "FR": "some"}}})
    assert world.ask(by_country, {})[0].table().to_pylist() == [{"country": "some", "n": 15}]
    world.rule(RULES, embargo={"column": "day", "days": 10_000})
    assert figure(world, COUNT) is None


def test_amounts_that_cancel_out_beyond_all_numbers_hide_nobody(world: OracleWorld) -> None:
    """Each of two persons adds more than there are numbers for; the sum of all is small."""
    rows = [
        row for month in (1, 2) for row in rows_of(Patch("DE", month, 18, "101", 0, 7, 4, 1, "equal", nameless=False))
    ]
    world.begin(rows, RULES)
    assert figure(world, "SELECT sum(amount) FROM visits") == 280
    giants = [
        row | {"person": person, "amount": amount}
        for row in rows[::7]
        for person, amount in (("a", 1e308), ("b", -1e308))
    ]
    world.begin([*rows, *giants], RULES)
    assert figure(world, "SELECT sum(amount) FROM visits") is None
    assert figure(world, COUNT) == 20


def test_of_a_group_that_is_left_out_the_answer_says_nothing_and_the_steward_is_told_why(world: OracleWorld) -> None:
    sql = "SELECT country, count(*) FROM visits WHERE country = '{}' GROUP BY country"
    world.begin([row for patch in (FEW, *MANY) for row in rows_of(patch)], RULES)
    (few, _), (none, _) = (world.ask(sql.format(country), {}) for country in ("LU", "XK"))
    assert (few.receipt.withheld, few.receipt.rows) == (none.receipt.withheld, none.receipt.rows) == (False, 0)
    assert list(world.reasons(few)) == ["threshold: person"]
    assert world.reasons(none) == {}
    assert Action.CELLS_WITHHELD not in {mine.action for mine in my_entries(world.services, ASKER)}


def test_what_the_project_may_still_take_is_looked_up_before_an_answer_leaves(world: OracleWorld) -> None:
    world.rule(RULES, limits={"rows_per_week": 1})
    spent = world.services.ledger.rows_charged(ASKER.project, world.services.clock().replace(year=2020))  # type: ignore[arg-type]
    world.rule(RULES, limits={"rows_per_week": spent + 1})
    sql = "SELECT country, count(*) FROM visits GROUP BY country"
    with pytest.raises(LimitReached):
        run_statement(world.services, ASKER, Statement(f"{sql} UNION ALL {sql} -- {spent}"))


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, "PARAMETER_MISSING"),
        ({"country": "DE", "more": 1}, "PARAMETER_UNKNOWN"),
        ({"country": ["DE"]}, "PARAMETER_VALUE"),
        ({"country": "x" * 200_000}, "PARAMETER_VALUE"),
        ({"country": 2**127}, "PARAMETER_VALUE"),
    ],
)
def test_a_parameter_has_a_value_of_a_kind_that_sql_takes(world: OracleWorld, parameters: Any, code: str) -> None:
    with pytest.raises(UsageError) as refused:
        world.ask(f"{COUNT} WHERE country = $country", parameters)
    assert [fault.code for fault in refused.value.faults] == [code]


@pytest.mark.parametrize("value", ["a\0b", "x" * 90_000])
def test_a_parameter_in_a_block_is_one_that_the_statement_itself_could_hold(world: OracleWorld, value: str) -> None:
    with pytest.raises(StatementRefusal) as refused:
        world.ask(f"{COUNT} WHERE country = $country", {"country": value})
    assert [fault.code for fault in refused.value.faults] == ["P_PARAMETER"]


@pytest.mark.parametrize("sql", [f"{COUNT} AS places", "WITH visits AS (SELECT 1 AS x) SELECT x FROM visits"])
def test_no_table_may_be_given_the_name_of_another_dataset(world: OracleWorld, sql: str) -> None:
    with pytest.raises(StatementRefusal) as refused:
        world.ask(sql, {})
    assert "SQL_NAME_TAKEN" in {fault.code for fault in refused.value.faults}
