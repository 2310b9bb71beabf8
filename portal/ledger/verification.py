"""Whether a ledger is whole: pure, over its rows as they stand, its head and a checkpoint kept elsewhere."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from portal.errors import EngineFailure
from portal.ledger.entries import GENESIS, Checkpoint, from_row


@dataclass(frozen=True, slots=True)
class LedgerFault:
    """One way in which the ledger is not what was written. `sequence` is of the entry, None for the head."""

    code: str
    message: str
    sequence: int | None = None

    def __str__(self) -> str:
        return self.message if self.sequence is None else f"entry {self.sequence}: {self.message}"


def faults_of(
    rows: Iterable[Mapping[str, Any]], head: Checkpoint | None, checkpoint: Checkpoint | None, key: bytes
) -> Iterator[LedgerFault]:
    """Yield every change, gap, reordering and truncation.

    `rows` come in order of `sequence`. An attacker who holds neither the key nor the checkpoint cannot avoid it; one
    who puts back an older database as a whole is found by the checkpoint only.
    """
    expected, previous, kept = 1, GENESIS, checkpoint is None
    for row in rows:
        number = row["sequence"]
        if number != expected:
            yield LedgerFault("GAP", f"entries from {expected} on are missing before it", number)
        elif row["previous"] != previous:
            yield LedgerFault("ORDER", "does not follow the entry before it", number)
        if not _is_as_written(row):
            yield LedgerFault("CHANGED", "is not as it was written", number)
        kept = kept or (checkpoint is not None and (number, row["hash"]) == (checkpoint.sequence, checkpoint.hash))
        expected, previous = _after(number, expected), row["hash"]
    yield from _faults_of_head(expected - 1, previous, head, key)
    if checkpoint is not None and not checkpoint.is_signed_by(key):
        yield LedgerFault("CHECKPOINT", "the checkpoint does not bear this portal's signature")
    elif checkpoint is not None and not kept:
        yield LedgerFault(
            "CHECKPOINT", "the ledger does not hold the entry that the checkpoint names", checkpoint.sequence
        )


def _is_as_written(row: Mapping[str, Any]) -> bool:
    try:
        from_row(row)
    except EngineFailure:
        return False
    return True


def _after(number: object, expected: int) -> int:
    return number + 1 if isinstance(number, int) else expected + 1


def _faults_of_head(last: int, last_hash: str, head: Checkpoint | None, key: bytes) -> Iterator[LedgerFault]:
    if head is None:
        yield LedgerFault("HEAD", "the ledger has no head: it was never begun, or was emptied")
    elif not head.is_signed_by(key):
        yield LedgerFault("HEAD", "the head does not bear this portal's signature")
    elif head.sequence > last:
        yield LedgerFault(
            "TRUNCATED", f"the last entries are missing: the head stands at {head.sequence}, they end at {last}"
        )
    elif (head.sequence, head.hash) != (last, last_hash):
        yield LedgerFault("HEAD", f"the entries go on to {last} otherwise than the head, at {head.sequence}, says")
