"""The releases on disk: `<root>/<dataset>/<number>/` with its files and, written last, its `manifest.json`."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from portal.catalogue.release import Ending, Manifest, ReleaseFile
from portal.errors import ContentError, Fault, NotFoundError
from portal.folders import alone, clear, storing, written
from portal.ids import DatasetName

MANIFEST = "manifest.json"
CODEBOOK = "codebook.json"
"""The dataset's definition as it was when the release was published."""
TOMBSTONE = "ended.json"
STAGING = "staging-"
"""How the folder of a publication's rows begins, which outlives a publication that was stopped."""


def release_folder(root: Path, dataset: DatasetName, number: int) -> Path:
    """Return where a release lies."""
    return root / dataset / f"{number:06d}"


@dataclass(frozen=True, slots=True)
class ReleaseStore:
    """Finds releases. A release never changes, so its manifest is read, and each file checked, once."""

    root: Path
    _read: dict[Path, Manifest] = field(default_factory=dict, init=False, repr=False, compare=False)
    _intact: dict[Path, tuple[int, int]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def datasets(self) -> tuple[DatasetName, ...]:
        """Return the datasets of which anything was ever published."""
        return tuple(sorted(DatasetName(folder.name) for folder in self.root.glob("*/")))

    def numbers(self, dataset: DatasetName) -> tuple[int, ...]:
        """Return every number that a release of the dataset has, oldest first; none is ever given twice."""
        folder = self.root / dataset
        names = (entry.name for entry in folder.iterdir()) if folder.is_dir() else ()
        return tuple(sorted(int(name) for name in names if name.isdecimal()))

    def served(self, dataset: DatasetName) -> tuple[int, ...]:
        """Return the numbers of the releases that have not ended, oldest first."""
        return tuple(number for number in self.numbers(dataset) if not self._tombstone(dataset, number).exists())

    def latest(self, dataset: DatasetName) -> Manifest | None:
        """Return the newest release that is served, None where there is none. Raises `ContentError`."""
        numbers = self.served(dataset)
        return self.get(dataset, numbers[-1]) if numbers else None

    def readable(self, dataset: DatasetName) -> Manifest | None:
        """Return the newest release that is served, None where its manifest cannot be read.

        For what is told or done of all datasets: that one is damaged must not stop the others.
        """
        with suppress(ContentError):
            return self.latest(dataset)
        return None

    def get(self, dataset: DatasetName, number: int) -> Manifest:
        """Return a release's manifest. Raises `NotFoundError`, or `ContentError` where it cannot be read."""
        if ending := self.ending(dataset, number):
            raise NotFoundError(_ended(dataset, number, ending))
        return self.record(dataset, number)

    def record(self, dataset: DatasetName, number: int) -> Manifest:
        """Return what the platform keeps of a release, whether or not it has ended. Raises as `get` does."""
        folder = release_folder(self.root, dataset, number)
        if not folder.is_dir():
            raise NotFoundError(_no_release(dataset, number))
        if folder not in self._read:
            self._read[folder] = _read_manifest(folder, dataset, number)
        return self._read[folder]

    def paths(self, manifest: Manifest) -> list[Path]:
        """Return the release's files, in the manifest's order. Raises `ContentError` where one is not as published."""
        if faults := [fault for file in manifest.files if (fault := self._fault_of(manifest, file))]:
            raise ContentError(*faults)
        return [self._folder(manifest) / file.relative for file in manifest.files]

    def verify(self, manifest: Manifest) -> tuple[Fault, ...]:
        """Read every file of the release, and return a fault for each that is not as it was published."""
        self._intact.clear()
        return tuple(fault for file in manifest.files if (fault := self._fault_of(manifest, file)))

    def ending(self, dataset: DatasetName, number: int) -> Ending | None:
        """Return how a release ended, None where it has not. Raises `ContentError` where that cannot be read."""
        try:
            return Ending.model_validate_json(self._tombstone(dataset, number).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise ContentError(_unreadable(dataset, number)) from error

    def end(self, manifest: Manifest, ending: Ending) -> None:
        """Put the tombstone, from which moment nobody is served, and remove the data; the manifest stays."""
        dataset, folder = self.name_of(manifest), self._folder(manifest)
        with storing("the end of the release"), written(self._tombstone(dataset, manifest.number)) as path:
            path.write_text(ending.model_dump_json(indent=1))
        self._read.pop(folder, None)
        _remove_all_but_records(folder)

    def codebook(self, manifest: Manifest) -> Mapping[str, Any] | None:
        """Return the dataset's definition as it was at a release, None where it was not kept."""
        try:
            found: dict[str, Any] = json.loads((self._folder(manifest) / CODEBOOK).read_bytes())
        except (OSError, ValueError):
            return None
        return found

    @staticmethod
    def name_of(manifest: Manifest) -> DatasetName:
        """Return whose release it is."""
        return DatasetName(manifest.dataset)

    def clear(self) -> None:
        """Remove what publications that died left half-made, and what was left of releases that have ended."""
        for folder in self.root.glob("*/"):
            clear(folder)
        for tombstone in self.root.glob(f"*/*/{TOMBSTONE}"):
            _remove_all_but_records(tombstone.parent)

    def forget_stopped(self, before: datetime) -> None:
        """Remove the rows that stopped publications left, and that none went on from since this time."""
        for work in self.root.glob(f"*/{STAGING}*/"):
            with suppress(BlockingIOError), alone(work.parent):
                if work.stat().st_mtime < before.timestamp():
                    shutil.rmtree(work, ignore_errors=True)

    def _fault_of(self, manifest: Manifest, file: ReleaseFile) -> Fault | None:
        """Say what is wrong with a file; it is read where its size or time differ from those of the last look."""
        path = self._folder(manifest) / file.relative
        try:
            status = path.stat()
            seen = status.st_size, status.st_mtime_ns
            if self._intact.get(path) != seen and sha256_of(path) != file.sha256:
                return _damaged(manifest, f"has a changed {file.path}")
        except OSError:
            return _damaged(manifest, f"has lost {file.path}")
        self._intact[path] = seen
        return None

    def _folder(self, manifest: Manifest) -> Path:
        return release_folder(self.root, self.name_of(manifest), manifest.number)

    def _tombstone(self, dataset: DatasetName, number: int) -> Path:
        return release_folder(self.root, dataset, number) / TOMBSTONE


def _remove_all_but_records(folder: Path) -> None:
    """Remove a release's data, and its risk report, which names classes of it."""
    for path in folder.iterdir():
        if path.name not in {MANIFEST, CODEBOOK, TOMBSTONE}:
            path.unlink(missing_ok=True)


def sha256_of(path: Path) -> str:
    """Return the file's checksum in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_manifest(folder: Path, dataset: DatasetName, number: int) -> Manifest:
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise ContentError(_unreadable(dataset, number)) from error
    if (manifest.dataset, manifest.number) != (dataset, number):
        raise ContentError(_unreadable(dataset, number))
    return manifest


def _no_release(dataset: DatasetName, number: int) -> Fault:
    return Fault(
        "RELEASE_UNKNOWN",
        f"There is no release {number} of {dataset!r}.",
        fix="Look up the dataset's releases.",
        dataset=dataset,
    )


def _ended(dataset: DatasetName, number: int, ending: Ending) -> Fault:
    return Fault(
        "RELEASE_ENDED",
        f"Release {number} of {dataset!r} was {ending.kind} on {ending.at:%Y-%m-%d}: {ending.because}",
        rule="a release that has ended is served to nobody, and its number is never given again",
        fix="Use the dataset's latest release.",
        dataset=dataset,
    )


def _unreadable(dataset: DatasetName, number: int) -> Fault:
    return Fault(
        "RELEASE_UNREADABLE",
        f"The manifest of release {number} of {dataset!r} cannot be read.",
        rule="a release never changes once it is published",
        fix="Restore it from a backup, or publish the dataset anew.",
        dataset=dataset,
    )


def _damaged(manifest: Manifest, what: str) -> Fault:
    return Fault(
        "RELEASE_DAMAGED",
        f"Release {manifest.number} of {manifest.dataset!r} {what}.",
        rule="a release never changes once it is published",
        fix="Restore it from a backup, or publish the dataset anew.",
        dataset=manifest.dataset,
    )
