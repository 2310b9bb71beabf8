"""Base cells on disk: `<root>/<dataset>-<release>/<name>/`, whole or not at all; they can be made again.

The name is a fingerprint of all that makes them, so every project for which that is the same shares them.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from portal.catalogue.release import Placed, is_made_of
from portal.folders import clear, held, storing
from portal.ids import DatasetName, Fingerprint

_UNFINISHED = ".making-"


class BaseStore(Protocol):
    """Keeps the base cells of releases."""

    def folder(self, release: Placed, name: Fingerprint, make: Callable[[Path], None]) -> Path:
        """Return the folder of this name; where it is not there yet, `make` fills it, once for all who wait."""
        ...

    def has(self, release: Placed, name: Fingerprint) -> bool:
        """Say whether the folder of this name is there, and so whole."""
        ...

    def discard(self, release: Placed, name: Fingerprint) -> None:
        """Remove a folder that is no good, so that it is made again."""
        ...

    def remove(self, dataset: DatasetName, release: int) -> None:
        """Remove all base cells of a release that has ended."""
        ...

    def clear(self) -> None:
        """Remove what the dead left half-made."""
        ...


@dataclass(frozen=True, slots=True)
class FileBaseStore:
    """The store in files, for many threads and processes."""

    root: Path

    def folder(self, release: Placed, name: Fingerprint, make: Callable[[Path], None]) -> Path:
        """Return the folder; raises what `make` raises, and then nothing is left of it."""
        folder = self._folder(release)
        if not self.has(release, name):
            with storing("base cells"), held(folder):
                if not self.has(release, name):
                    _make(folder, name, make)
        return folder / name

    def has(self, release: Placed, name: Fingerprint) -> bool:
        """Say whether the folder is there; it appears whole."""
        return (self._folder(release) / name).is_dir()

    def discard(self, release: Placed, name: Fingerprint) -> None:
        """Remove a folder; whoever has its files open reads on."""
        folder = self._folder(release)
        with held(folder):
            shutil.rmtree(folder / name, ignore_errors=True)

    def remove(self, dataset: DatasetName, release: int) -> None:
        """Remove what was made of the release, alone or joined; whoever has its files open reads on."""
        for folder in self.root.glob("*/"):
            if is_made_of(folder.name, dataset, release):
                shutil.rmtree(folder, ignore_errors=True)

    def clear(self) -> None:
        """Remove what the dead left half-made."""
        for folder in self.root.glob("*/"):
            clear(folder)

    def _folder(self, release: Placed) -> Path:
        return self.root / release.place


def _make(release: Path, name: Fingerprint, make: Callable[[Path], None]) -> None:
    for leftover in release.glob(f"{_UNFINISHED}*"):  # of a process that was killed: the lock is ours
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=release) as folder:
        made = Path(folder, "made")
        made.mkdir()
        make(made)
        made.rename(release / name)
