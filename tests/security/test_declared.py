# ruff: noqa: E501 - a statement reads best on one line
"""The second look at a block: what the grammar lets through passes, and whatever is declared nowhere does not."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.protected import PROTECTED, TABLES, plan_over_cells

from portal.disclosure.declared import check_declared
from portal.errors import EngineFailure, StatementRefusal
from portal.ids import DatasetName
from portal.policy.model import DimensionUse
from portal.sql.blocks import Aggregate, Atom, Block, Grouping, PublicJoin

KEYS = (
    "v.level", "v.score", "v.born", "v.code", "v.day", "v.week", "v.age", "v.postcode", "v.person", "v.hours", "r.kind", "r.sent", "r.words", "d.name",
    *(f"date_trunc('{period}', {column})" for period in ("day", "week", "month", "quarter", "year") for column in ("v.seen", "v.day", "v.week", "v.quarter", "v.born", "r.sent")),
    *(f"year({column})" for column in ("v.seen", "v.week", "v.quarter", "r.sent")),
    *(f"floor({column} / {step}) * {step}" for column in ("v.age", "v.price", "v.level", "v.hours", "d.pop_m") for step in (1, 2, 5, 10, 20, 25, 50, 100)),
    *(f"left({column}, {length})" for column in ("v.postcode", "v.code", "v.person", "d.name") for length in (-1, 0, 1, 2, 3, 4)),
)  # fmt: skip
FIGURES = (
    "count(*)",
    *(f"count({column})" for column in ("v.person", "v.hours", "v.age", "r.kind", "r.words", "d.name")),
    *(f"count(DISTINCT {column})" for column in ("v.person", "r.person", "v.day", "v.seen", "v.week", "v.level", "v.age", "v.postcode", "r.sent", "d.name")),
    *(f"{function}({column})" for function in ("sum", "avg") for column in ("v.hours", "r.delay", "v.age", "v.person", "d.pop_m")),
)  # fmt: skip
CONDITIONS = (
    *(f"{column} {sign} {value}" for column in ("v.age", "v.price", "v.level", "v.score", "v.hours", "d.pop_m") for sign in ("=", "<", "<=", ">", ">=") for value in ("0", "-1", "4", "9", "10", "15", "2.5", "1e300")),
    *(f"{column} {sign} {value}" for column in ("v.seen", "v.day", "v.week", "v.quarter", "v.born", "r.sent") for sign in ("=", "<", "<=", ">", ">=") for value in ("DATE '2026-01-01'", "DATE '2026-02-02'", "DATE '2026-03-31'", "TIMESTAMP '2026-02-02 00:00:00'", "TIMESTAMP '2026-02-02 00:00:01'")),
    *(f"{left} {comparison}" for left in ("v.code", "v.postcode", "left(v.postcode, 2)", "left(v.postcode, 4)", "v.person", "r.kind", "r.words", "d.name") for comparison in ("= 'DE'", "= 'DEU'", "IN ('DE', '10')", "< 'DE'", "IS NULL", "= 5")),
)  # fmt: skip
FROM = "FROM visits v JOIN reports r ON v.person = r.person JOIN dim_country d ON v.code = d.code"


def admitted(block: Block) -> bool:
    try:
        check_declared(block, PROTECTED, TABLES)
    except EngineFailure:
        return False
    return True


def blocks_of(keys: list[str], figures: list[str], conditions: list[str]) -> tuple[Block, ...]:
    """Return the blocks of a statement of these parts; none, if it is refused."""
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    items, groups = ", ".join([*keys, *figures]), "GROUP BY ALL" if keys else ""
    try:
        return plan_over_cells(f"SELECT {items} {FROM} {where} {groups}").blocks
    except StatementRefusal:
        return ()


@cache
def allowed() -> tuple[list[str], list[str], list[str]]:
    """Return the keys, figures and conditions that the grammar lets through alone."""
    return (
        [key for key in KEYS if blocks_of([key], ["count(*)"], [])],
        [figure for figure in FIGURES if blocks_of([], [figure], [])],
        [condition for condition in CONDITIONS if blocks_of([], ["count(*)"], [condition])],
    )


def test_some_of_the_parts_are_let_through_and_some_are_not() -> None:
    for parts, chosen in zip((KEYS, FIGURES, CONDITIONS), allowed(), strict=True):
        assert len(parts) / 5 < len(chosen) < len(parts) * 4 / 5


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_what_the_grammar_lets_through_is_admitted(data: st.DataObject) -> None:
    keys, figures, conditions = (st.lists(st.sampled_from(parts), max_size=3, unique=True) for parts in allowed())
    planned = blocks_of(data.draw(keys), ["count(*)", *data.draw(figures)], data.draw(conditions))
    assert planned
    assert all(map(admitted, planned))


def test_each_part_that_the_grammar_lets_through_is_admitted() -> None:
    keys, figures, conditions = allowed()
    asked = [blocks_of([key], figures, conditions) for key in keys]
    assert all(asked)
    assert all(admitted(block) for blocks in asked for block in blocks)


@cache
def sound() -> Block:
    """A block of which every part is declared."""
    [block] = plan_over_cells(
        "SELECT v.level, date_trunc('quarter', v.quarter) AS q, floor(v.age / 20) * 20 AS a, left(v.postcode, 2) AS p, d.name, r.kind, "
        "sum(v.hours) FILTER (WHERE v.week >= DATE '2026-02-02'), avg(r.delay), count(DISTINCT v.day), count(DISTINCT v.person), count(*) "
        f"{FROM} WHERE v.score IN (0.5, 1.5) AND v.price < 20 AND left(v.postcode, 3) = '101' AND d.pop_m > 3 AND r.sent < DATE '2026-03-01' GROUP BY ALL"
    ).blocks
    return block


def test_the_sound_block_is_admitted() -> None:
    assert admitted(sound())


def _key(kind: str, column: str, grid: object = None) -> Callable[[Block], Block]:
    key = Grouping("_x", column, kind, grid)  # type: ignore[arg-type]  # as no parser would make it
    return lambda block: replace(block, groupings=(*block.groupings, key))


def _figure(function: str, column: str | None, *atoms: Atom) -> Callable[[Block], Block]:
    figure = Aggregate("_x", function, column, atoms)  # type: ignore[arg-type]  # as no parser would make it
    return lambda block: replace(block, aggregates=(*block.aggregates, figure))


def _atom(column: str, op: str, *values: Any, prefix: int | None = None) -> Callable[[Block], Block]:
    atom = Atom(column, op, values, prefix)  # type: ignore[arg-type]  # as no parser would make it
    return lambda block: replace(block, atoms=(*block.atoms, atom))


def _changed(**changes: Any) -> Callable[[Block], Block]:
    return lambda block: replace(block, **changes)


UNDECLARED = [
    *(_key("value", column) for column in ("person", "hours", "age", "price", "postcode", "seen", "week", "quarter", "nothing", "reports.sent",
      "reports.words", "reports.person", "recsys.region", "ads.country", "moderation.category", "visits.level", "dim_country.nothing", "", ".", "level.level")),
    *(_key("trunc", column, grid) for column, grid in (("week", "month"), ("week", "day"), ("quarter", "month"), ("quarter", "week"), ("seen", "hour"),
      ("level", "month"), ("age", "year"), ("day", None), ("day", "century"), ("day", 10), ("reports.sent", "week"), ("postcode", "day"), ("hours", "day"))),
    *(_key("year", column) for column in ("week", "age", "level", "code", "person")), _key("year", "day", "year"), _key("value", "level", "month"),
    *(_key("step", column, grid) for column, grid in (("age", 5), ("age", 25), ("age", 0), ("age", -10), ("age", 10.0), ("age", None), ("age", True),
      ("age", "10"), ("price", 2), ("level", 10), ("hours", 10), ("postcode", 1), ("dim_country.pop_m", 10), ("age", 10**20))),
    *(_key("prefix", column, grid) for column, grid in (("postcode", 4), ("postcode", 0), ("postcode", -1), ("postcode", None), ("postcode", True),
      ("code", 1), ("person", 1), ("dim_country.name", 1))),
    _key("week", "day"), _key("", "day"),
    *(_figure(function, column) for function, column in (("min", "hours"), ("sum", "age"), ("sum", "person"), ("sum", "reports.kind"), ("avg", "level"),
      ("sum", None), ("count", None), ("count_rows", "hours"), ("count", "words"), ("count", "reports.words"), ("count", "dim_country.name"),
      ("sum", "dim_country.pop_m"), ("count_distinct", "hours"), ("count_distinct", "week"), ("count_distinct", "seen"), ("count_distinct", "age"),
      ("count_distinct", "postcode"), ("count_distinct", "reports.sent"), ("count_distinct", "dim_country.name"), ("sum", "spend_eur"), ("list", "level"))),
    _figure("sum", "hours", Atom("person", "=", ("P1",))), _figure("count_rows", None, Atom("age", ">=", (15,))),
    *(_atom(column, "=", value) for column, value in (("person", "P1"), ("hours", 3.0), ("reports.delay", 3.0), ("words", "x"), ("nothing", 1), ("level", True),
      ("level", 1.5), ("level", "1"), ("score", float("nan")), ("score", float("inf")), ("born", datetime(2000, 1, 1)), ("born", "2000-01-01"), ("age", 20),  # noqa: DTZ001 - a DATE takes no time
      ("week", date(2026, 2, 2)), ("postcode", "101"), ("reports.kind", 1), ("dim_country.name", 5), ("dim_country.pop_m", 1.5), ("recsys.region", "DE"))),
    *(_atom(column, op, value) for column, op, value in (("age", ">=", 15), ("age", "<", 19), ("age", "<=", 20), ("age", ">", 20), ("age", ">=", 10**17), ("age", ">=", 20.0),
      ("price", "<", 7.5), ("price", "<", float("-inf")), ("price", "<", True), ("level", ">=", 1), ("code", "<", "E"), ("week", ">=", date(2026, 2, 1)),
      ("quarter", "<", date(2026, 2, 1)), ("seen", ">=", datetime(2026, 2, 2, 1)), ("seen", ">=", datetime(2026, 2, 2, tzinfo=UTC)), ("seen", ">=", date(2026, 2, 2)),  # noqa: DTZ001 - a TIMESTAMP has no zone
      ("week", "<=", date(2026, 2, 2)), ("reports.sent", ">=", date(2026, 2, 2)), ("day", "<>", date(2026, 2, 2)), ("code", "like", "D%"), ("dim_country.name", "like", "D%"))),
    _atom("code", "in", "DE"), _atom("code", "in", "DE", "DE"), _atom("code", "in"), _atom("code", "="), _atom("code", "=", "DE", "FR"), _atom("code", "is null", "x"),
    _atom("code", "in", "DE", 5), _atom("code", "=", None), _atom("dim_country.pop_m", "<", 1, 2), _atom("person", "is null"), _atom("hours", "is null"),
    _atom("week", "in", date(2026, 2, 2), date(2026, 2, 9)), _atom("postcode", "<", "2", prefix=1), _atom("postcode", "=", "1010", prefix=4),
    _atom("postcode", "=", "", prefix=0), _atom("code", "=", "D", prefix=1), _atom("dim_country.name", "=", "D", prefix=1), _atom("postcode", "is null", prefix=1),
    _atom("age", ">=", 20, prefix=1),
    _changed(dataset=DatasetName("ads")), _changed(dataset=DatasetName("recsys")), _changed(dataset=DatasetName("reports")), _changed(dataset=DatasetName("nothing")),
    _changed(entity_join=None), _changed(joins=()), _changed(relation="visits"), _changed(relation="reports"), _changed(relation="dim_country"),
    _changed(groupings=(), aggregates=()), _changed(groupings=(), remainder="_rest"), _changed(remainder="_key1"),
    lambda block: replace(block, groupings=block.groupings * 2),
    lambda block: replace(block, aggregates=(*block.aggregates, replace(block.aggregates[0], name="_key1"))),
    lambda block: replace(block, joins=block.joins * 2),
    *(_changed(joins=(PublicJoin(own, DatasetName(dataset), column),)) for own, dataset, column in (("level", "dim_country", "code"), ("code", "dim_country", "name"),
      ("code", "recsys", "region"), ("code", "ads", "country"), ("person", "dim_country", "code"), ("reports.kind", "dim_country", "code"),
      ("dim_country.code", "dim_country", "code"), ("visits.code", "dim_country", "code"), ("code", "nothing", "code"), ("code", "reports", "code"))),
    *((lambda block, change=change: replace(block, entity_join=replace(block.entity_join, **change)))
      for change in ({"own": "code"}, {"column": "code"}, {"own": "nothing"}, {"dataset": DatasetName("ads")}, {"dataset": DatasetName("visits")},
                     {"dataset": DatasetName("dim_country")}, {"dataset": DatasetName("moderation"), "column": "user_id"})),
]  # fmt: skip


@pytest.mark.parametrize("change", UNDECLARED)
def test_whatever_is_not_declared_is_not_admitted(change: Callable[[Block], Block]) -> None:
    changed = change(sound())
    assert changed != sound()
    with pytest.raises(EngineFailure) as caught:
        check_declared(changed, PROTECTED, TABLES)
    assert caught.value.faults[0].code == "BLOCK_NOT_ADMITTED"


NAMES = sorted(
    {name for each in PROTECTED.values() for name in each.schema.columns}
    | {f"reports.{name}" for name in PROTECTED[DatasetName("reports")].schema.columns}
)
DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))


@settings(deadline=None)
@given(st.sampled_from(NAMES))
def test_a_block_names_declared_columns_only(name: str) -> None:
    """Over one dataset alone, and in every place that takes a column."""
    dataset = DatasetName("visits")
    rules = PROTECTED[dataset].disclosure
    alone = Block("_cells1", dataset, (), (Aggregate("_v", "count_rows", None, ()),), (), (), 1, 1)
    assert admitted(alone)
    use = rules.dimensions.get(name)
    is_value = use is not None and (bool(use.equal) or name == "day")
    assert admitted(_key("value", name)(alone)) == is_value
    assert admitted(_figure("sum", name)(alone)) == (name in rules.measures)
    assert admitted(_figure("count_distinct", name)(alone)) == (is_value or name in rules.entities)
    assert admitted(_figure("count", name)(alone)) == (name in {*rules.measures, *rules.entities, *rules.dimensions})
    assert admitted(_atom(name, "is null")(alone)) == (use is not None)


@settings(deadline=None, max_examples=300)
@given(DAYS, st.sampled_from(["day", "week", "quarter", "reports.sent"]))
def test_a_bound_of_dates_stands_where_a_period_begins(day: date, column: str) -> None:
    """The day before a beginning is of another period, however periods are counted."""
    names = {
        "day": lambda d: d,
        "week": lambda d: d.isocalendar()[:2],
        "quarter": lambda d: (d.year, (d.month - 1) // 3),
        "reports.sent": lambda d: (d.year, d.month),
    }
    begins = names[column](day) != names[column](day - timedelta(days=1))
    assert admitted(_atom(column, ">=", day)(sound())) == begins


@settings(deadline=None, max_examples=300)
@given(st.integers(-(10**6), 10**6), st.integers(0, 12), st.sampled_from([1, 2, 5, 10, 20, 50]))
def test_a_bound_or_step_of_numbers_is_of_whole_cells(number: int, zeros: int, step: int) -> None:
    source = PROTECTED[DatasetName("visits")]
    rules = source.disclosure.model_copy(update={"dimensions": {"age": DimensionUse(range=step)}})
    alone = Block("_cells1", DatasetName("visits"), (), (Aggregate("_v", "count_rows", None, ()),), (), (), 1, 1)
    given_ = {DatasetName("visits"): replace(source, disclosure=rules)}
    for change, expected in (
        (_atom("age", "<", number), number % step == 0),
        (_key("step", "age", 10**zeros), 10**zeros % step == 0),
    ):
        try:
            check_declared(change(alone), given_, {})
            found = True
        except EngineFailure:
            found = False
        assert found == expected


def test_every_field_of_a_block_is_looked_at() -> None:
    """A new field must be thought of here and in the check."""
    assert [field.name for field in fields(Block)] == [
        "relation",
        "dataset",
        "groupings",
        "aggregates",
        "atoms",
        "joins",
        "line",
        "column",
        "entity_join",
        "remainder",
    ]
    assert [field.name for field in fields(Atom)] == ["column", "op", "values", "prefix"]
