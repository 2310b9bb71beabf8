"""What planning yields, and the little it must be told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from portal.ids import DatasetName
from portal.policy.model import Disclosure
from portal.sql.blocks import Block

ParameterValue = str | int | float | bool | date | datetime | None


@dataclass(frozen=True, slots=True)
class Statement:
    """What a researcher asks: SQL text with `$name` parameters, and their values."""

    text: str
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TableSchema:
    """A table as the statement may see it: column names, in order, with DuckDB type names."""

    name: DatasetName
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Protected:
    """A dataset that is open for statistics only: its whole schema, and the rules under which it answers."""

    schema: TableSchema
    disclosure: Disclosure


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """One column of a dataset that the statement reads."""

    dataset: DatasetName
    column: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement that may run: regenerated text (never the researcher's), what it reads and what it must be given.

    `columns` holds every dataset column that is read, so that errata can follow the data. The text reads the released
    relation of each of the `blocks`, and never the dataset that a block is about. `parameters` are those that the
    statement takes, and `open_parameters` those of them that still stand in `sql`: the values of the others are in the
    blocks. `repeatable` is true where the same data gives the same answer at any time.
    """

    sql: str
    datasets: tuple[DatasetName, ...]
    columns: frozenset[ColumnUse]
    parameters: tuple[str, ...]
    open_parameters: tuple[str, ...]
    blocks: tuple[Block, ...] = ()
    repeatable: bool = False


class StatementParser(Protocol):
    """DuckDB's own reading of a statement, in an instance that holds nothing; it parses and never binds or runs."""

    def serialise(self, sql: str) -> Mapping[str, Any]:
        """Return `json_serialize_sql` of the text; its `error` key is true where DuckDB cannot parse it."""
        ...

    def normalise(self, sql: str) -> str | None:
        """Return the text as DuckDB itself would write it, or None where it cannot."""
        ...
