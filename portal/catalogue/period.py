"""A stretch of days, open at either end."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Period:
    """From the first to the last day, both included; the calendar's own ends stand for none."""

    first: date = date.min
    last: date = date.max

    def within(self, other: "Period") -> "Period":
        """Return the days that are in both; where there are none, the first comes after the last."""
        return Period(max(self.first, other.first), min(self.last, other.last))

    def hull(self, other: "Period") -> "Period":
        """Return the shortest stretch that holds both."""
        return Period(min(self.first, other.first), max(self.last, other.last))

    def meets(self, other: "Period") -> bool:
        """Whether a day may be in both."""
        both = self.within(other)
        return both.first <= both.last


ALL_TIME = Period()
"""Rows without a date are in no shorter period."""
