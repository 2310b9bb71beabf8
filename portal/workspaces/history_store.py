"""Release histories and base cells on disk: `<root>/<project>/<dataset>-<release>/`, whole or not at all.

`history.json` outlives every restart; it is never removed while the release stands, since it is what keeps a project
from asking its way around the rules. `base-<name>.parquet` can be made again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from portal.catalogue.release import Manifest
from portal.disclosure.history import ReleaseHistory
from portal.disclosure.keeping import from_text, to_text
from portal.errors import EngineFailure, Fault
from portal.folders import clear, held, storing, written
from portal.ids import Fingerprint, ProjectId

T = TypeVar("T")


class HistoryStore(Protocol):
    """Keeps what each project was given of each release."""

    def update(
        self, project: ProjectId, manifest: Manifest, change: Callable[[ReleaseHistory], tuple[ReleaseHistory, T]]
    ) -> T:
        """Replace a history by what `change` makes of it, before anyone else may read it; return its second part."""
        ...

    def base(self, project: ProjectId, manifest: Manifest, name: Fingerprint, make: Callable[[Path], object]) -> Path:
        """Return the file of base cells of this name, made at the given path where it is not there yet."""
        ...

    def clear(self) -> None:
        """Remove what the dead left half-made."""
        ...


@dataclass(frozen=True, slots=True)
class FileHistoryStore:
    """The store in files, for many threads and processes."""

    root: Path

    def update(
        self, project: ProjectId, manifest: Manifest, change: Callable[[ReleaseHistory], tuple[ReleaseHistory, T]]
    ) -> T:
        """Change a history under a lock.

        Raises `EngineFailure` where the one on disk cannot be read, `LimitReached` where the new one finds no room.
        """
        folder = self._folder(project, manifest)
        with storing("the record of what is released"), held(folder):
            before = _read(folder / "history.json")
            after, answer = change(before)
            if after != before:
                with written(folder / "history.json") as path:
                    path.write_text(to_text(after))
        return answer

    def base(self, project: ProjectId, manifest: Manifest, name: Fingerprint, make: Callable[[Path], object]) -> Path:
        """Return the file; `make` leaves it whole or not at all."""
        folder = self._folder(project, manifest)
        path = folder / f"base-{name}.parquet"
        with storing("base cells"), held(folder):
            if not path.exists():
                make(path)
        return path

    def clear(self) -> None:
        """Remove what the dead left half-made."""
        for folder in self.root.glob("*/*/"):
            clear(folder)

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
