"""A release history as bytes: one record for each statement that was given something new, each after the last.

A record is a sealed header, a head (JSON, then sets of base cells) and sets of entities. Sets are numbered in order of
first use and written once. Those of entities are read only where the audit asks for them.
"""

import json
import struct
import zlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, NamedTuple, TypeVar

from portal.disclosure.history import Entry, Kind, ReleaseHistory
from portal.disclosure.kept import KeptSet, digest
from portal.errors import EngineFailure, Fault

T = TypeVar("T", bound=Hashable)
Fetch = Callable[[int, int], bytes]
"""Returns, from an offset of the history, so many bytes."""

_MARK = b"RELEASE2"
_HEADER = struct.Struct(">8sIIQII")
_SEAL = struct.Struct(">I")


class _Header(NamedTuple):
    """Bytes of text, of sets of base cells, and of sets of entities; checksums of the first two and of the last."""

    mark: bytes
    text: int
    cells: int
    sets: int
    head_sum: int
    sets_sum: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A history as it is kept: the sets that it has by number, and where its last whole record ends."""

    history: ReleaseHistory
    cells: Sequence[bytes] = ()
    sets: Sequence[KeptSet] = ()
    end: int = 0


def damaged() -> EngineFailure:
    """Return what is raised where a history cannot be read, so that nothing is taken for an empty one."""
    message = "The record of what was released before cannot be read, so nothing more is released."
    return EngineFailure(Fault("HISTORY_DAMAGED", message, rule="history", fix="Tell the operator."))


def read_history(file: BinaryIO, size: int, fetch: Fetch) -> Kept:
    """Read a history of `size` bytes.

    What a crash left of a last record is passed over, since nothing was answered from it: it is shorter than it says,
    or its checksum is wrong, or it is nothing but zeros. Raises `EngineFailure` where anything else is not as it was
    written.
    """
    names: list[str] = []
    entries: list[Entry] = []
    cells: list[bytes] = []
    sets: list[KeptSet] = []
    end = 0
    try:
        for found, regions, start in _records(file, size):
            if found["after"] != [len(names), len(entries), len(cells), len(sets)]:
                raise damaged()
            names += found["names"]
            cells += _cut(regions, found["cells"])
            end = start
            for count, length, name in found["sets"]:
                whole = bytes.fromhex(name)
                sets.append(KeptSet(count, whole, partial(_read_set, fetch, end, length, whole)))
                end += length
            kinds = [Kind(*kind) for kind in found["kinds"]]
            for kind, view, cell, value, by_type, thresholds in found["entries"]:
                members = {name: sets[i] for name, i in zip(found["types"], by_type, strict=True) if i is not None}
                entries.append(Entry(kinds[kind], found["views"][view], cells[cell], members, value, thresholds))
    except (ValueError, KeyError, TypeError, IndexError):
        raise damaged() from None
    if not end:
        raise damaged()
    return Kept(ReleaseHistory(tuple(names), tuple(entries)), cells, sets, end)


def write_record(before: Kept, after: ReleaseHistory) -> bytes:
    """Return what to write at the end of a history, for what was released since."""
    new = after.entries[len(before.history.entries) :]
    types = list(dict.fromkeys(name for entry in new for name in entry.entities))
    members = {kept.digest: kept for entry in new for kept in entry.entities.values()}
    kinds = _numbers(entry.kind for entry in new)
    views = _numbers(entry.view for entry in new)
    cells = _numbers((*before.cells, *(entry.cells for entry in new)))
    sets = _numbers((*(kept.digest for kept in before.sets), *members))
    new_cells = list(cells)[len(before.cells) :]
    new_sets = [members[name] for name in list(sets)[len(before.sets) :]]
    data = [kept.read() for kept in new_sets]
    text = {
        "after": [len(before.history.names), len(before.history.entries), len(before.cells), len(before.sets)],
        "names": after.names[len(before.history.names) :],
        "kinds": [[kind.figure, kind.column] for kind in kinds],
        "views": list(views),
        "types": types,
        "cells": list(map(len, new_cells)),
        "sets": [[kept.size, len(each), kept.digest.hex()] for kept, each in zip(new_sets, data, strict=True)],
        "entries": [
            [
                kinds[entry.kind],
                views[entry.view],
                cells[entry.cells],
                entry.value,
                _by_type(entry, types, sets),
                dict(entry.thresholds),
            ]
            for entry in new
        ],
    }
    return _sealed(json.dumps(text, separators=(",", ":")).encode(), b"".join(new_cells), b"".join(data))


def _by_type(entry: Entry, types: Sequence[str], sets: Mapping[bytes, int]) -> list[int | None]:
    return [sets[entry.entities[name].digest] if name in entry.entities else None for name in types]


def _numbers(things: Iterable[T]) -> dict[T, int]:
    return {thing: i for i, thing in enumerate(dict.fromkeys(things))}


def _sealed(text: bytes, cells: bytes, sets: bytes) -> bytes:
    header = _HEADER.pack(*_Header(_MARK, len(text), len(cells), len(sets), zlib.crc32(text + cells), zlib.crc32(sets)))
    return b"".join([header, _SEAL.pack(zlib.crc32(header)), text, cells, sets])


def _records(file: BinaryIO, size: int) -> Iterator[tuple[Mapping[str, Any], bytes, int]]:
    """Yield each whole record: its text, its sets of base cells, and where its sets of entities begin."""
    at = 0
    while size - at >= _HEADER.size + _SEAL.size:
        file.seek(at)
        raw, seal = file.read(_HEADER.size), file.read(_SEAL.size)
        header = _Header(*_HEADER.unpack(raw))
        if seal != _SEAL.pack(zlib.crc32(raw)) or header.mark != _MARK:
            if any(raw + seal) or any(file.read()):
                raise damaged()
            return
        text, cells = file.read(header.text), file.read(header.cells)
        start = at + _HEADER.size + _SEAL.size + header.text + header.cells
        at = start + header.sets
        if at > size:
            return
        whole = zlib.crc32(text + cells) == header.head_sum
        if at == size:
            whole = whole and zlib.crc32(file.read()) == header.sets_sum
        elif not whole:
            raise damaged()
        if not whole:
            return
        yield json.loads(text), cells, start


def _cut(data: bytes, lengths: Sequence[int]) -> Iterator[bytes]:
    at = 0
    for length in lengths:
        yield data[at : at + length]
        at += length


def _read_set(fetch: Fetch, offset: int, length: int, name: bytes) -> bytes:
    data = fetch(offset, length)
    if digest(data) != name:
        raise damaged()
    return data
