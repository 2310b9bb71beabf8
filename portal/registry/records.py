"""What the registry holds beside the facts of `portal.policy.people`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.ids import DownloadId, PersonId, ProjectId, ReceiptId


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
