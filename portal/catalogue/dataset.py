"""A dataset: one table, its codebook, the recipe that anonymises it and how it is laid out on disk."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from portal.catalogue.period import Period
from portal.catalogue.risk import Risk
from portal.content import Content
from portal.ids import DatasetName

IDENTIFIER = r"^[a-z][a-z0-9_]{0,62}$"
Identifier = Annotated[str, StringConstraints(pattern=IDENTIFIER)]
"""A dataset, column or parameter name: lower-case snake case, at most 63 characters."""

ColumnType = Literal["VARCHAR", "BOOLEAN", "INTEGER", "BIGINT", "DOUBLE", "DATE", "TIMESTAMP", "VARCHAR[]"]
Grid = Literal["day", "week", "month", "quarter", "year"]
COARSENESS: tuple[Grid | None, ...] = (None, "day", "week", "month", "quarter", "year")
"""Grids of dates, from the finest."""

_TIMES: tuple[ColumnType, ...] = ("DATE", "TIMESTAMP")
_MADE_BY_STEP: Mapping[str, tuple[ColumnType, ...]] = {
    "truncate": _TIMES,
    "band": ("VARCHAR",),
    "pseudonymise": ("VARCHAR",),
}


class Role(StrEnum):
    """What a column can do to a person: the four sensitivity classes of the codebook."""

    IDENTIFIER = "identifier"
    QUASI_IDENTIFIER = "quasi_identifier"
    SENSITIVE = "sensitive"
    PLAIN = "plain"


class Column(Content):
    """One line of the codebook."""

    type: ColumnType
    meaning: str
    role: Role = Role.PLAIN
    unit: str | None = None
    values: dict[str, str] | None = Field(None, description="Every admitted value and its label.")
    legal_basis: str | None = None
    since: date | None = None
    until: date | None = None
    anonymisation: str | None = Field(None, description="In words: what publication did to this column.")


class Derivation(Content):
    """How one published column comes from the source. Steps apply in the order of the fields.

    `source` is the source's column name; left out, the column's own name. `derive` is a DuckDB expression over
    source columns and replaces `source`; in a source of CSV or JSON each of these is text. `truncate` is to the first
    day of the grid, `band` to the label of the half-open interval between the given edges, and `pseudonymise` to the
    HMAC-SHA256 under the platform's key. The result is cast to the codebook's type.
    """

    source: str | None = Field(None, alias="from")
    derive: str | None = None
    constant: str | None = None
    truncate: Grid | None = None
    band: tuple[float, ...] | None = Field(None, min_length=1)
    pseudonymise: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> "Derivation":
        if sum(origin is not None for origin in (self.source, self.derive, self.constant)) > 1:
            raise ValueError("give only one of: from, derive, constant")
        if self.band is not None and list(self.band) != sorted(set(self.band)):
            raise ValueError("band edges must rise")
        return self


class SourceShape(Content):
    """One form in which source files arrive; the first whose `requires` are all present is taken.

    Source columns that are neither used nor listed in `drop` are a fault, so that a new column is never
    published or lost unseen.
    """

    requires: tuple[str, ...] = ()
    columns: dict[Identifier, Derivation] = Field(default_factory=dict)
    drop: tuple[str, ...] = ()


class Recipe(Content):
    """How source files become the published table."""

    shapes: dict[Identifier, SourceShape] = Field(default_factory=lambda: {"as_published": SourceShape()})
    columns: dict[Identifier, Derivation] = Field(
        default_factory=dict, description="For every shape, unless the shape says otherwise."
    )
    rejected_share: float = Field(0.0, ge=0, le=1, description="More rejected rows than this share stop the release.")

    @property
    def derivations(self) -> Iterator[tuple[str, str, Derivation]]:
        """Every derivation with the place where it is stated and the column that it makes."""
        yield from (("recipe.columns", column, derivation) for column, derivation in self.columns.items())
        for name, shape in self.shapes.items():
            yield from ((f"recipe.shapes.{name}", column, derivation) for column, derivation in shape.columns.items())


class Layout(Content):
    """How releases lie on disk: partitioned by a date's month (or not), sorted within each file."""

    sort: tuple[Identifier, ...] = ()
    partition: dict[Identifier, Literal["month", "year"]] = Field(default_factory=dict, max_length=1)


