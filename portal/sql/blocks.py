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
    """One condition on a dimension; a row for which it is unknown does not meet it. Bounds stand on the grid."""

    column: str
    op: Literal["=", "in", ">=", "<", "is null"]
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """One key of the groups. `name` is the column of the released relation; `grid` stands with `trunc` only."""

    name: str
    column: str
    kind: Literal["value", "trunc", "year"]
    grid: str | None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One figure for each group. `name` is the column of the released relation."""

    name: str
    function: Literal["count_rows", "count", "count_distinct", "sum", "avg"]
    column: str | None
    filter: tuple[Atom, ...]


@dataclass(frozen=True, slots=True)
class PublicJoin:
    """An inner join of a dimension with the key of a public table."""

    own: str
    dataset: DatasetName
    column: str


@dataclass(frozen=True, slots=True)
class Block:
    """One SELECT over an aggregate-only dataset. A column of a public table is written `dataset.column`.

    `relation` names the released cells in the regenerated statement; `line` and `column` are where the block begins in
    the researcher's text.
    """

    relation: str
    dataset: DatasetName
    groupings: tuple[Grouping, ...]
    aggregates: tuple[Aggregate, ...]
    atoms: tuple[Atom, ...]
    joins: tuple[PublicJoin, ...]
    line: int
    column: int
