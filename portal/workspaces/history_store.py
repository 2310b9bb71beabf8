"""Release histories on disk: `<root>/<project>/<dataset>-<release>/history.json`, whole or not at all.

A history outlives every restart; it is never removed while the release stands, since it is what keeps a project from
asking its way around the rules.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from portal.catalogue.release import Manifest
from portal.disclosure.history import ReleaseHistory
from portal.disclosure.keeping import from_text, to_text
from portal.errors import EngineFailure, Fault
from portal.ids import ProjectId

T = TypeVar("T")


class HistoryStore(Protocol):
    """Keeps what each project was given of each release."""

    def update(
        self, project: ProjectId, manifest: Manifest, change: Callable[[ReleaseHistory], tuple[ReleaseHistory, T]]
    ) -> T:
        """Replace a history by what `change` makes of it, before anyone else may read it; return its second part."""
        ...


@dataclass(frozen=True, slots=True)
class FileHistoryStore:
    """The store in files, for many threads and processes."""

    root: Path

    def update(
        self, project: ProjectId, manifest: Manifest, change: Callable[[ReleaseHistory], tuple[ReleaseHistory, T]]
    ) -> T:
        """Change a history under a lock. Raises `EngineFailure` where the one on disk cannot be read."""
        folder = self._folder(project, manifest)
        with _exclusive(folder):
            before = _read(folder / "history.json")
            after, answer = change(before)
            if after != before:
                _write(folder / "history.json", to_text(after))
        return answer

    def _folder(self, project: ProjectId, manifest: Manifest) -> Path:
        return self.root / project / f"{manifest.dataset}-{manifest.number:06d}"


def _read(path: Path) -> ReleaseHistory:
    if not path.exists():
        return ReleaseHistory()
    try:
        return from_text(path.read_text())
    except (ValueError, KeyError, TypeError):
        message = "The record of what was released before cannot be read, so nothing more is released."
        raise EngineFailure(Fault("HISTORY_DAMAGED", message, rule="history", fix="Tell the operator.")) from None


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".history-{os.urandom(4).hex()}")
    with temporary.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
