"""Whether a ledger is whole: pure, over its rows as they stand, its head and a checkpoint kept elsewhere."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from portal.errors import ContentError, EngineFailure
from portal.fingerprints import canonical_json
from portal.ledger.checkpoints import Checkpoint
from portal.ledger.entries import GENESIS, Head, from_row


@dataclass(frozen=True, slots=True)
class LedgerFault:
    """One way in which the ledger is not what was written. `sequence` is of the entry, None for the head."""

    code: str
    message: str
    sequence: int | None = None

    def __str__(self) -> str:
        return self.message if self.sequence is None else f"entry {self.sequence}: {self.message}"


FaultsOfEnd = Callable[[int, str], Iterator[LedgerFault]]
"""Says what is wrong, given the number and the hash of the last entry."""


def faults_of(
    rows: Iterable[Mapping[str, Any]], faults_of_end: FaultsOfEnd, checkpoint: Checkpoint | None, public_key: str
) -> Iterator[LedgerFault]:
    """Yield every change, gap, reordering and truncation.

    `rows` come in order of `sequence`. An attacker who holds neither the key nor the checkpoint cannot avoid it; one
    who puts back an older database as a whole, or who has the key and writes the chain anew, is found by the
    checkpoint only.
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
    yield from faults_of_end(expected - 1, previous)
    if checkpoint is not None and not checkpoint.is_signed_by(public_key):
        yield LedgerFault("CHECKPOINT", "the checkpoint does not bear this portal's signature")
    elif checkpoint is not None and not kept:
        yield LedgerFault(
            "CHECKPOINT", "the ledger does not hold the entry that the checkpoint names", checkpoint.sequence
        )


def faults_of_export(lines: Iterable[str], checkpoint: Checkpoint | None, public_key: str) -> Iterator[LedgerFault]:
    """Yield everything that is not as it was exported; needs no database, and of keys the public one only."""
    entries, proof = list(lines), ""
    if entries:
        proof = entries.pop()
    try:
        proven = Checkpoint.from_json(proof)
    except ContentError:
        yield LedgerFault("PROOF", "the export does not end with its proof")
        return

    def faults_of_end(last: int, last_hash: str) -> Iterator[LedgerFault]:
        if not proven.is_signed_by(public_key):
            yield LedgerFault("PROOF", "the proof does not bear this portal's signature")
        elif (proven.sequence, proven.hash) != (last, last_hash):
            yield LedgerFault(
                "PROOF", f"the entries end at {last}, otherwise than the proof, at {proven.sequence}, says"
            )

    rows = (_read_line(line) for line in entries)
    yield from faults_of(rows, faults_of_end, checkpoint, public_key)


def _read_line(line: str) -> Mapping[str, Any]:
    """Read one line as its table has it; what is no entry becomes one that no hash fits."""
    try:
        found = dict(json.loads(line))
        row = {**found, "details": canonical_json(found["details"])}
    except (ValueError, TypeError, KeyError, RecursionError):
        row, found = {}, {}
    is_canonical = canonical_json(found) == line.rstrip("\n")
    return {**dict.fromkeys(("sequence", "previous", "hash"), ""), **(row if is_canonical else {})}


def _is_as_written(row: Mapping[str, Any]) -> bool:
    try:
        from_row(row)
    except EngineFailure:
        return False
    return True


def _after(number: object, expected: int) -> int:
    return number + 1 if isinstance(number, int) else expected + 1


def faults_of_head(last: int, last_hash: str, head: Head | None, key: bytes) -> Iterator[LedgerFault]:
    """Yield what is wrong with the head of a ledger whose entries end so."""
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
