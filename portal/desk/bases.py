"""The base cells of a protected dataset, or of two joined, for one statement.

Made at the first need of a release, opened from then on.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from portal.catalogue.release import Manifest, ReleasePair
from portal.disclosure.base import LARGEST, BaseCells, open_base_cells
from portal.disclosure.compile import BASE, view_query
from portal.disclosure.making import OF_FIRST, SIDES, cells_query, join_size_query, members_query, side_query
from portal.disclosure.subject import Asked, Pair, Subject
from portal.disclosure.summary import FORMAT, Columns, summarise
from portal.engines.port import TrustedEngine
from portal.errors import Fault, LimitReached
from portal.fingerprints import fingerprint
from portal.ids import DatasetName, Fingerprint, ProjectId
from portal.workspaces.base_store import BaseStore
from portal.workspaces.history_store import Owned

MAX_CELLS = 100_000
"""Base cells of a release: each is told apart in every statement."""
MAX_MEMBERS = 50_000_000
"""Entities in base cells, counted in each: two bytes or so of bitmaps, which a statement over all of them reads.

Of a pair also the rows of its sides, and of their join.
"""


@dataclass(frozen=True, slots=True)
class Protected:
    """A dataset that no one sees row by row: its release, with all its files, and what the policy makes of it.

    `owner` is the project against whose history its cells are held.
    """

    subject: Subject
    manifest: Manifest
    files: Sequence[Path]
    owner: ProjectId

    def histories(self, project: ProjectId) -> Sequence[Owned]:
        """Return the histories that its cells are held against, whichever project asks."""
        del project
        return [(self.owner, self.manifest)]


@dataclass(frozen=True, slots=True)
class ProtectedPair:
    """Two such datasets, joined on an entity."""

    subject: Pair
    sides: tuple[Protected, Protected]

    @property
    def manifest(self) -> ReleasePair:
        """Both releases as one."""
        return ReleasePair(*(side.manifest for side in self.sides))

    def histories(self, project: ProjectId) -> Sequence[Owned]:
        """Return the histories that its cells are held against: that of the pair, and of each of its datasets.

        The pair's is that of both, where it is the same, as of datasets that need no project; else the asking one's.
        """
        owners = {side.owner for side in self.sides}
        own = owners.pop() if len(owners) == 1 else project
        return [(own, self.manifest), *((side.owner, side.manifest) for side in self.sides)]


Source = Protected | ProtectedPair


@dataclass(frozen=True, slots=True)
class Opened:
    """Base cells, and the files in which compiled queries find them and the sides of a pair, by the names of these."""

    cells: BaseCells
    tables: Mapping[str, Sequence[Path]]


def pair_source(pair: Pair, protected: Mapping[DatasetName, Protected]) -> ProtectedPair:
    """Return what is published of a pair."""
    one, other = (protected[side.dataset.name] for side in pair.sides)
    return ProtectedPair(pair, (one, other))


@contextmanager
def open_bases(source: Source, engine: TrustedEngine, bases: BaseStore) -> Iterator[Opened]:
    """Open the base cells of a dataset, or of a pair, as one project may see them.

    Raises `LimitReached` where there are too many of them, and `EngineFailure` where they are damaged on disk.
    """
    folder = bases.folder(
        source.manifest, _name(source.subject, source.manifest), lambda target: _make(source, engine, target)
    )
    summary, members = folder / "summary.parquet", _members_in(folder, source.subject)
    view = engine.fetch(view_query(source.subject), {BASE: [summary]}) if source.subject.bounds else None
    rows = view.column(0).to_numpy() if view is not None else None
    with open_base_cells(summary, members, rows) as cells:
        sides = _sides_in(folder) if isinstance(source, ProtectedPair) else {}
        yield Opened(cells, {BASE: [summary], **sides})


def are_made(subject: Asked, release: Manifest | ReleasePair, bases: BaseStore) -> bool:
    """Say whether base cells are there already; looks at no file of the release."""
    return bases.has(release, _name(subject, release))


def make_ahead(source: Source, engine: TrustedEngine, bases: BaseStore) -> None:
    """Make base cells before anybody asks. Raises as `open_bases` does."""
    bases.folder(source.manifest, _name(source.subject, source.manifest), lambda target: _make(source, engine, target))


def discard_bases(source: Source, bases: BaseStore) -> None:
    """Let base cells be made anew at the next need."""
    bases.discard(source.manifest, _name(source.subject, source.manifest))


def _name(subject: Asked, release: Manifest | ReleasePair) -> Fingerprint:
    """Name base cells by what makes them; a query may hold a project's key, so no text of it is in the name."""
    queries = [cells_query(subject), *(members_query(subject, entity) for entity in subject.entities)]
    queries += [side_query(subject, place) for place in range(len(SIDES))] if isinstance(subject, Pair) else []
    made_of = {"format": FORMAT, "release": release.fingerprint, "queries": queries}
    return fingerprint(made_of | {"largest": _columns(subject).largest})


def _make(source: Source, engine: TrustedEngine, folder: Path) -> None:
    subject, cells, members = source.subject, folder / "cells.parquet", _members_in(folder, source.subject)
    tables = _make_sides(source, engine, folder) if isinstance(source, ProtectedPair) else {"source": source.files}
    _check(subject, engine.copy(cells_query(subject), tables, cells).rows, MAX_CELLS)
    written = [engine.copy(members_query(subject, name), tables, path).rows for name, path in members.items()]
    _check(subject, sum(written), MAX_MEMBERS)
    summarise(cells, members, _columns(subject), folder / "summary.parquet")
    cells.unlink()


def _make_sides(source: ProtectedPair, engine: TrustedEngine, folder: Path) -> Mapping[str, Sequence[Path]]:
    tables, first = _sides_in(folder), source.sides[0].files
    for place, ([target], side) in enumerate(zip(tables.values(), source.sides, strict=True)):
        written = engine.copy(side_query(source.subject, place), {"source": side.files, OF_FIRST: first}, target)
        _check(source.subject, written.rows, MAX_MEMBERS)
    [size] = engine.fetch(join_size_query(), tables).column("n").to_pylist()
    _check(source.subject, size, MAX_MEMBERS)
    return tables


def _check(subject: Asked, found: int, most: int) -> None:
    if found > most:
        names = [side.dataset.name for side in (subject.sides if isinstance(subject, Pair) else (subject,))]
        verb = "has too many combinations of its" if names[1:] == [] else "joined have too many combinations of their"
        message = f"{' and '.join(names)} {verb} dimensions to be watched over."
        fix = "Ask the data steward for fewer dimensions, or a coarser grid."
        raise LimitReached(Fault("HISTORY_TOO_LARGE", message, rule="disclosure.dimensions", fix=fix))


def _columns(subject: Asked) -> Columns:
    largest = max(LARGEST, subject.disclosure.dominance.top)
    return Columns(tuple(subject.disclosure.measures), largest)


def _sides_in(folder: Path) -> dict[str, list[Path]]:
    return {name: [folder / f"side-{place}.parquet"] for place, name in enumerate(SIDES)}


def _members_in(folder: Path, subject: Asked) -> dict[str, Path]:
    return {entity: folder / f"members-{i}.parquet" for i, entity in enumerate(subject.entities)}
