"""The ledger as the rest of the portal uses it: append, look up, verify, export."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any, TextIO

from sqlalchemy import Column, Connection, Engine, Select, func, insert, select, update

from portal.clock import Clock, system_clock
from portal.errors import EngineFailure, Fault
from portal.fingerprints import canonical_json
from portal.ids import DatasetName, PersonId, ProjectId, ReceiptId
from portal.ledger.checkpoints import Checkpoint, make_checkpoint, public_key_of
from portal.ledger.entries import Action, Entry, Event, Head, chain, from_row, to_row
from portal.ledger.tables import entries, heads
from portal.ledger.verification import LedgerFault, faults_of, faults_of_head
from portal.storage import at_text, reading, storable, writing

NOTHING: Mapping[str, Any] = MappingProxyType({})
_BATCH = 1_000
_BROKEN = Fault(
    "LEDGER_BROKEN",
    "The ledger's head does not bear this portal's signature, so nothing can be recorded.",
    rule="nothing is done that cannot be recorded",
    fix="The portal's operator runs `portal ledger verify` and restores the ledger.",
)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Append-only, hash-chained, its head signed with `key`; safe with several threads and processes."""

    engine: Engine
    key: bytes = field(repr=False)
    clock: Clock = system_clock

    def record(  # noqa: PLR0913 - one keyword for each fact of an event
        self,
        action: Action,
        *,
        actor: PersonId | None,
        project: ProjectId | None = None,
        subject: str = "",
        rows: int = 0,
        details: Mapping[str, Any] = NOTHING,
    ) -> Entry:
        """Append one event (see `Event` for what its parts mean), in a transaction of its own.

        Raises `LimitReached` where the records stay busy, `EngineFailure` where the ledger is broken.
        """
        event = Event(action=action, actor=actor, project=project, subject=subject, rows=rows, details=details)
        with writing(self.engine) as connection:
            return self.append(connection, event, self.clock())

    def append(self, connection: Connection, event: Event, at: datetime) -> Entry:
        """Append one event in a transaction that the caller opened with `writing`: both are kept, or neither.

        The chain goes on from the signed head, never from the last row, so that cut rows cannot be papered over.
        """
        head = self._trusted_head(connection)
        entry = chain(event, at, head)
        new_head = asdict(Head(entry.sequence, entry.hash).signed(self.key))
        connection.execute(insert(entries).values(to_row(entry)))
        connection.execute((insert(heads).values(only=1) if head is None else update(heads)).values(new_head))
        return entry

    def tail(self, count: int) -> tuple[Entry, ...]:
        """Return the last entries, newest first."""
        return self.search(limit=count)

    def search(  # noqa: PLR0913 - one keyword for each thing an auditor may ask by
        self,
        *,
        actor: PersonId | None = None,
        project: ProjectId | None = None,
        action: Action | None = None,
        subject: str | None = None,
        dataset: DatasetName | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[Entry, ...]:
        """Return what fits all that is given, newest first; from `since` (included) to `until` (not included).

        `before` leaves out the entry of that number and all that follow it.
        """
        wanted: tuple[tuple[Column[Any], str | None], ...] = (
            (entries.c.actor, actor),
            (entries.c.project, project),
            (entries.c.action, action),
            (entries.c.subject, subject),
        )
        query = select(entries).order_by(entries.c.sequence.desc()).limit(limit)
        for column, value in wanted:
            query = query if value is None else query.where(column == storable(value))
        if dataset is not None:
            named = f'"dataset":{canonical_json(storable(dataset))}'  # canonical JSON: a quote within a text is escaped
            query = query.where(
                (entries.c.subject == storable(dataset)) | entries.c.details.contains(named, autoescape=True)
            )
        if since is not None:
            query = query.where(entries.c.at >= at_text(since))
        if until is not None:
            query = query.where(entries.c.at < at_text(until))
        if before is not None:
            query = query.where(entries.c.sequence < before)
        return self._fetch(query)

    def find_receipt(self, receipt: ReceiptId) -> Entry | None:
        """Return the entry of the statement that this receipt is of; its `details` hold the receipt."""
        found = self.search(action=Action.STATEMENT_RAN, subject=receipt, limit=1)
        return found[0] if found else None

    def rows_charged(self, project: ProjectId, since: datetime) -> int:
        """Return how many rows the project's statements have handed out since then."""
        query = select(func.coalesce(func.sum(entries.c.rows), 0)).where(
            entries.c.project == storable(project),
            entries.c.action == Action.STATEMENT_RAN,
            entries.c.at >= at_text(since),
        )
        with reading(self.engine) as connection:
            return int(connection.execute(query).scalar_one())

    @property
    def public_key(self) -> str:
        """The key, in hexadecimal, that checkpoints and exports are verified with."""
        return public_key_of(self.key)

    def checkpoint(self) -> Checkpoint | None:
        """Return proof of the last entry, to be kept elsewhere; None while there is none. Raises `EngineFailure`."""
        with reading(self.engine) as connection:
            head = self._trusted_head(connection)
        return None if head is None else make_checkpoint(head, self.clock(), self.key)

    def verify(self, checkpoint: Checkpoint | None = None) -> tuple[LedgerFault, ...]:
        """Return everything that is not as it was written, also against a checkpoint that was kept elsewhere."""
        query = select(entries).order_by(entries.c.sequence).execution_options(yield_per=_BATCH)
        with reading(self.engine) as connection:
            faults_of_end = partial(faults_of_head, head=_read_head(connection), key=self.key)
            return tuple(faults_of(_rows(connection, query), faults_of_end, checkpoint, self.public_key))

    def export(self, stream: TextIO) -> int:
        """Write every entry as one line of canonical JSON, oldest first, then its proof; return how many entries.

        Raises `EngineFailure` where the ledger is not as it was written.
        """
        count = 0
        query = select(entries).order_by(entries.c.sequence).execution_options(yield_per=_BATCH)
        with reading(self.engine) as connection:
            for count, row in enumerate(_rows(connection, query), start=1):  # noqa: B007 - counted, then returned
                stream.write(canonical_json(from_row(row).as_dict()) + "\n")
            if head := self._trusted_head(connection):
                stream.write(make_checkpoint(head, self.clock(), self.key).to_json() + "\n")
        return count

    def _fetch(self, query: Select[Any]) -> tuple[Entry, ...]:
        with reading(self.engine) as connection:
            return tuple(from_row(row) for row in _rows(connection, query))

    def _trusted_head(self, connection: Connection) -> Head | None:
        head = _read_head(connection)
        if head is None:
            if connection.execute(select(entries.c.sequence).limit(1)).first() is None:
                return None
            raise EngineFailure(_BROKEN)
        if not head.is_signed_by(self.key):
            raise EngineFailure(_BROKEN)
        return head


def _rows(connection: Connection, query: Select[Any]) -> Iterator[dict[str, Any]]:
    return (dict(row) for row in connection.execute(query).mappings())


def _read_head(connection: Connection) -> Head | None:
    row = connection.execute(select(heads.c.sequence, heads.c.hash, heads.c.signature)).first()
    return None if row is None else Head(*row)
