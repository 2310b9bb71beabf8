"""Explore offers nothing that the policy refuses: every exploration that its widgets can express is planned."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import chain, combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.protected import DISCLOSURES, PROTECTED, plan_over_cells

from portal.ids import DatasetName
from portal.policy.model import Disclosure
from portal.sql.plan import Plan
from portal.web.view_models.exploration import (
    GRIDS,
    Between,
    Condition,
    Exploration,
    Group,
    Is,
    Measure,
    OneOf,
)
from portal.web.view_models.explore_sql import to_statement
from portal.web.view_models.offering import (
    FIRST_DAY,
    LAST_DAY,
    Offer,
    as_offered,
    first_look,
    offer_rows,
    offer_statistics,
    terms_in_words,
)
from portal.web.view_models.periods import coarser, first_of, last_of
from portal.web.view_models.permalink import from_query, to_query

TYPES = {"day": "DATE", "country": "VARCHAR", "states": "VARCHAR[]", "price": "DOUBLE", "units": "INTEGER",
         "automated": "BOOLEAN"}  # fmt: skip
VALUES = {"VARCHAR": ("DE", "it's", ""), "INTEGER": ("-3", "0"), "DOUBLE": ("0.5", "-1e3"), "DATE": ("2000-01-01",)}


def offer_of(name: str) -> Offer:
    protected = PROTECTED[DatasetName(name)]
    return offer_statistics(protected.schema.columns, protected.disclosure)


def groups_of(offer: Offer) -> list[Group]:
    return [Group(name, grid) for name, grids in offer.groups.items() for grid in grids or (None,)]


def measures_of(offer: Offer) -> list[Measure]:
    return [Measure(), *(Measure(each, name) for each, names in offer.measures.items() for name in names)]


def conditions(offer: Offer) -> st.SearchStrategy[tuple[str, Condition]]:
    return st.sampled_from(sorted(offer.filters)).flatmap(
        lambda name: st.tuples(st.just(name), condition(offer, name)),
    )


def condition(offer: Offer, name: str) -> st.SearchStrategy[Condition]:
    kind = offer.filters[name]
    if kind == "values":
        return st.lists(st.sampled_from(VALUES[offer.types[name]]), min_size=1, unique=True).map(
            lambda v: OneOf(tuple(v))
        )
    if kind == "flag":
        return st.builds(Is, st.booleans())
    assert kind in GRIDS
    days = st.none() | st.dates(FIRST_DAY, LAST_DAY - timedelta(days=366))
    return st.builds(lambda low, high: Between(low and first_of(kind, low), high and last_of(kind, high)), days, days)


@st.composite
def explorations(draw: st.DrawFn, name: str) -> Exploration:
    offer = offer_of(name)
    where = draw(st.lists(conditions(offer), max_size=3, unique_by=lambda pair: pair[0]))
    groups = draw(st.lists(st.sampled_from(groups_of(offer)), max_size=2, unique_by=lambda group: group.column))
    return Exploration(name, tuple(where), tuple(groups), draw(st.sampled_from(measures_of(offer))))


def planned(exploration: Exploration) -> Plan:
    statement = to_statement(exploration, offer_of(exploration.dataset).types)
    return plan_over_cells(statement.text, **statement.parameters)


@pytest.mark.parametrize("name", sorted(DISCLOSURES))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_the_widgets_can_say_is_planned(name: str, data: st.DataObject) -> None:
    exploration = data.draw(explorations(name))
    plan = planned(exploration)
    assert [block.dataset for block in plan.blocks] == [name]
    assert len(plan.blocks[0].groupings) == len(exploration.groups)


def every_small_exploration(name: str) -> Iterator[Exploration]:
    """Every measure and every pair of groups, once each; a condition of each kind."""
    offer = offer_of(name)
    groups = groups_of(offer)
    pairs = [pair for pair in combinations(groups, 2) if pair[0].column != pair[1].column]
    for chosen in chain([()], ((group,) for group in groups), pairs):
        yield Exploration(name, (), chosen)
    for measure in measures_of(offer):
        yield Exploration(name, (), (), measure)


@pytest.mark.parametrize("name", sorted(DISCLOSURES))
def test_every_group_and_every_measure_that_is_offered_is_planned(name: str) -> None:
    for exploration in every_small_exploration(name):
        assert planned(exploration).blocks


@pytest.mark.parametrize("name", sorted(DISCLOSURES))
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_what_is_offered_survives_as_it_is_and_through_a_link(name: str, data: st.DataObject) -> None:
    exploration = data.draw(explorations(name))
    assert as_offered(from_query(to_query(exploration)), offer_of(name)) == exploration


def test_statistics_offer_dimensions_measures_and_entities_each_for_its_use() -> None:
    offer = offer_of("moderation")
    assert offer.filters == {"category": "values", "automated": "flag", "decision_date": "month"}
    assert offer.groups == {"category": (), "automated": (), "decision_date": ("month", "quarter", "year")}
    assert offer.measures == {"count": (), "sum": ("delay_hours",), "avg": ("delay_hours",), "distinct": ("user_id",)}
    assert offer.views == ("summary",)


LISTED = Disclosure.model_validate(
    {
        "entities": {"trader": 10},
        "dimensions": {"states": "equal", "gone": "equal", "age": {"range": 10}, "area": {"prefix": 3}},
    }
)


def test_neither_lists_nor_hidden_columns_nor_what_only_sql_can_ask_are_offered() -> None:
    offer = offer_statistics({"trader": "VARCHAR", "states": "VARCHAR[]", "age": "INTEGER", "area": "VARCHAR"}, LISTED)
    assert not offer.filters
    assert not offer.groups


MARCH = Between(date(2025, 3, 1), date(2025, 3, 31))


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        (Exploration("moderation", (("delay_hours", Between(1, 2)),)), Exploration("moderation")),
        (Exploration("moderation", (("user_id", OneOf(("U1",))),)), Exploration("moderation")),
        (Exploration("moderation", (("category", Is(value=True)),)), Exploration("moderation")),
        (Exploration("moderation", (("automated", OneOf(("true",))),)), Exploration("moderation")),
        (
            Exploration("moderation", (("decision_date", Between(date(2025, 3, 2))), ("category", OneOf(("hate",))))),
            Exploration("moderation", (("category", OneOf(("hate",))),)),
        ),
        (Exploration("moderation", (("decision_date", Between(None, date(2025, 3, 30))),)), Exploration("moderation")),
        (Exploration("moderation", (("decision_date", Between(date.min)),)), Exploration("moderation")),
        (Exploration("moderation", (("decision_date", Between(None, date.max)),)), Exploration("moderation")),
        (Exploration("moderation", (("decision_date", Between(5)),)), Exploration("moderation")),
        (Exploration("moderation", groups=(Group("decision_date", "day"),)), Exploration("moderation")),
        (Exploration("moderation", groups=(Group("user_id"), Group("nothing"))), Exploration("moderation")),
        (Exploration("moderation", measure=Measure("sum", "user_id")), Exploration("moderation")),
        (Exploration("moderation", measure=Measure("distinct", "category")), Exploration("moderation")),
        (Exploration("moderation", measure=Measure("count", "category")), Exploration("moderation")),
        (Exploration("moderation", view="rows"), Exploration("moderation")),
    ],
)
def test_what_a_link_asks_beyond_the_offer_is_dropped(asked: Exploration, left: Exploration) -> None:
    assert as_offered(asked, offer_of("moderation")) == left


def test_a_link_over_whole_months_means_the_same_to_both_kinds_of_access() -> None:
    asked = Exploration("moderation", (("decision_date", MARCH),))
    assert as_offered(asked, offer_of("moderation")) == asked
    assert as_offered(asked, offer_rows(offer_of("moderation").types)) == asked
    statement = to_statement(asked, offer_of("moderation").types)
    assert '"decision_date" >= $decision_date_1' in statement.text
    assert '"decision_date" < $decision_date_2' in statement.text
    assert statement.parameters == {"decision_date_1": date(2025, 3, 1), "decision_date_2": date(2025, 4, 1)}


@pytest.mark.parametrize(
    "condition",
    [("price", Between(float("nan"))), ("price", Between(2.0**60)), ("units", Between(None, float("inf")))],
)
def test_numbers_that_no_browser_can_hold_are_dropped(condition: tuple[str, Condition]) -> None:
    assert as_offered(Exploration("sales", (condition,)), offer_rows(TYPES)) == Exploration("sales")


def test_no_more_groups_are_kept_than_can_be_drawn_and_none_twice() -> None:
    asked = Exploration("sales", groups=(Group("country"), Group("country"), Group("units"), Group("automated")))
    assert as_offered(asked, offer_rows(TYPES)).groups == (Group("country"), Group("units"))


@pytest.mark.parametrize(
    ("date_column", "offer", "groups"),
    [
        ("day", offer_rows(TYPES), (Group("day", "month"),)),
        ("decision_date", offer_of("moderation"), (Group("decision_date", "month"),)),
        ("quarter", offer_of("visits"), (Group("quarter", "quarter"),)),
        ("country", offer_rows(TYPES), ()),
        ("gone", offer_of("moderation"), ()),
        (None, offer_rows(TYPES), ()),
    ],
)
def test_a_dataset_is_first_seen_by_month_or_as_near_as_may_be(
    date_column: str | None, offer: Offer, groups: tuple[Group, ...]
) -> None:
    look = first_look("sales", date_column, offer)
    assert look.groups == groups
    assert as_offered(look, offer) == look


def test_the_terms_name_thresholds_and_steps() -> None:
    assert terms_in_words(DISCLOSURES["moderation"]) == (
        "Statistics only: each figure rests on at least 20 different user_id; counts are rounded to multiples of 5, "
        "sums of delay_hours to multiples of 1."
    )


@pytest.mark.parametrize("grid", GRIDS)
@given(day=st.dates(FIRST_DAY, LAST_DAY))
def test_periods_follow_each_other_without_gap_or_overlap(grid: str, day: date) -> None:
    [known] = [each for each in GRIDS if each == grid]
    first, last = first_of(known, day), last_of(known, day)
    assert first <= day <= last
    assert first_of(known, last) == first
    assert first_of(known, last + timedelta(days=1)) == last + timedelta(days=1)


@given(st.dates(FIRST_DAY, LAST_DAY))
def test_a_coarser_period_begins_where_a_finer_one_does(day: date) -> None:
    assert {grid: coarser(grid) for grid in GRIDS} == {
        "day": GRIDS,
        "week": ("week",),
        "month": ("month", "quarter", "year"),
        "quarter": ("quarter", "year"),
        "year": ("year",),
    }
    for grid in GRIDS:
        for each in coarser(grid):
            assert first_of(grid, first_of(each, day)) == first_of(each, day)
