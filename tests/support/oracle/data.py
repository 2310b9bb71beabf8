"""Rows in patches: each a few entities in one corner of the dimensions, with amounts that strain one of the rules."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

Row = Mapping[str, Any]

TYPES: Mapping[str, str] = {
    "person": "VARCHAR",
    "firm": "VARCHAR",
    "country": "VARCHAR",
    "day": "DATE",
    "age": "BIGINT",
    "postcode": "VARCHAR",
    "amount": "DOUBLE",
    "pieces": "BIGINT",
}
PLACES: Sequence[Row] = (
    {"code": "DE", "area": "middle", "size": 3},
    {"code": "FR", "area": "west", "size": 2},
    {"code": "LU", "area": "west", "size": 1},
    {"code": "MT", "area": None, "size": None},
)
"""The public table; a row of `XK` or of no country finds no partner in it."""

COUNTRIES = ["DE", "DE", "FR", "FR", "LU", "XK", None]
FIRST = date(2025, 11, 1)
POSTCODES = ["101", "109", "201", "2", None]
AGES = [12, 12, 18, 29, -7, None]
AMOUNTS: Mapping[str, Sequence[float | None]] = {
    "equal": (20.0,),
    "one has most": (900.0, 1.5, 2.0, 1.0, 2.5),
    "two have most": (400.0, 380.0, 30.0, 31.0, 2.5),
    "rising": (10.0, 20.0, 30.0, 45.0, 70.5),
    "both ways": (-50.0, 40.0, 45.0, -38.0),
    "nothing": (0.0, 0.0, 0.0, 5.0),
    "some missing": (None, 12.0, 14.0),
    "all missing": (None,),
}


@dataclass(frozen=True, slots=True)
class Patch:
    """So many persons from the `first` on, of so many firms, each with some rows."""

    country: str | None
    month: int | None
    age: int | None
    postcode: str | None
    first: int
    persons: int
    firms: int
    rows_each: int
    amounts: str
    nameless: bool


patches = st.builds(
    Patch,
    st.sampled_from(COUNTRIES),
    st.sampled_from([0, 1, 1, 2, 5, None]),
    st.sampled_from(AGES),
    st.sampled_from(POSTCODES),
    st.integers(0, 5),
    st.integers(2, 9),
    st.integers(2, 5),
    st.integers(1, 2),
    st.sampled_from([*AMOUNTS]),
    st.sampled_from([False, False, True]),
)
some_rows = st.one_of(st.lists(patches, max_size=8), st.lists(patches, min_size=5, max_size=14)).map(
    lambda drawn: [row for patch in drawn for row in rows_of(patch)]
)


def rows_of(patch: Patch) -> Iterator[Row]:
    amounts = AMOUNTS[patch.amounts]
    for i in range(patch.persons):
        number = patch.first + i
        for again in range(patch.rows_each):
            yield {
                "person": None if patch.nameless and i == 0 else f"p{number}",
                "firm": None if patch.nameless and number % patch.firms == 1 else f"f{number % patch.firms}",
                "country": patch.country,
                "day": None if patch.month is None else _day(patch.month, i, again),
                "age": patch.age,
                "postcode": patch.postcode,
                "amount": amounts[(i + again) % len(amounts)],
                "pieces": 2 + i - again,
            }


def _day(month: int, i: int, again: int) -> date:
    year, rest = divmod(FIRST.month - 1 + month, 12)
    return date(FIRST.year + year, rest + 1, 1) + timedelta(days=(i * 9 + again * 5) % 28)