class Erratum(Content):
    """A known fault in the data, shown wherever the affected column and period are touched."""

    id: Identifier
    title: str
    description: str
    columns: tuple[Identifier, ...] = ()
    since: date | None = None
    until: date | None = None
    source: str | None = None

    def concerns(self, columns: Collection[str], period: Period) -> bool:
        """Whether these columns in this period are affected; without columns all are, and without dates all time is."""
        touched = not self.columns or not set(self.columns).isdisjoint(columns)
        return touched and period.meets(Period(self.since or date.min, self.until or date.max))


class Change(Content):
    """One entry of the dataset's change log."""

    date: date
    note: str


class Provenance(Content):
    """Where the data comes from, and under what licence."""

    publisher: str
    licence: str
    url: str | None = None
    doi: str | None = None
    note: str | None = None


class Dataset(Content):
    """The content of `datasets/<name>/dataset.yaml`."""

    dataset: Identifier
    title: str
    topic: Literal["moderation", "advertising", "recommenders", "traders", "complaints", "capacity"]
    description: str
    grain: str = Field(description="What one row is.")
    entities: tuple[Identifier, ...] = Field((), description="Columns that identify a protected unit.")
    date_column: Identifier | None = Field(None, description="The column that places a row in time.")
    legal_basis: tuple[str, ...]
    provenance: Provenance
    columns: dict[Identifier, Column] = Field(min_length=1)
    recipe: Recipe = Recipe()
    layout: Layout = Layout()
    risk: Risk | None = Field(None, description="What a release may at most risk; left out: it is measured only.")
    errata: tuple[Erratum, ...] = ()
    changes: tuple[Change, ...] = ()
    citation: str

    @property
    def date_grid(self) -> Grid | None:
        """How coarse the dates are that place rows in time, after publication; None where they are whole days."""
        grids = {step.truncate for _, column, step in self.recipe.derivations if column == self.date_column}
        return max(grids, key=COARSENESS.index, default=None)

    @property
    def name(self) -> DatasetName:
        """The dataset's name, which is also its table name in SQL."""
        return DatasetName(self.dataset)

    @property
    def unit(self) -> str | None:
        """The entity that a measure of risk counts; None where it counts rows."""
        stated = self.risk.unit if self.risk else None
        return stated or next(iter(self.entities), None)

    def of_role(self, role: Role) -> tuple[str, ...]:
        """Return the columns of a role, in the codebook's order."""
        return tuple(name for name, column in self.columns.items() if column.role is role)

    @model_validator(mode="after")
    def _names_known_columns(self) -> "Dataset":
        named = {
            "entities": self.entities,
            "date_column": (self.date_column,) if self.date_column else (),
            "layout.sort": self.layout.sort,
            "layout.partition": tuple(self.layout.partition),
            "recipe.columns": tuple(self.recipe.columns),
            **{f"recipe.shapes.{name}": tuple(shape.columns) for name, shape in self.recipe.shapes.items()},
            **{f"errata.{erratum.id}": erratum.columns for erratum in self.errata},
        }
        unknown = [f"{place}: {c}" for place, columns in named.items() for c in columns if c not in self.columns]
        if unknown:
            raise ValueError(f"unknown column: {'; '.join(unknown)}")
        if self.unit is not None and self.unit not in self.entities:
            raise ValueError(f"risk.unit: {self.unit} is not among the entities")
        return self

    @model_validator(mode="after")
    def _steps_fit_their_columns(self) -> "Dataset":
        misfits = [
            f"{place}: {column} is {self.columns[column].type}, and {step} makes {' or '.join(types)}"
            for place, column, derivation in self.recipe.derivations
            for step, types in _MADE_BY_STEP.items()
            if getattr(derivation, step) and self.columns[column].type not in types
        ]
        misfits += [
            f"layout.partition: {column} is no DATE or TIMESTAMP"
            for column in self.layout.partition
            if self.columns[column].type not in _TIMES
        ]
        if misfits:
            raise ValueError("; ".join(misfits))
        return self
