"""The content of `access_policies/<name>.yaml`, as typed values."""

from enum import IntEnum, StrEnum
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    PlainSerializer,
    StringConstraints,
    Tag,
    model_validator,
)

from portal.catalogue.dataset import IDENTIFIER, Grid, Identifier
from portal.content import Content


class Tier(StrEnum):
    """What a person is. Researchers first, then staff."""

    PUBLIC = "public"
    REGISTERED = "registered"
    VETTED = "vetted"
    STEWARD = "steward"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"


class Access(IntEnum):
    """How far access goes; ordered, each level includes those below it."""

    NONE = 0
    CODEBOOK = 1
    AGGREGATES = 2
    ROWS = 3

    @classmethod
    def named(cls, name: object) -> object:
        """Read the level from its lower-case name, as YAML writes it."""
        return cls[name.upper()] if isinstance(name, str) and name.upper() in cls.__members__ else name

    @property
    def word(self) -> str:
        """The level's lower-case name."""
        return self.name.lower()


AccessLevel = Annotated[Access, BeforeValidator(Access.named), PlainSerializer(lambda level: level.word)]

Scalar = str | int | float | bool | None


class Obligation(Content):
    """What happens to one column's values before a researcher's SQL exists. Exactly one is set.

    `hide`: the column is there, every value is NULL. `pseudonym`: HMAC-SHA256 under the project's key. `truncate`:
    the date's first day of the grid. `band`: the label of the half-open interval between the given edges. `round`: to
    the nearest multiple. `top_code`: values above become it. `map`: listed values become their group, others
    `other`. `constant`: one value for all.
    """

    show: Literal[True] | None = None
    hide: Literal[True] | None = None
    pseudonym: Literal[True] | None = None
    truncate: Grid | None = None
    band: tuple[float, ...] | None = Field(None, min_length=1)
    round: Annotated[float, Field(gt=0)] | None = None
    top_code: float | None = None
    map: dict[str, str] | None = None
    constant: Scalar = None

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: object) -> object:
        return {value: True} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _exactly_one(self) -> "Obligation":
        if len(self.model_fields_set) != 1:
            raise ValueError("give exactly one obligation")
        if self.band is not None and list(self.band) != sorted(set(self.band)):
            raise ValueError("band edges must rise")
        return self

    @property
    def kind(self) -> str:
        """The name of the obligation that is set."""
        return next(iter(self.model_fields_set))


class Embargo(Content):
    """Rows younger than so many days are not there yet."""

    column: Identifier
    days: int = Field(ge=0)


class Download(Content):
    """The right to take a file away."""

    formats: tuple[Literal["parquet", "csv", "arrow"], ...] = ("parquet", "csv")
    max_rows: int = Field(1_000_000, gt=0)
    review: Literal["none", "automatic", "manual"] = "none"


class Limits(Content):
    """What one statement, and one week of a project, may use."""

    rows_per_week: int = Field(5_000_000, gt=0)
    seconds: float = Field(60, gt=0)
    memory: str = Field("2GB", pattern=r"^[1-9][0-9]*(MB|GB)$")
    result_rows: int = Field(1_000_000, gt=0)

    @property
    def memory_bytes(self) -> int:
        """The memory limit in bytes."""
        number, unit = int(self.memory[:-2]), self.memory[-2:]
        return number * {"MB": 10**6, "GB": 10**9}[unit]


def is_round_step(number: int) -> bool:
    """Whether a number is 1, 2 or 5 times a power of ten."""
    return number > 0 and str(number).rstrip("0") in ("1", "2", "5")


def _round_step(number: int) -> int:
    if not is_round_step(number):
        raise ValueError("a step is 1, 2 or 5 times a power of ten")
    return number


Step = Annotated[int, Field(strict=True, ge=1, le=10**12), AfterValidator(_round_step)]
"""The width of a grid of numbers. Whole, so that `floor(x / step) * step` is exact for a DOUBLE as well, where it is
below 2**53 in size and not next to nothing."""
_Range = Annotated[
    Annotated[Grid, Tag("period")] | Annotated[Step, Tag("step")],
    Discriminator(lambda value: "period" if isinstance(value, str) else "step"),
]


