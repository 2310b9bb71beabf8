"""An exploration: what is asked of one dataset without writing SQL."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from portal.catalogue.dataset import Grid

GRIDS: tuple[Grid, ...] = get_args(Grid)
Aggregate = Literal["count", "sum", "avg", "distinct"]
AGGREGATES: tuple[Aggregate, ...] = get_args(Aggregate)
View = Literal["summary", "rows"]
Bound = date | int | float


@dataclass(frozen=True, slots=True)
class OneOf:
    """The column has one of these values, each written as text; a list column has at least one of them."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """The column lies between two bounds, both included, days as a whole; None leaves that side open."""

    low: Bound | None = None
    high: Bound | None = None


@dataclass(frozen=True, slots=True)
class Is:
    """The column is true, or false."""

    value: bool


Condition = OneOf | Between | Is


@dataclass(frozen=True, slots=True)
class Group:
    """A column to group by; a column of time is cut to a grid."""

    column: str
    grid: Grid | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """What is worked out for each group. `count` counts rows and takes no column."""

    aggregate: Aggregate = "count"
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Exploration:
    """A whole question: which rows, in which groups, measured how; or the rows themselves."""

    dataset: str
    where: tuple[tuple[str, Condition], ...] = ()
    groups: tuple[Group, ...] = ()
    measure: Measure = Measure()
    view: View = "summary"

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the question names."""
        measured = (self.measure.column,) if self.measure.column else ()
        return (*(column for column, _ in self.where), *(group.column for group in self.groups), *measured)
