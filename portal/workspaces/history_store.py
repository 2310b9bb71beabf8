"""Release histories on disk: `<root>/<project>/<dataset>-<release>/history`, whole or not at all.

`history` outlives every restart; it only grows, by one record for each statement, and is never removed while the
release stands, since it is what keeps a project from asking its way around the rules. Two releases that are joined have
one of their own.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from portal.catalogue.release import Placed, is_made_of
from portal.disclosure.history import ReleaseHistory
from portal.disclosure.keeping import Kept, damaged, read_history, write_record
from portal.errors import EngineFailure, Fault
from portal.folders import clear, held, storing, sync, written
from portal.ids import DatasetName, ProjectId

T = TypeVar("T")
_END = "history.end"
"""Beside a history: where it ends at least, so that a damaged last record never passes for one not answered."""


class HistoryStore(Protocol):
    """Keeps what each project was given of each release."""

    def update(
        self, project: ProjectId, release: Placed, change: Callable[[ReleaseHistory], tuple[ReleaseHistory, T]]
    ) -> T:
        """Add to a history what `change` adds to it, before anyone else may read it; return its second part.

        What is returned may leave: it is on disk by then.
        """
        ...

    def remove(self, dataset: DatasetName, release: int) -> None:
        """Remove the histories of a release that has ended, of which nothing can be asked any more."""
        ...

    def clear(self) -> None:
        """Remove what the dead left half-made."""
        ...


@dataclass(frozen=True, slots=True)
class FileHistoryStore:
    """The store in files, for many threads and processes."""

    root: Path

    def update(
        self, project: ProjectId, release: Placed, change: Callable[[ReleaseHistory], tuple[ReleaseHistory, T]]
    ) -> T:
        """Add to a history under a lock. Raises `EngineFailure` where the one on disk cannot be read or written."""
        folder = self._folder(project, release)
        with storing("the record of what is released"), held(folder):
            before = _read(folder / "history")
            after, answer = change(before.history)
            if len(after.entries) > len(before.history.entries):
                record = write_record(before, after)
                _write(folder / "history", record, before.end)
                with written(folder / _END) as path:
                    path.write_text(str(before.end + len(record)))
        return answer

    def remove(self, dataset: DatasetName, release: int) -> None:
        """Remove every project's history of the release, alone or joined."""
        for folder in self.root.glob("*/*/"):
            if is_made_of(folder.name, dataset, release):
                shutil.rmtree(folder, ignore_errors=True)

    def clear(self) -> None:
        """Remove what the dead left half-made."""
        for folder in self.root.glob("*/*/"):
            clear(folder)

    def _folder(self, project: ProjectId, release: Placed) -> Path:
        return self.root / project / release.place


Owned = tuple[ProjectId, Placed]
"""A release, and the project whose history of it is meant."""


def update_together(
    store: HistoryStore,
    owned: Sequence[Owned],
    change: Callable[[Sequence[ReleaseHistory]], tuple[Sequence[ReleaseHistory], T]],
) -> T:
    """Add to several histories at once: they are locked in this order, and written in the reverse.

    So the first is written last: whatever it holds, the others know of, wherever a crash comes between.
    """

    def together(known: tuple[ReleaseHistory, ...]) -> tuple[Sequence[ReleaseHistory], T]:
        if len(known) == len(owned):
            return change(known)

        def one(history: ReleaseHistory) -> tuple[ReleaseHistory, tuple[Sequence[ReleaseHistory], T]]:
            after, answer = together((*known, history))
            return after[len(known)], (after, answer)

        return store.update(*owned[len(known)], one)

    return together(())[1]


def _read(path: Path) -> Kept:
    if not path.exists():
        return Kept(ReleaseHistory())

    def fetch(offset: int, length: int) -> bytes:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(length)

    with path.open("rb") as file:
        kept = read_history(file, path.stat().st_size, fetch)
    if kept.end < _answered(path):
        raise damaged()
    return kept


def _answered(path: Path) -> int:
    """Return where the last record ends from which anything may have been answered."""
    try:
        return int(path.with_name(_END).read_text())
    except FileNotFoundError:
        return 0
    except ValueError as error:
        raise damaged() from error


def _write(path: Path, record: bytes, end: int) -> None:
    """Write a record at the end of a history, over what a crash may have left there; the first makes the file."""
    try:
        if end:
            with path.open("r+b") as file:
                file.truncate(end)
                file.seek(end)
                _write_out(file, record)
            return
        temporary = path.with_name(".history-new")
        with temporary.open("wb") as file:
            _write_out(file, record)
        temporary.replace(path)
        sync(path.parent)
    except OSError:
        message = "What was to be released could not be recorded, so it is not released."
        raise EngineFailure(Fault("HISTORY_NOT_WRITTEN", message, rule="history", fix="Tell the operator.")) from None


def _write_out(file: BinaryIO, data: bytes) -> None:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())
