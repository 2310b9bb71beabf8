import json
from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import UsageError
from portal.sql import parse
from portal.web.view_models.exploration import AGGREGATES, GRIDS, Between, Exploration, Group, Is, Measure, OneOf, View
from portal.web.view_models.explore_sql import to_statement
from portal.web.view_models.permalink import from_query, to_query

TYPES = {
    "country": "VARCHAR",
    "country_1": "VARCHAR",
    "states": "VARCHAR[]",
    "price": "DOUBLE",
    "units": "INTEGER",
    "day": "DATE",
    "seen": "TIMESTAMP",
    "automated": "BOOLEAN",
}
texts = st.text(min_size=1).filter(lambda text: text.isprintable())
days = st.dates(date(1990, 1, 1), date(2100, 1, 1))
amounts = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
CONDITIONS = {
    "VARCHAR": st.builds(OneOf, st.lists(texts, max_size=4).map(tuple)),
    "VARCHAR[]": st.builds(OneOf, st.lists(texts, max_size=4).map(tuple)),
    "DOUBLE": st.builds(Between, st.none() | amounts, st.none() | amounts),
    "INTEGER": st.builds(Between, st.none() | amounts, st.none() | amounts),
    "DATE": st.builds(Between, st.none() | days, st.none() | days),
    "TIMESTAMP": st.builds(Between, st.none() | days, st.none() | days),
    "BOOLEAN": st.builds(Is, st.booleans()),
}


@st.composite
def explorations(draw: st.DrawFn) -> Exploration:
    filtered = draw(st.lists(st.sampled_from(sorted(TYPES)), unique=True, max_size=4))
    grouped = draw(st.lists(st.sampled_from(sorted(TYPES)), unique=True, max_size=2))
    aggregate = draw(st.sampled_from(AGGREGATES))
    grids = {name: draw(st.sampled_from(GRIDS)) for name in grouped if TYPES[name] in ("DATE", "TIMESTAMP")}
    return Exploration(
        dataset="sales",
        where=tuple((name, draw(CONDITIONS[TYPES[name]])) for name in filtered),
        groups=tuple(Group(name, grids.get(name)) for name in grouped),
        measure=Measure(aggregate, None if aggregate == "count" else draw(st.sampled_from(["price", "units"]))),
        view=draw(st.sampled_from(get_args(View))),
    )


@given(explorations())
def test_an_exploration_survives_the_way_through_a_link(exploration: Exploration) -> None:
    assert from_query(to_query(exploration)) == exploration


@given(explorations())
def test_an_exploration_is_always_one_statement_over_its_dataset(exploration: Exploration) -> None:
    statement = to_statement(exploration, TYPES)
    assert tuple(parse(statement.text).datasets) == ("sales",)
    assert all(f"${name}" in statement.text for name in statement.parameters)


MARK = "zq'\";-- \U0001f980"


@given(explorations(), st.data())
def test_no_value_stands_in_the_sql(exploration: Exploration, data: st.DataObject) -> None:
    marked = Exploration(
        exploration.dataset,
        (
            *(pair for pair in exploration.where if pair[0] not in ("country", "price", "day")),
            ("country", OneOf((MARK, data.draw(texts)))),
            ("price", Between(987654321, 1234567.25)),
            ("day", Between(date(2031, 7, 23), None)),
        ),
        exploration.groups,
        exploration.measure,
        exploration.view,
    )
    statement = to_statement(marked, TYPES)
    for value in (MARK, "987654321", "1234567.25", "2031"):
        assert value not in statement.text
    assert {MARK, 987654321, 1234567.25, date(2031, 7, 23)} <= set(statement.parameters.values())


def test_a_chosen_value_changes_the_parameters_only() -> None:
    def asking(value: str) -> Exploration:
        return Exploration("sales", (("country", OneOf((value,))),))

    one, other = to_statement(asking("DE"), TYPES), to_statement(asking("x' OR 1=1"), TYPES)
    assert one.text == other.text
    assert other.parameters == {"country_1": "x' OR 1=1"}


def test_a_summary_reads_as_a_person_would_write_it() -> None:
    exploration = Exploration(
        "sales",
        (("states", OneOf(("DE", "FR"))), ("seen", Between(date(2025, 1, 1), date(2025, 1, 31)))),
        (Group("day", "month"), Group("country")),
        Measure("sum", "units"),
    )
    assert to_statement(exploration, TYPES).text == (
        "SELECT\n"
        '  CAST(date_trunc(\'month\', "day") AS DATE) AS "day_month",\n'
        '  "country",\n'
        '  sum("units") AS "sum_units"\n'
        'FROM "sales"\n'
        'WHERE (list_contains("states", $states_1) OR list_contains("states", $states_2))\n'
        '  AND "seen" >= $seen_1\n'
        '  AND "seen" < $seen_2\n'
        "GROUP BY 1, 2\n"
        "ORDER BY 1, 2"
    )


def test_a_last_day_is_wholly_in() -> None:
    statement = to_statement(Exploration("sales", (("seen", Between(high=date(2025, 1, 31))),)), TYPES)
    assert statement.text.endswith('WHERE "seen" < $seen_1')
    assert statement.parameters == {"seen_1": date(2025, 2, 1)}


def test_values_are_bound_in_the_type_of_their_column() -> None:
    where = (("units", OneOf(("1", "-2"))), ("price", OneOf(("0.5",))), ("day", OneOf(("2025-01-31",))))
    assert to_statement(Exploration("sales", where), TYPES).parameters == {
        "units_1": 1,
        "units_2": -2,
        "price_1": 0.5,
        "day_1": date(2025, 1, 31),
    }


@pytest.mark.parametrize(
    "exploration",
    [
        Exploration("sales", (("secret", OneOf(("x",))),)),
        Exploration("sales", (("price", OneOf(("x",))),)),
        Exploration("sales", (("price", OneOf(("nan",))),)),
        Exploration("sales", (("automated", OneOf(("true",))),)),
        Exploration("sales", groups=(Group("country", "month"),)),
        Exploration("sales", groups=(Group('x"; DROP'),)),
        Exploration("sales", measure=Measure("sum")),
    ],
)
def test_what_does_not_fit_the_columns_is_refused(exploration: Exploration) -> None:
    with pytest.raises(UsageError):
        to_statement(exploration, TYPES)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"dataset": ["sales"], "measure": ["drop.price"]},
        {"dataset": ["sales"], "view": ["all"]},
        {"dataset": ["sales"], "group": ["day.decade"]},
        {"dataset": ["sales"], "where.day": ["{"]},
        {"dataset": ["sales"], "where.day": [json.dumps({"from": "never"})]},
        {"dataset": ["sales"], "where.day": [json.dumps({"since": 1})]},
        {"dataset": ["sales"], "where.country": [json.dumps([1])]},
        {"dataset": ["sales"], "where.country": ["[" * 100_000]},
    ],
)
def test_a_link_that_is_none_of_ours_is_refused_in_words(query: dict[str, list[str]]) -> None:
    with pytest.raises(UsageError, match="link"):
        from_query(query)
