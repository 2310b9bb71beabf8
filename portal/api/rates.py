"""How much one may still ask: requests of a person in a minute, rows of a project in a week.

Told in the fields of draft-ietf-httpapi-ratelimit-headers; a 429 that passes by itself says after how many seconds.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from portal.desk.answers import Answer
from portal.desk.budget import BUDGET_DAYS

MINUTE = 60
RATES: dict[str, Any] = {
    "RateLimit-Policy": {"description": "What one may ask: quota `q` in `w` seconds.", "schema": {"type": "string"}},
    "RateLimit": {"description": "What is left: `r`, until `t` seconds from now.", "schema": {"type": "string"}},
}


@dataclass(frozen=True, slots=True)
class Rate:
    """What is left of one quota. `window` and `resets_in` are in seconds; None: it comes back little by little."""

    name: str
    quota: int
    window: int
    left: int
    resets_in: int | None = None


class Requests:
    """Counts the requests of each person in this minute; forgets them all when it is over."""

    def __init__(self, quota: int) -> None:
        """Allow each person so many requests in a minute."""
        self._quota = quota
        self._minute = 0
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def take(self, who: str, now: datetime) -> Rate | None:
        """Count one request; return what is left, None where the quota was used up already."""
        seconds = int(now.timestamp())
        with self._lock:
            if seconds // MINUTE != self._minute:
                self._minute = seconds // MINUTE
                self._counts.clear()
            self._counts[who] += 1
            left = self._quota - self._counts[who]
        return Rate("requests", self._quota, MINUTE, left, MINUTE - seconds % MINUTE) if left >= 0 else None


def rows_of(answer: Answer) -> Rate:
    """Return what is left of the budget of rows that an answer was charged to."""
    return Rate(
        "rows", answer.limits.rows_per_week, BUDGET_DAYS * 24 * 60 * MINUTE, max(0, answer.receipt.rows_left_this_week)
    )


def rate_fields(rates: Sequence[Rate]) -> Mapping[str, str]:
    """Return the fields that tell of these quotas; none where there are none."""
    if not rates:
        return {}
    return {
        "RateLimit-Policy": ", ".join(f'"{rate.name}";q={rate.quota};w={rate.window}' for rate in rates),
        "RateLimit": ", ".join(
            f'"{rate.name}";r={rate.left}' + (f";t={rate.resets_in}" if rate.resets_in is not None else "")
            for rate in rates
        ),
    }
