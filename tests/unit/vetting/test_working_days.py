from datetime import date, timedelta

import pytest

from portal.vetting.working_days import Calendar

PLAIN = Calendar()
FRIDAY = date(2026, 6, 12)


@pytest.mark.parametrize(
    ("day", "count", "last"),
    [
        (date(2026, 6, 15), 3, date(2026, 6, 18)),
        (FRIDAY, 3, date(2026, 6, 17)),
        (date(2026, 6, 13), 1, date(2026, 6, 15)),
        (date(2026, 12, 24), 1, date(2026, 12, 28)),
        (date(2026, 12, 31), 1, date(2027, 1, 4)),
        (FRIDAY, 0, FRIDAY),
        (date(2026, 1, 2), 80, date(2026, 4, 24)),
    ],
)
def test_working_days_leave_out_weekends_and_what_is_a_holiday_everywhere(day: date, count: int, last: date) -> None:
    assert PLAIN.after_working_days(day, count) == last


def test_a_coordinators_own_holidays_make_a_due_date_later_never_earlier() -> None:
    known = Calendar(frozenset({date(2026, 6, 16)}))
    assert known.after_working_days(date(2026, 6, 15), 3) == date(2026, 6, 19)
    for offset in range(400):
        day = FRIDAY + timedelta(days=offset)
        assert PLAIN.after_working_days(day, 3) <= known.after_working_days(day, 3)


@pytest.mark.parametrize(
    ("day", "last"), [(date(2026, 6, 15), date(2026, 6, 30)), (date(2026, 6, 12), date(2026, 6, 29))]
)
def test_days_that_end_on_a_weekend_end_on_the_next_working_day(day: date, last: date) -> None:
    assert PLAIN.after_days(day, 15) == last
