"""Groups and figures as they were computed, exact and inside; and the rules that each must hold to leave.

Thresholds and dominance after ACRO and the ESSNet handbook on statistical disclosure control.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.policy.model import Disclosure, Dominance
from portal.sql.blocks import Aggregate

Key = tuple[Any, ...]
ROUNDING = 1e-9
"""The share by which adding up many amounts may err."""


@dataclass(frozen=True, slots=True)
class Contributions:
    """What each entity adds to a sum, by amount: all together, and the largest, falling."""

    total: float
    largest: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One aggregate of one group. Mappings are by entity.

    `rows` counts the rows that have a value, `value` is the sum or the number of distinct values. `support` counts
    the entities with such a row, `outside` those with a row that the aggregate's own filter leaves out. `dominated`
    names the entities of whom few make up the sum.
    """

    rows: int
    value: float | None
    support: Mapping[str, int]
    outside: Mapping[str, int]
    dominated: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its key, its distinct entities, and a figure for each aggregate of the block."""

    key: Key
    entities: Mapping[str, int]
    figures: tuple[Figure, ...]


def group_fault(group: Group, disclosure: Disclosure) -> str | None:
    """Say which rule withholds the whole group, None where none does."""
    few = [name for name, k in disclosure.entities.items() if group.entities[name] < k]
    return f"threshold: {', '.join(few)}" if few else None


def figure_fault(group: Group, figure: Figure, aggregate: Aggregate, disclosure: Disclosure) -> str | None:
    """Say which rule withholds this figure of a group, None where none does."""
    for name, k in disclosure.entities.items():
        if figure.support[name] < k:
            return f"support: {name}"
        beyond = (group.entities[name] - figure.support[name], figure.outside[name])
        if aggregate.filter and any(0 < n < k for n in beyond):
            return f"complement: {name}"
    return f"dominance: {', '.join(figure.dominated)}" if figure.dominated else None


def effect_fault(effects: Sequence[Mapping[str, int]], disclosure: Disclosure) -> str | None:
    """Say that a condition sets too few entities apart; each effect counts entities by type."""
    thresholds = disclosure.entities
    few = any(0 < found < thresholds[name] for effect in effects for name, found in effect.items())
    return "low effect of a condition" if few else None


def is_dominated(contributions: Contributions, rule: Dominance) -> bool:
    """Apply the p% rule and the (n, k) rule. An amount that is no finite number dominates whatever it is added to."""
    total, largest = contributions.total, contributions.largest
    if not math.isfinite(total):
        return True
    remainder = total - sum(largest[:2])
    return bool(largest) and (remainder < rule.p * largest[0] or sum(largest[: rule.top]) > rule.share * total)


def is_spread(total: float, added: float, at_most: Sequence[float], rule: Dominance) -> bool:
    """Say that a sum is certainly not dominated; false where only its exact contributions can tell.

    X is the sum of what each entity adds, by amount, x1 >= x2 >= ... are the largest of these. `total` is the absolute
    value of the sum itself, L; `at_most` has for each of the largest a bound u1 >= u2 >= ... that it does not pass.

    L <= X by the triangle inequality, whatever the signs, and x1 <= u1, x2 <= u2, ... So
        X - x1 - x2 - p * x1 >= L - u1 - u2 - p * u1, and x1 + ... + xn <= u1 + ... + un, share * L <= share * X:
    wherever the bounds hold a rule, the amounts themselves hold it. Where they do not, nothing is said; so an error is
    only ever one towards looking exactly. What is infinite or no number holds no comparison, and is looked at.

    `added` is the sum of the absolute values that L was made of; L counts for less by the rounding errors of adding
    these up, so that no bound holds by rounding alone.
    """
    low = total - ROUNDING * added
    return low >= spread_from(at_most, rule)


def spread_from(at_most: Sequence[float], rule: Dominance) -> float:
    """Return how large a sum must be for `is_spread` to be certain, given the same bounds."""
    first, firsts, tops = sum(at_most[:1]), sum(at_most[:2]), sum(at_most[: rule.top])
    return max(firsts + rule.p * first, tops / rule.share)
