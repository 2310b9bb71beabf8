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

Trace = Literal["email", "phone", "iban", "free_text"]
"""What a text may hold by mistake that leads to a person."""

_TIMES: tuple[ColumnType, ...] = ("DATE", "TIMESTAMP")
_NUMBERS: tuple[ColumnType, ...] = ("INTEGER", "BIGINT", "DOUBLE")
_TEXTS: tuple[ColumnType, ...] = ("VARCHAR",)
_MADE_BY_STEP: Mapping[str, tuple[ColumnType, ...]] = {
    "truncate": _TIMES,
    "round": _NUMBERS,
    "top_code": _NUMBERS,
    "bottom_code": _NUMBERS,
    "noise": _NUMBERS,
    "band": _TEXTS,
    "map": _TEXTS,
    "generalise": _TEXTS,
    "redact": _TEXTS,
    "pseudonymise": _TEXTS,
    "rare": _TEXTS,
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
    admits: dict[Trace, Annotated[str, StringConstraints(min_length=20)]] = Field(
        default_factory=dict,
        description="What the texts of this column may hold that otherwise stops a release, each with the reason why.",
    )


class Generalisation(Content):
    """A value becomes what stands at a level above it in a hierarchy; level 1 is the first above the value itself."""

    by: Identifier
    level: int = Field(1, ge=1)


class RareValues(Content):
    """Values of fewer than `below` different `of` (rows, where left out) become `into`.

    Where all of those together are still fewer, they become NULL.
    """

    below: int = Field(ge=2)
    of: Identifier | None = None
    into: str = "other"


class Noise(Content):
    """Laplace noise of this scale, drawn from the platform's key and the text of the source's column `by`.

    The same row gets the same noise in every release, so that no average over releases removes it; `by` must tell
    rows apart. C. Dwork et al., Calibrating Noise to Sensitivity in Private Data Analysis, TCC 2006: a scale of
    sensitivity / epsilon hides one change of that sensitivity. No budget over columns or rows is kept.
    """

    scale: float = Field(gt=0)
    by: str


class Derivation(Content):
    """How one published column comes from the source. Steps apply in the order of the fields.

    `source` is the source's column name; left out, the column's own name. `derive` is a DuckDB expression over
    source columns and replaces `source`; in a source of CSV or JSON each of these is text. `suppress` leaves nothing
    of the value, `truncate` is to the first day of the grid, `top_code` and `bottom_code` are the greatest and least
    number that is told, `round` is to multiples, `band` to the label of the half-open interval between the given
    edges, `map` by value (what is not named becomes `other`), `generalise` by a hierarchy of the recipe. `redact`
    replaces what looks like an e-mail address, a telephone number or an IBAN by `[removed]`, and `pseudonymise` is to
    the HMAC-SHA256 under the platform's key. The result is cast to the codebook's type. `rare` comes last, when all
    sources are read.
    """

    source: str | None = Field(None, alias="from")
    derive: str | None = None
    constant: str | None = None
    suppress: bool = False
    truncate: Grid | None = None
    noise: Noise | None = None
    top_code: float | None = None
    bottom_code: float | None = None
    round: float | None = Field(None, gt=0)
    band: tuple[float, ...] | None = Field(None, min_length=1)
    map: dict[str, str] | None = Field(None, min_length=1)
    generalise: Generalisation | None = None
    redact: bool = False
    pseudonymise: bool = False
    rare: RareValues | None = None

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


class Database(Content):
    """What is read where a source is a database: a table (or `schema.table`), or the answer to one query."""

    table: str | None = None
    query: str | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "Database":
        if (self.table is None) == (self.query is None):
            raise ValueError("give either table or query")
        return self


class Recipe(Content):
    """How source files become the published table."""

    database: Database | None = None
    hierarchies: dict[Identifier, dict[str, tuple[str, ...]]] = Field(
        default_factory=dict, description="For each value of a column what stands above it, level by level."
    )
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

    def reaches(self, generalisation: Generalisation) -> bool:
        """Whether the hierarchy is there, and every value of it has something at that level."""
        hierarchy = self.hierarchies.get(generalisation.by, {})
        return bool(hierarchy) and all(len(above) >= generalisation.level for above in hierarchy.values())


class Layout(Content):
    """How releases lie on disk: partitioned by a date's month (or not), sorted within each file."""

    sort: tuple[Identifier, ...] = ()
    partition: dict[Identifier, Literal["month", "year"]] = Field(default_factory=dict, max_length=1)


class Retention(Content):
    """How long releases are kept: all of the newest `releases`, and every other until it is so many `days` old.

    The newest release is never retired.
    """

    releases: int = Field(1, ge=1)
    days: int = Field(0, ge=0)


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
    unique: tuple[Identifier, ...] = Field((), description="Columns that together tell each row from every other.")
    legal_basis: tuple[str, ...]
    provenance: Provenance
    columns: dict[Identifier, Column] = Field(min_length=1)
    recipe: Recipe = Recipe()
    layout: Layout = Layout()
    retention: Retention | None = Field(None, description="Left out: every release is kept.")
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
            "unique": self.unique,
            "layout.sort": self.layout.sort,
            "layout.partition": tuple(self.layout.partition),
            "recipe.columns": tuple(self.recipe.columns),
            **{f"recipe.shapes.{name}": tuple(shape.columns) for name, shape in self.recipe.shapes.items()},
            **{f"errata.{erratum.id}": erratum.columns for erratum in self.errata},
            **{
                f"{place}.{column}.rare": (derivation.rare.of,)
                for place, column, derivation in self.recipe.derivations
                if derivation.rare and derivation.rare.of
            },
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
            if getattr(derivation, step) not in (None, False) and self.columns[column].type not in types
        ]
        misfits += [
            f"{place}: {column} has noise, which its `anonymisation` must tell researchers"
            for place, column, derivation in self.recipe.derivations
            if derivation.noise and not self.columns[column].anonymisation
        ]
        misfits += [
            f"{place}: {column}: no hierarchy {derivation.generalise.by!r} has a level {derivation.generalise.level}"
            for place, column, derivation in self.recipe.derivations
            if derivation.generalise and not self.recipe.reaches(derivation.generalise)
        ]
        misfits += [
            f"{place}: {column}: {derivation.rare.into!r} is no value of the codebook"
            for place, column, derivation in self.recipe.derivations
            if derivation.rare and derivation.rare.into not in (self.columns[column].values or [derivation.rare.into])
        ]
        misfits += [
            f"layout.partition: {column} is no DATE or TIMESTAMP"
            for column in self.layout.partition
            if self.columns[column].type not in _TIMES
        ]
        if misfits:
            raise ValueError("; ".join(misfits))
        return self
