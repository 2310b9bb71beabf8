"""What the ledger holds, and how an entry is bound to the one before it."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from portal.errors import EngineFailure, Fault
from portal.fingerprints import canonical_json, fingerprint
from portal.ids import PersonId, ProjectId
from portal.storage import at_text, read_at, storable

GENESIS = "0" * 64
"""What the first entry names as the hash before it."""

_DAMAGED = Fault(
    "LEDGER_DAMAGED",
    "An entry of the ledger is not as it was written.",
    rule="the ledger is append-only",
    fix="The portal's operator runs `portal ledger verify`.",
)


class Action(StrEnum):
    """What was done."""

    SIGNED_IN = "signed-in"
    SIGNED_OUT = "signed-out"
    DECIDED = "decided"
    STATEMENT_RAN = "statement-ran"
    STATEMENT_REFUSED = "statement-refused"
    STATEMENT_FAILED = "statement-failed"
    CELLS_WITHHELD = "cells-withheld"
    DOWNLOAD_MADE = "download-made"
    DOWNLOAD_FETCHED = "download-fetched"
    DOWNLOAD_REFUSED = "download-refused"
    DOWNLOAD_FAILED = "download-failed"
    WORKSPACE_BUILT = "workspace-built"
    WORKSPACE_REMOVED = "workspace-removed"
    RELEASE_PUBLISHED = "release-published"
    RELEASE_WITHDRAWN = "release-withdrawn"
    RELEASE_RETIRED = "release-retired"
    KEY_ROTATED = "key-rotated"
    GRANT_GIVEN = "grant-given"
    GRANT_ENDED = "grant-ended"
    PERSON_CHANGED = "person-changed"
    PROJECT_CHANGED = "project-changed"
    TOKEN_ISSUED = "token-issued"  # noqa: S105 - an action's name, no secret
    TOKEN_REVOKED = "token-revoked"  # noqa: S105 - an action's name, no secret
    CONTENT_CHANGED = "content-changed"
    QUERY_KEPT = "query-kept"
    LEDGER_READ = "ledger-read"
    APPLICATION_CHANGED = "application-changed"
    NOTICE_DRAFTED = "notice-drafted"
    NOTICE_SENT = "notice-sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something worth remembering. `actor` None: the portal itself.

    `subject` is the id of what was acted on: a receipt for statements, a download, a dataset, a person. `rows` counts
    rows handed out, which the weekly budget is summed from. `details` is JSON that holds no value of any dataset.
    """

    action: Action
    actor: PersonId | None
    project: ProjectId | None = None
    subject: str = ""
    rows: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Event):
    """An event in its place in the chain. `hash` is over all else, `previous` (the hash before it) included."""

    sequence: int
    at: datetime
    previous: str
    hash: str

    def as_dict(self) -> dict[str, Any]:
        """Return the entry as JSON has it; its hash is the fingerprint of this without `hash`."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"at": at_text(self.at)}

    @property
    def proper_hash(self) -> str:
        """The hash that the entry must bear."""
        return fingerprint({key: value for key, value in self.as_dict().items() if key != "hash"})


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ends, signed (HMAC-SHA256) by who may append to it."""

    sequence: int
    hash: str
    signature: str = ""

    def signed(self, key: bytes) -> "Head":
        """Return the head with its signature."""
        return replace(self, signature=self._sign(key))

    def is_signed_by(self, key: bytes) -> bool:
        """Whether the signature is of this key and this content."""
        return hmac.compare_digest(str(self.signature).encode(), self._sign(key).encode())

    def _sign(self, key: bytes) -> str:
        content = canonical_json([self.sequence, self.hash])
        return hmac.digest(key, content.encode(), "sha256").hex()


def chain(event: Event, at: datetime, head: Head | None) -> Entry:
    """Return the entry that follows `head`, its texts and details in the form in which they are stored."""
    entry = Entry(
        action=event.action,
        actor=event.actor if event.actor is None else PersonId(storable(event.actor)),
        project=event.project if event.project is None else ProjectId(storable(event.project)),
        subject=storable(event.subject),
        rows=event.rows,
        details=_plain(event.details),
        sequence=1 if head is None else head.sequence + 1,
        at=at.astimezone(UTC),
        previous=GENESIS if head is None else head.hash,
        hash="",
    )
    return replace(entry, hash=entry.proper_hash)


def to_row(entry: Entry) -> dict[str, Any]:
    """Return the entry as its table has it."""
    return entry.as_dict() | {"action": entry.action.value, "details": canonical_json(entry.details)}


def from_row(row: Mapping[str, Any]) -> Entry:
    """Read an entry from its table. Raises `EngineFailure` where it is not, to the letter, as it was written."""
    try:
        typed = {"action": Action(row["action"]), "at": read_at(row["at"]), "details": dict(json.loads(row["details"]))}
        entry = Entry(**{**row, **typed})
        if to_row(entry) == row and entry.hash == entry.proper_hash:
            return entry
    except (LookupError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise EngineFailure(_DAMAGED) from error
    raise EngineFailure(_DAMAGED)


def _plain(details: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(storable(canonical_json(details)), parse_constant=str)
    return plain
