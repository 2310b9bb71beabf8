"""Periods in days, as Regulation (EEC, Euratom) No 1182/71 counts them; the one place that does."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_EVERYWHERE = frozenset({(1, 1), (12, 25)})
"""Month and day of what is a public holiday in every Member State."""
_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working days: all but weekends and public holidays.

    `holidays` are those of the Digital Services Coordinator's Member State. One that is not named makes a due date
    earlier, never later.
    """

    holidays: frozenset[date] = frozenset()

    def is_working_day(self, day: date) -> bool:
        """Whether offices are open."""
        return day.weekday() < _SATURDAY and day not in self.holidays and (day.month, day.day) not in _EVERYWHERE

    def after_working_days(self, day: date, count: int) -> date:
        """Return the last day of a period of working days; the day of the event itself is not counted (Art. 3(1))."""
        days = self._working_days_after(day)
        return [next(days) for _ in range(count)][-1] if count else day

    def after_days(self, day: date, count: int) -> date:
        """Return the last day of a period of days; one that ends on no working day ends on the next (Art. 3(4))."""
        return next(self._working_days_after(day + timedelta(days=count) - _DAY))

    def _working_days_after(self, day: date) -> Iterator[date]:
        while True:
            day += _DAY
            if self.is_working_day(day):
                yield day
