"""Base cells on disk: `<root>/<dataset>-<release>/<name>/`, whole or not at all; they can be made again.

The name is a fingerprint of all that makes them, so every project for which that is the same shares them.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from portal.catalogue.release import Manifest
from portal.folders import clear, held, storing
from portal.ids import DatasetName, Fingerprint

_UNFINISHED = ".making-"


class BaseStore(Protocol):
    """Keeps the base cells of releases."""

    def folder(self, manifest: Manifest, name: Fingerprint, make: Callable[[Path], None]) -> Path:
        """Return the folder of this name; where it is not there yet, `make` fills it, once for all who wait."""
        ...

    def discard(self, manifest: Manifest, name: Fingerprint) -> None:
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

    def folder(self, manifest: Manifest, name: Fingerprint, make: Callable[[Path], None]) -> Path:
        """Return the folder; raises what `make` raises, and then nothing is left of it."""
        release = self._release(manifest)
        if not (release / name).is_dir():
            with storing("base cells"), held(release):
                if not (release / name).is_dir():
                    _make(release, name, make)
        return release / name

    def discard(self, manifest: Manifest, name: Fingerprint) -> None:
        """Remove a folder; whoever has its files open reads on."""
        release = self._release(manifest)
        with held(release):
            shutil.rmtree(release / name, ignore_errors=True)

    def remove(self, dataset: DatasetName, release: int) -> None:
        """Remove the release's folder; whoever has its files open reads on."""
        shutil.rmtree(self._folder(dataset, release), ignore_errors=True)

    def clear(self) -> None:
        """Remove what the dead left half-made."""
        for release in self.root.glob("*/"):
            clear(release)

    def _release(self, manifest: Manifest) -> Path:
        return self._folder(manifest.dataset, manifest.number)

    def _folder(self, dataset: str, release: int) -> Path:
        return self.root / f"{dataset}-{release:06d}"


def _make(release: Path, name: Fingerprint, make: Callable[[Path], None]) -> None:
    for leftover in release.glob(f"{_UNFINISHED}*"):  # of a process that was killed: the lock is ours
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=release) as folder:
        made = Path(folder, "made")
        made.mkdir()
        make(made)
        made.rename(release / name)
