"""Rounding: what leaves is a multiple of the policy's base, and what derives from it derives from the rounded."""

import math
from decimal import Decimal

AVERAGE_PLACES = 2


def round_to(value: float, base: float) -> int | float:
    """Return the nearest multiple of `base`, half upwards; an integer where the base is whole."""
    multiple = math.floor(Decimal(str(value)) / Decimal(str(base)) + Decimal("0.5"))
    exact = multiple * Decimal(str(base))
    return int(exact) if float(base).is_integer() else float(exact)


def average(rounded_sum: float, rounded_count: float) -> float | None:
    """Return the average that follows from what is shown; None where the count is rounded away."""
    return round(rounded_sum / rounded_count, AVERAGE_PLACES) if rounded_count else None
