"""Whole periods of dates: where they begin and end, what they are called, and which are made of which."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from types import MappingProxyType

from portal.catalogue.dataset import Grid
from portal.web.view_models.exploration import GRIDS

_STARTS: Mapping[Grid, Callable[[date], date]] = MappingProxyType(
    {
        "day": lambda day: day,
        "week": lambda day: day - timedelta(days=day.weekday()),
        "month": lambda day: day.replace(day=1),
        "quarter": lambda day: date(day.year, day.month - (day.month - 1) % 3, 1),
        "year": lambda day: date(day.year, 1, 1),
    }
)
_LONGEST: Mapping[Grid, int] = MappingProxyType({"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366})
"""In days; so many after a period's first day, the next one has begun and not ended."""
_NAMES: Mapping[Grid, Callable[[date], str]] = MappingProxyType(
    {
        "day": date.isoformat,
        "week": lambda first: f"week of {first}",
        "month": lambda first: f"{first:%Y-%m}",
        "quarter": lambda first: f"{first.year} Q{1 + first.month // 3}",
        "year": lambda first: f"{first.year}",
    }
)


def first_of(grid: Grid, day: date) -> date:
    """Return the first day of the period that a day lies in."""
    return _STARTS[grid](day)


def next_of(grid: Grid, day: date) -> date:
    """Return the first day after the period that a day lies in."""
    return first_of(grid, first_of(grid, day) + timedelta(days=_LONGEST[grid]))


def last_of(grid: Grid, day: date) -> date:
    """Return the last day of the period that a day lies in."""
    return next_of(grid, day) - timedelta(days=1)


def name_of(grid: Grid, day: date) -> str:
    """Return what the period that a day lies in is called."""
    return _NAMES[grid](first_of(grid, day))


def periods_between(grid: Grid, since: date, until: date) -> tuple[date, ...]:
    """Return the first days of the periods from the one that holds `since` to the one that holds `until`."""
    found = [first_of(grid, since)]
    while (following := next_of(grid, found[-1])) <= until:
        found.append(following)
    return tuple(found)


def coarser(grid: Grid) -> tuple[Grid, ...]:
    """Return the periods that are made of whole periods of a grid, itself first; a week lies in no month for sure."""
    days = [date(year, month, 15) for year in (2024, 2025) for month in range(1, 13)]
    return tuple(
        each for each in GRIDS if all(first_of(grid, first_of(each, day)) == first_of(each, day) for day in days)
    )


def common_grid(days: set[date]) -> Grid:
    """Return the coarsest grid on which all of the days lie."""
    return next(grid for grid in reversed(GRIDS) if all(first_of(grid, day) == day for day in days))
