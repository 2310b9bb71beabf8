"""The facts about people, projects and grants that a decision rests on."""

from dataclasses import dataclass, field
from datetime import date, datetime

from portal.ids import DatasetName, PersonId, ProjectId
from portal.policy.model import Tier


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in. `active` false: no longer admitted."""

    id: PersonId
    name: str
    tier: Tier
    active: bool = True


@dataclass(frozen=True, slots=True)
class Project:
    """A research project, from one reasoned request (Art. 40(4)) or one registration (Art. 40(12))."""

    id: ProjectId
    title: str
    purpose: str
    starts: date
    ends: date
    members: frozenset[PersonId] = frozenset()
    member_states: tuple[str, ...] = ()
    undertakings: frozenset[str] = frozenset()
    reasoned_request: str | None = None


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a grant takes away from what the policy allows; it can only take away.

    `hidden` columns read NULL; `rows` is one more predicate that must hold; `since` and `until` bound the dataset's
    date column, both days included.
    """

    hidden: frozenset[str] = frozenset()
    rows: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """Dataset x project, with dates and narrowings. `revoked_at` set: over, whatever the dates say."""

    dataset: DatasetName
    project: ProjectId
    starts: date
    ends: date
    narrowing: Narrowing = field(default_factory=Narrowing)
    revoked_at: datetime | None = None

    def is_active(self, today: date) -> bool:
        """Whether the grant holds on that day; first and last day included."""
        return self.revoked_at is None and self.starts <= today <= self.ends
