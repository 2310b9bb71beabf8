"""The releases on disk: `<root>/<dataset>/<number>/` with its files and, written last, its `manifest.json`."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from portal.catalogue.release import Manifest, ReleaseFile
from portal.errors import ContentError, Fault, NotFoundError
from portal.folders import clear
from portal.ids import DatasetName

MANIFEST = "manifest.json"
CODEBOOK = "codebook.json"
"""The dataset's definition as it was when the release was published."""


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
        """Return the numbers of the dataset's releases, oldest first."""
        folder = self.root / dataset
        names = (entry.name for entry in folder.iterdir()) if folder.is_dir() else ()
        return tuple(sorted(int(name) for name in names if name.isdecimal()))

    def latest(self, dataset: DatasetName) -> Manifest | None:
        """Return the newest release, None where nothing was published yet. Raises `ContentError`."""
        numbers = self.numbers(dataset)
        return self.get(dataset, numbers[-1]) if numbers else None

    def get(self, dataset: DatasetName, number: int) -> Manifest:
        """Return a release's manifest. Raises `NotFoundError`, or `ContentError` where it cannot be read."""
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

    def clear(self) -> None:
        """Remove what publications that died left half-made."""
        for folder in self.root.glob("*/"):
            clear(folder)

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
        return release_folder(self.root, DatasetName(manifest.dataset), manifest.number)


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