class DimensionUse(Content):
    """How a dimension may be grouped and filtered. Exactly one is set.

    `equal`: by its values. `range`: by whole periods of dates or whole steps of numbers, with bounds on this grid.
    `prefix`: by its first so many characters, or by fewer.
    """

    equal: Literal[True] | None = None
    range: _Range | None = None
    prefix: Annotated[int, Field(strict=True, ge=1, le=64)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: object) -> object:
        return {value: True} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _exactly_one(self) -> "DimensionUse":
        if len(self.model_fields_set) != 1 or (self.equal or self.range or self.prefix) is None:
            raise ValueError("give one of: equal; range with a period or a step; prefix with a number of characters")
        return self

    @property
    def period(self) -> Grid | None:
        """The grid of dates, if this is its use."""
        return self.range if isinstance(self.range, str) else None

    @property
    def step(self) -> int | None:
        """The grid of numbers, if this is its use."""
        return self.range if isinstance(self.range, int) else None


class MeasureUse(Content):
    """How a measure may leave: summed and averaged, sums rounded to this."""

    round: float = Field(gt=0)


class Dominance(Content):
    """The p% rule and the (n, k) rule of statistical disclosure control, with the ACRO defaults.

    A sum is withheld when what remains beyond the two largest contributors is below `p` of the largest, or when the
    `top` largest hold more than `share` of it.
    """

    p: float = Field(0.10, gt=0, lt=1)
    top: int = Field(2, ge=1)
    share: float = Field(0.90, gt=0, le=1)


class History(Content):
    """Which released cells are held against a new one."""

    scope: Literal["project"] = "project"
    pairwise: bool = True
    span: bool = True

    @property
    def is_kept(self) -> bool:
        """Whether there is anything to hold a cell against."""
        return self.pairwise or self.span


JoinTarget = Annotated[str, StringConstraints(pattern=rf"{IDENTIFIER[:-1]}\.{IDENTIFIER[1:]}")]
"""`dataset.column`."""


class Disclosure(Content):
    """The rules of aggregate access. A column named in none of the classes is hidden."""

    entities: dict[Identifier, Annotated[int, Field(ge=2)]] = Field(min_length=1)
    dimensions: dict[Identifier, DimensionUse] = Field(default_factory=dict)
    measures: dict[Identifier, MeasureUse] = Field(default_factory=dict)
    dominance: Dominance = Dominance()
    round_counts_to: int = Field(5, ge=1)
    public_joins: dict[Identifier, JoinTarget] = Field(
        default_factory=dict, description="Own dimension, by its values: `dataset.column` of a public table."
    )
    entity_joins: dict[Identifier, JoinTarget] = Field(
        default_factory=dict,
        description="Own entity: `dataset.column` of another protected dataset, whose policy must say the same back.",
    )
    history: History = History()

    @model_validator(mode="after")
    def _one_class_each(self) -> "Disclosure":
        names = [*self.entities, *self.dimensions, *self.measures]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"a column belongs to one class only: {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _joins_by_what_is_seen(self) -> "Disclosure":
        """A join tells the values of its key apart, so that a coarser grid would be undone by it."""
        uses = {name: self.dimensions.get(name) for name in self.public_joins}
        unfit = [name for name, use in uses.items() if use is None or not (use.equal or use.range == "day")]
        if unfit:
            raise ValueError(f"public_joins: {', '.join(unfit)} must be a dimension that is used by equal values")
        unfit = [name for name in self.entity_joins if name not in self.entities]
        if unfit:
            raise ValueError(f"entity_joins: {', '.join(unfit)} must be an entity")
        return self


class Audience(Content):
    """For whom a rule is."""

    tier: Tier
    grant: Literal["required", "none"] = "none"
    undertakings: tuple[str, ...] = ()


class Rule(Content):
    """One rule of a policy."""

    audience: Audience = Field(alias="for")
    access: AccessLevel
    rows: str | None = Field(None, description="A predicate over the dataset's columns and project.* values.")
    columns: dict[Identifier, Obligation] = Field(default_factory=dict)
    embargo: Embargo | None = None
    retention: Identifier | None = Field(
        None, description="A column with the last day on which a row may be shown; a row without that day is not shown."
    )
    download: Download | None = Field(None, description="Left out: nothing may be downloaded.")
    limits: Limits = Limits()
    disclosure: Disclosure | None = None
    because: str = Field(min_length=20)

    @model_validator(mode="after")
    def _disclosure_with_aggregates(self) -> "Rule":
        if (self.access is Access.AGGREGATES) != (self.disclosure is not None):
            raise ValueError("disclosure stands exactly where access is aggregates")
        return self


class Policy(Content):
    """The rules of one dataset, in order: the first whose audience fits decides; none fits = denied."""

    dataset: Identifier
    legal_basis: str
    rules: tuple[Rule, ...] = Field(min_length=1)
