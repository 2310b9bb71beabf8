"""What Explore offers of one dataset: nothing that its policy would refuse."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from math import isfinite
from types import MappingProxyType
from typing import Literal

from portal.catalogue.dataset import Grid
from portal.policy.model import Disclosure
from portal.web.view_models.exploration import (
    GRIDS,
    Aggregate,
    Between,
    Bound,
    Condition,
    Exploration,
    Group,
    Is,
    Measure,
    OneOf,
    View,
)
from portal.web.view_models.explore_sql import LISTS, NUMBERS, TIMES, read_as
from portal.web.view_models.periods import coarser, first_of, last_of

MOST_GROUPS = 2
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2100, 1, 1)
"""The days between which a bound may lie."""
LARGEST_NUMBER = 2**53 - 1
"""Beyond, a browser's numbers are no longer whole."""

Filter = Literal["values", "flag", "numbers"] | Grid
"""How a column is filtered: by some of its values, as true or false, by bounds of numbers, by whole periods."""
_ROW_FILTERS: Mapping[str, Filter] = MappingProxyType(
    {
        "VARCHAR": "values",
        "VARCHAR[]": "values",
        "BOOLEAN": "flag",
        **dict.fromkeys(NUMBERS, "numbers"),
        **dict.fromkeys(TIMES, "day"),
    }
)
_EQUAL_FILTERS: Mapping[str, Filter] = MappingProxyType(
    {"VARCHAR": "values", "BOOLEAN": "flag", "DATE": "values", **dict.fromkeys(NUMBERS, "values")}
)


@dataclass(frozen=True, slots=True)
class Offer:
    """What may be asked of one dataset without writing SQL.

    `types` holds every column that has something for this person; `groups` gives, for a column of time, the periods
    that it may be grouped by, finest first; `measures` the columns that each aggregate takes.
    """

    types: Mapping[str, str]
    filters: Mapping[str, Filter]
    groups: Mapping[str, tuple[Grid, ...]]
    measures: Mapping[Aggregate, tuple[str, ...]]
    views: tuple[View, ...]


def offer_rows(types: Mapping[str, str]) -> Offer:
    """Return what is offered of columns that are open row by row."""
    numbers = tuple(name for name, kind in types.items() if kind in NUMBERS)
    return Offer(
        types=types,
        filters={name: _ROW_FILTERS[kind] for name, kind in types.items()},
        groups={name: GRIDS if kind in TIMES else () for name, kind in types.items()},
        measures={
            "count": (),
            "sum": numbers,
            "avg": numbers,
            "distinct": tuple(name for name, kind in types.items() if kind not in LISTS),
        },
        views=("summary", "rows"),
    )


def offer_statistics(types: Mapping[str, str], rules: Disclosure) -> Offer:
    """Return what is offered of a dataset that is open for statistics only."""
    uses = {name: use for name, use in rules.dimensions.items() if name in types and (use.equal or use.period)}
    filters = {name: _EQUAL_FILTERS.get(types[name]) if use.equal else use.period for name, use in uses.items()}
    measures, entities = ([name for name in names if name in types] for names in (rules.measures, rules.entities))
    return Offer(
        types=types,
        filters={name: kind for name, kind in filters.items() if kind},
        groups={
            name: coarser(use.period or "day") if types[name] in TIMES else ()
            for name, use in uses.items()
            if types[name] not in LISTS
        },
        measures={"count": (), "sum": tuple(measures), "avg": tuple(measures), "distinct": tuple(entities)},
        views=("summary",),
    )


def as_offered(asked: Exploration, offer: Offer) -> Exploration:
    """Return as much of what was asked, by an old link or somebody else's, as is offered here."""
    groups = {group.column: group for group in asked.groups if _makes_groups(group, offer)}
    return replace(
        asked,
        where=tuple((column, condition) for column, condition in asked.where if _takes(offer, column, condition)),
        groups=tuple(groups.values())[:MOST_GROUPS],
        measure=asked.measure if _measures(asked.measure, offer) else Measure(),
        view=asked.view if asked.view in offer.views else offer.views[0],
    )


def first_look(dataset: str, date_column: str | None, offer: Offer) -> Exploration:
    """Return what is asked of a dataset before anyone chose: how many there are by month, where it has days."""
    grids = offer.groups.get(date_column or "", ())
    grid = "month" if "month" in grids else next(iter(grids), None)
    return Exploration(dataset, groups=(Group(date_column, grid),) if date_column and grid else ())


def terms_in_words(rules: Disclosure) -> str:
    """Say in a sentence on what a figure rests, and what is rounded to what."""
    least = " and ".join(f"{number} different {entity}" for entity, number in rules.entities.items())
    sums = [f"sums of {name} to multiples of {use.round:g}" for name, use in rules.measures.items()]
    rounded = ", ".join([f"counts are rounded to multiples of {rules.round_counts_to}", *sums])
    return f"Statistics only: each figure rests on at least {least}; {rounded}."


def _makes_groups(group: Group, offer: Offer) -> bool:
    return group.column in offer.groups and group.grid in (offer.groups[group.column] or (None,))


def _measures(measure: Measure, offer: Offer) -> bool:
    return measure == Measure() or measure.column in offer.measures[measure.aggregate]


def _takes(offer: Offer, column: str, condition: Condition) -> bool:
    match offer.filters.get(column), condition:
        case "values", OneOf(values):
            return all(read_as(offer.types[column], value) is not None for value in values)
        case "flag", Is():
            return True
        case "numbers", Between(low, high):
            return all(bound is None or _is_number(bound) for bound in (low, high))
        case ("day" | "week" | "month" | "quarter" | "year") as grid, Between(low, high):
            return _is_day(low) and _is_day(high) and _holds_whole(grid, low, high)
    return False


def _is_number(bound: Bound) -> bool:
    return isinstance(bound, int | float) and isfinite(bound) and abs(bound) <= LARGEST_NUMBER


def _is_day(bound: Bound | None) -> bool:
    return bound is None or (isinstance(bound, date) and FIRST_DAY <= bound <= LAST_DAY)


def _holds_whole(grid: Grid, low: Bound | None, high: Bound | None) -> bool:
    return (not isinstance(low, date) or first_of(grid, low) == low) and (
        not isinstance(high, date) or last_of(grid, high) == high
    )
