"""The closed grammar of what may be asked of a dataset that no one sees row by row.

A block is one SELECT over such a dataset, read from a statement and written here as plain values: nothing of the
researcher's text is left in it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from portal.ids import DatasetName

Value = str | int | float | bool | date | datetime


@dataclass(frozen=True, slots=True)
class Atom:
    """One condition on a dimension; a row for which it is unknown does not meet it. Bounds stand on the grid.

    With `prefix`, the column's first so many characters are meant. `<=` and `>` stand with columns of public tables
    only, whose bounds may stand anywhere.
    """

    column: str
    op: Literal["=", "in", ">=", "<", "<=", ">", "is null"]
    values: tuple[Value, ...]
    prefix: int | None = None


@dataclass(frozen=True, slots=True)
class Grouping:
    """One key of the groups. `name` is the column of the released relation.

    `grid` is a period for `trunc`, the K of `floor(x / K) * K` for `step`, a number of characters for `prefix`; None
    for `value` and `year`.
    """

    name: str
    column: str
    kind: Literal["value", "trunc", "year", "step", "prefix"]
    grid: str | int | None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One figure for each group. `name` is the column of the released relation."""

    name: str
    function: Literal["count_rows", "count", "count_distinct", "sum", "avg"]
    column: str | None
    filter: tuple[Atom, ...]


@dataclass(frozen=True, slots=True)
class PublicJoin:
    """An inner join of a dimension, by its values, with the key of a public table."""

    own: str
    dataset: DatasetName
    column: str


@dataclass(frozen=True, slots=True)
class EntityJoin:
    """An inner join of an entity with the same entity of a second protected dataset, which both policies declare."""

    own: str
    dataset: DatasetName
    column: str


@dataclass(frozen=True, slots=True)
class Block:
    """One SELECT over an aggregate-only dataset, or over two that share an entity.

    A column of a public table, or of the second protected dataset, is written `dataset.column`. `relation` names the
    released cells in the regenerated statement; `line` and `column` are where the block begins in the researcher's
    text. `remainder`, where it is asked for, names the column that tells one row over all withheld groups from the rows
    of the others.

    A join is a condition, since a row without a partner is dropped, and must be held like an atom against low effect:
    for each entity, those with rows that meet every condition but the join itself and the atoms on the joined table's
    columns, and that find no partner in it, are none or at least k. For an `entity_join` this holds on either side,
    with each side's own thresholds.
    """

    relation: str
    dataset: DatasetName
    groupings: tuple[Grouping, ...]
    aggregates: tuple[Aggregate, ...]
    atoms: tuple[Atom, ...]
    joins: tuple[PublicJoin, ...]
    line: int
    column: int
    entity_join: EntityJoin | None = None
    remainder: str | None = None
