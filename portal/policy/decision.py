"""The answer to "may this person, for this project, use this dataset, and how?": never a bare boolean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from portal.ids import DatasetName, Fingerprint
from portal.policy.masks import quote
from portal.policy.model import Access, Disclosure, Download, Limits, Obligation


@dataclass(frozen=True, slots=True)
class DayBound:
    """A first (`>=`) or last (`<=`) day that a date column may have."""

    column: str
    comparison: Literal[">=", "<="]
    day: date

    @property
    def predicate(self) -> str:
        """The bound as a DuckDB predicate."""
        return f"(CAST({quote(self.column)} AS DATE) {self.comparison} DATE '{self.day}') IS TRUE"

    def holds_for(self, minimum: date, maximum: date) -> bool | None:
        """Say whether every day (true), or no day (false), of the closed range keeps the bound; None where some do."""
        whole, part = (minimum, maximum) if self.comparison == ">=" else (maximum, minimum)
        if self._keeps(whole):
            return True
        return None if self._keeps(part) else False

    def _keeps(self, day: date) -> bool:
        return day >= self.day if self.comparison == ">=" else day <= self.day


@dataclass(frozen=True, slots=True)
class RowRule:
    """A constant DuckDB predicate that every row must satisfy, and what it means in words.

    `bound` says the same as the predicate where the rule is a bound on days, so that whole files can be judged by it.
    """

    predicate: str
    words: str
    bound: DayBound | None = None


@dataclass(frozen=True, slots=True)
class Obligations:
    """What must be done before anything leaves: the whole of policy and grant, with the project's values filled in.

    `columns` names every column of the dataset. `fingerprint` is of the policy file as it stood.
    """

    access: Access
    columns: Mapping[str, Obligation]
    rows: tuple[RowRule, ...]
    download: Download | None
    limits: Limits
    disclosure: Disclosure | None
    policy: Fingerprint


@dataclass(frozen=True, slots=True)
class Permit:
    """Yes, under these obligations, until this day (included), for these reasons.

    `next_steps` say what would open more than this.
    """

    dataset: DatasetName
    obligations: Obligations
    reasons: tuple[str, ...]
    until: date | None = None
    next_steps: tuple[str, ...] = ()

    @property
    def access(self) -> Access:
        """How far access goes."""
        return self.obligations.access


@dataclass(frozen=True, slots=True)
class Deny:
    """No, for these reasons; and what would change the answer."""

    dataset: DatasetName
    reasons: tuple[str, ...]
    next_steps: tuple[str, ...] = field(default=())

    @property
    def access(self) -> Access:
        """None."""
        return Access.NONE


Decision = Permit | Deny
