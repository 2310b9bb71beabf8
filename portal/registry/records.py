"""What the registry holds beside the facts of `portal.policy.people`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from portal.errors import PortalError
from portal.ids import DownloadId, OwnQueryId, PersonId, ProjectId, ReceiptId
from portal.sql.plan import ParameterValue


@dataclass(frozen=True, slots=True)
class Audit:
    """Who changes the registry, and when. `actor` None: the portal itself."""

    actor: PersonId | None
    at: datetime


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A bearer token, without its secret, which is shown once and kept nowhere."""

    id: str
    person: PersonId
    project: ProjectId
    name: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether the token may be used at that moment."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class DownloadRecord:
    """A file that was made to leave the portal. `sha256` is of its bytes, `receipt` the receipt as JSON."""

    id: DownloadId
    person: PersonId
    project: ProjectId | None
    receipt_id: ReceiptId
    receipt: Mapping[str, Any]
    format: str
    rows: int
    bytes: int
    sha256: str
    filename: str
    path: str
    created_at: datetime
    expires_at: datetime


class SeenBy(StrEnum):
    """Who sees a kept query: its owner, all members of its project, or, once it was put away, nobody."""

    OWNER = "owner"
    PROJECT = "project"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class OwnQuery:
    """One version of a query that a researcher keeps, in the project for which it was written.

    `owner` wrote the first version, `author` this one; `origin` names what it was made from, if from anything.
    """

    id: OwnQueryId
    version: int
    owner: PersonId
    author: PersonId
    project: ProjectId | None
    seen_by: SeenBy
    title: str
    question: str
    sql: str
    parameters: Mapping[str, ParameterValue]
    origin: str | None
    at: datetime


class JobState(StrEnum):
    """How far a download is that is not yet a file."""

    QUEUED = "queued"
    RUNNING = "running"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadJob:
    """A download that was asked for. `share` is between 0 and 1, `words` what is being done, for the asker.

    `owner` works on it, at the `attempts`-th time, and gave a sign at `beat_at`; `error` is why it failed.
    """

    id: DownloadId
    person: PersonId
    project: ProjectId | None
    statement: str
    parameters: Mapping[str, Any]
    format: str
    created_at: datetime
    state: JobState = JobState.QUEUED
    owner: str | None = None
    beat_at: datetime | None = None
    attempts: int = 0
    share: float = 0.0
    words: str = ""
    cancelled: bool = False
    error: PortalError | None = None
    ended_at: datetime | None = None
