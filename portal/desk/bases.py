"""The base cells of a protected dataset for one statement: made at the first need of a release, opened from then on."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from portal.catalogue.release import Manifest
from portal.disclosure.base import LARGEST, BaseCells, open_base_cells
from portal.disclosure.compile import BASE, Subject, cells_query, members_query, view_query
from portal.disclosure.summary import FORMAT, Columns, summarise
from portal.engines.port import TrustedEngine
from portal.errors import Fault, LimitReached
from portal.fingerprints import fingerprint
from portal.ids import Fingerprint
from portal.workspaces.base_store import BaseStore

MAX_CELLS = 100_000
"""Base cells of a release: each is told apart in every statement."""
MAX_MEMBERS = 50_000_000
"""Entities in base cells, counted in each: two bytes or so of bitmaps, which a statement over all of them reads."""


@dataclass(frozen=True, slots=True)
class Protected:
    """A dataset that no one sees row by row: its release, with all its files, and what the policy makes of it."""

    subject: Subject
    manifest: Manifest
    files: Sequence[Path]


@dataclass(frozen=True, slots=True)
class Opened:
    """Base cells, and the file in which compiled queries find them by the name `BASE`."""

    cells: BaseCells
    summary: Path


@contextmanager
def open_bases(source: Protected, engine: TrustedEngine, bases: BaseStore) -> Iterator[Opened]:
    """Open a dataset's base cells as one project may see them.

    Raises `LimitReached` where there are too many of them, and `EngineFailure` where they are damaged on disk.
    """
    folder = bases.folder(source.manifest, _name(source), lambda target: _make(source, engine, target))
    summary, members = folder / "summary.parquet", _members_in(folder, source.subject)
    view = engine.fetch(view_query(source.subject), {BASE: [summary]}) if source.subject.obligations.rows else None
    rows = view.column(0).to_numpy() if view is not None else None
    with open_base_cells(summary, members, rows) as cells:
        yield Opened(cells, summary)


def discard_bases(source: Protected, bases: BaseStore) -> None:
    """Let a dataset's base cells be made anew at the next need."""
    bases.discard(source.manifest, _name(source))


def _name(source: Protected) -> Fingerprint:
    """Name base cells by what makes them; a query may hold a project's key, so no text of it is in the name."""
    queries = [cells_query(source.subject), *(members_query(source.subject, e) for e in source.subject.entities)]
    made_of = {"format": FORMAT, "release": source.manifest.fingerprint, "queries": queries}
    return fingerprint(made_of | {"largest": _columns(source.subject).largest})


def _make(source: Protected, engine: TrustedEngine, folder: Path) -> None:
    subject, cells, members = source.subject, folder / "cells.parquet", _members_in(folder, source.subject)
    _check(source, engine.copy(cells_query(subject), source.files, cells).rows, MAX_CELLS)
    written = [engine.copy(members_query(subject, name), source.files, path).rows for name, path in members.items()]
    _check(source, sum(written), MAX_MEMBERS)
    summarise(cells, members, _columns(subject), folder / "summary.parquet")
    cells.unlink()


def _check(source: Protected, found: int, most: int) -> None:
    if found > most:
        message = f"{source.subject.dataset.name} has too many combinations of its dimensions to be watched over."
        fix = "Ask the data steward for fewer dimensions, or a coarser grid."
        raise LimitReached(Fault("HISTORY_TOO_LARGE", message, rule="disclosure.dimensions", fix=fix))


def _columns(subject: Subject) -> Columns:
    largest = max(LARGEST, subject.disclosure.dominance.top)
    return Columns(subject.countable, tuple(subject.disclosure.measures), largest)


def _members_in(folder: Path, subject: Subject) -> dict[str, Path]:
    return {entity: folder / f"members-{i}.parquet" for i, entity in enumerate(subject.entities)}
