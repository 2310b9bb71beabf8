"""Groups and figures as they were computed, exact and inside; and the rules that each must hold to leave.

Thresholds and dominance after ACRO and the ESSNet handbook on statistical disclosure control.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from portal.policy.model import Disclosure, Dominance
from portal.sql.blocks import Aggregate, Block

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Contributions:
    """What each entity adds to a sum, by amount: all together, and the largest, falling."""

    total: float
    largest: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One aggregate of one group. Mappings are by entity.

    `rows` counts the rows that have a value, `value` is the sum or the number of distinct values. `support` counts
    the entities with such a row, `outside` those with a row that the aggregate's own filter leaves out.
    """

    rows: int
    value: float | None
    support: Mapping[str, int]
    outside: Mapping[str, int]
    contributions: Mapping[str, Contributions]


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its key, its distinct entities, and a figure for each aggregate of the block."""

    key: Key
    entities: Mapping[str, int]
    figures: tuple[Figure, ...]


def read_groups(answer: pa.Table, block: Block, disclosure: Disclosure) -> tuple[Group, ...]:
    """Read what `cells_query` yields."""
    names = dict(enumerate(disclosure.entities))
    return tuple(
        Group(
            key=key_of(row, block),
            entities={name: row[f"n_{e}"] for e, name in names.items()},
            figures=tuple(_figure(row, j, each, names) for j, each in enumerate(block.aggregates)),
        )
        for row in answer.to_pylist()
    )


def key_of(row: Mapping[str, Any], block: Block) -> Key:
    """Return a group's key from a row of any compiled query."""
    return tuple(row[f"k{i}"] for i in range(len(block.groupings)))


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
    if aggregate.function in ("sum", "avg"):
        heavy = [name for name, each in figure.contributions.items() if is_dominated(each, disclosure.dominance)]
        return f"dominance: {', '.join(heavy)}" if heavy else None
    return None


def effect_fault(effects: Mapping[str, int], disclosure: Disclosure) -> str | None:
    """Say that a condition sets too few entities apart, from what `effects_query` yields."""
    thresholds = list(disclosure.entities.values())
    few = [name for name, n in effects.items() if 0 < n < thresholds[int(name.rpartition("_")[2])]]
    return "low effect of a condition" if few else None


def is_dominated(contributions: Contributions, rule: Dominance) -> bool:
    """Apply the p% rule and the (n, k) rule."""
    total, largest = contributions.total, contributions.largest
    remainder = total - sum(largest[:2])
    return bool(largest) and (remainder < rule.p * largest[0] or sum(largest[: rule.top]) > rule.share * total)


def _figure(row: Mapping[str, Any], j: int, aggregate: Aggregate, names: Mapping[int, str]) -> Figure:
    return Figure(
        rows=row[f"m{j}"],
        value=row.get(f"v{j}"),
        support={name: row[f"s{j}_{e}"] for e, name in names.items()},
        outside={name: row[f"o{j}_{e}"] for e, name in names.items()},
        contributions=dict(_contributions(row, j, names)) if aggregate.function in ("sum", "avg") else {},
    )


def _contributions(row: Mapping[str, Any], j: int, names: Mapping[int, str]) -> Iterator[tuple[str, Contributions]]:
    for e, name in names.items():
        yield name, Contributions(row[f"x{j}_{e}"] or 0.0, tuple(row[f"t{j}_{e}"] or ()))
