"""The risk report of a release: what was measured, in a form that is kept beside the manifest as JSON."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field

from portal.catalogue.dataset import Identifier
from portal.catalogue.risk import Risk
from portal.content import Content
from portal.publishing.risk.classes import MISSING

ROWS = "row"
"""What classes count where a dataset has no entity."""


class SizeCount(Content):
    """How many classes have this many units, and the rows in them."""

    units: int
    classes: int
    rows: int


class NamedClass(Content):
    """One equivalence class: what its rows have in common, generalised, and how many units and rows it has."""

    values: dict[str, str]
    units: int
    rows: int

    def __str__(self) -> str:
        known = ", ".join(f"{name} = {value}" for name, value in self.values.items() if value != MISSING)
        unknown = ", ".join(name for name, value in self.values.items() if value == MISSING)
        return "; ".join(part for part in (known, unknown and f"{MISSING}: {unknown}") if part)


class SensitiveColumn(Content):
    """What the classes tell of one sensitive column, and which class is worst in l and in t."""

    ordered: bool = Field(description="Whether t is by the values' order, else each two are equally far apart.")
    values: int
    distinct_l: int
    entropy_l: float
    recursive_c: float | None = Field(description="(c,l)-diverse for every c above this, with l = distinct_l.")
    t: float
    poorest: NamedClass
    furthest: NamedClass


class Attacker(Content):
    """Probabilities that an attacker finds somebody again."""

    highest: float
    average: float
    above_threshold: float = Field(description="The share of units whose risk is above `highest_risk`.")


class ColumnLoss(Content):
    """What is lost of one source column: bits a row before and lost, and how many rows were emptied."""

    source_column: str
    column: str
    rows: int
    bits: float
    bits_lost: float
    emptied: int

    @property
    def share(self) -> float:
        """The lost share of the column's information."""
        return self.bits_lost / self.bits if self.bits else 0.0


class RiskReport(Content):
    """`risk.json`. It names classes, and so is a steward's; researchers are given `in_words` alone."""

    dataset: Identifier
    release: int
    created_at: datetime
    synthetic: bool
    unit: str
    rows: int
    rejected_rows: int
    quasi_identifiers: tuple[str, ...]
    k: int
    classes: int
    units: int = Field(description="The classes' units together; an entity is one in each class that has rows of it.")
    alone: int = Field(description="Entities (or rows) that are in some class the only one.")
    sizes: tuple[SizeCount, ...]
    smallest: tuple[NamedClass, ...]
    sensitive: dict[str, SensitiveColumn]
    prosecutor: Attacker
    journalist: Attacker
    marketer: float
    pseudonymised: tuple[str, ...]
    dropped: tuple[str, ...]
    losses: tuple[ColumnLoss, ...]
    declared: Risk | None

    @property
    def unique_share(self) -> float:
        """The share of units that are alone in their class."""
        return sum(size.classes for size in self.sizes if size.units == 1) / self.units if self.units else 0.0

    @property
    def measured(self) -> Mapping[str, float]:
        """The figures that thresholds are held against, by the name of the threshold in `dataset.yaml`."""
        columns = self.sensitive.values()
        return {
            "k": self.k,
            "l": min((column.entropy_l for column in columns), default=1),
            "t": max((column.t for column in columns), default=0),
            "highest_risk": self.journalist.highest,
            "average_risk": self.marketer,
        }

    def in_words(self) -> tuple[str, ...]:
        """Return what anyone may know who may know of the dataset: no class, no value, no exact count."""
        if not self.quasi_identifiers:
            said = "The codebook names no column by which somebody could be found through other knowledge."
            return (said, *self._because)
        if not self.units:
            return ("The release has no rows.",)
        sentences = [
            f"The columns {', '.join(self.quasi_identifiers)} could, as published, be known to somebody else.",
            f"Each of their combinations is shared by at least {self.k:,} (k-anonymity, counted in {self.unit}).",
            f"{self.unique_share:.0%} are alone with their combination.",
            f"Somebody who knows all of them about everyone would find {self.marketer:.0%} again.",
        ]
        return (*sentences, *self._because)

    @property
    def _because(self) -> tuple[str, ...]:
        return (self.declared.because,) if self.declared else ()
