"""Governed copies on disk: built on first use or ahead of it, whole or not at all, reused until something changes.

`<root>/<project>/<dataset>/` holds the governed files and `current.json`, which lists the files of the copy in force
and of the one before it, so that a statement that began on the older copy can still end.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from portal.catalogue.dataset import Dataset
from portal.catalogue.release import Manifest
from portal.engines.port import Progress, TrustedEngine
from portal.fingerprints import fingerprint
from portal.ids import DatasetName, Fingerprint, ProjectId
from portal.keys import Keys
from portal.policy.decision import Obligations
from portal.publishing.releases import ReleaseStore
from portal.sql.plan import TableSchema
from portal.workspaces.plan import GovernedFile, Making, governed_schema, plan_copy


@dataclass(frozen=True, slots=True)
class GovernedCopy:
    """A dataset as one project may see it. `rows` counts the rows of the copy, none that the policy hides."""

    dataset: DatasetName
    release: int
    schema: TableSchema
    files: tuple[Path, ...]
    rows: int
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class WorkspaceStore:
    """Builds, finds and removes governed copies."""

    root: Path
    releases: ReleaseStore
    engine: TrustedEngine
    keys: Keys

    def ensure(
        self,
        project: ProjectId,
        dataset: Dataset,
        manifest: Manifest,
        obligations: Obligations,
        progress: Progress | None = None,
    ) -> GovernedCopy:
        """Return the governed copy in force, building what is missing of it.

        Raises `LimitReached` where the disk is full and `EngineFailure` where a release file cannot be read; the copy
        that was in force before stays.
        """
        folder = self._folder(project, dataset.name)
        files = plan_copy(dataset, manifest, obligations, project, self.keys.project(project))
        rows = _rows_in_force(folder, files)
        if rows is None:
            with _exclusive(folder):
                rows = _rows_in_force(folder, files) or self._build(folder, manifest, files, progress)
        return GovernedCopy(
            dataset.name,
            manifest.number,
            governed_schema(dataset, obligations),
            tuple(folder / f"{file.name}.parquet" for file in files),
            sum(rows.values()),
            fingerprint([file.name for file in files]),
        )

    def in_force(
        self, project: ProjectId, dataset: Dataset, manifest: Manifest, obligations: Obligations
    ) -> int | None:
        """Return the rows of the governed copy where it stands ready, None where it is yet to be built."""
        files = plan_copy(dataset, manifest, obligations, project, self.keys.project(project))
        rows = _rows_in_force(self._folder(project, dataset.name), files)
        return None if rows is None else sum(rows.values())

    def remove(self, project: ProjectId, dataset: DatasetName | None = None) -> None:
        """Remove a project's governed copies, of one dataset or of all, at once."""
        folder = self._folder(project, dataset) if dataset else self.root / project
        if folder.exists():
            doomed = self.root / f".removed-{os.urandom(8).hex()}"
            folder.replace(doomed)
            shutil.rmtree(doomed)

    def held(self) -> Iterator[tuple[ProjectId, DatasetName]]:
        """Yield every governed copy that is on disk."""
        for folder in sorted(self.root.glob("[!.]*/*/")):
            yield ProjectId(folder.parent.name), DatasetName(folder.name)

    def _folder(self, project: ProjectId, dataset: DatasetName) -> Path:
        return self.root / project / dataset

    def _build(
        self, folder: Path, manifest: Manifest, files: Sequence[GovernedFile], progress: Progress | None
    ) -> Mapping[str, int]:
        origins = {file.path: path for file, path in zip(manifest.files, self.releases.paths(manifest), strict=True)}
        rows: dict[str, int] = {}
        known, current = _known_rows(folder), _read_current(folder).get("files", {})
        for number, file in enumerate(files):
            if progress:
                progress(number / len(files), f"{manifest.dataset}: file {number + 1} of {len(files)}")
            target = folder / f"{file.name}.parquet"
            if target.exists() and file.name in known:
                rows[file.name] = known[file.name]
            else:
                rows[file.name] = self._make(file, [origins[origin.path] for origin in file.origins], target)
        _write_current(folder, rows, previous=current)
        _sweep(folder, {*rows, *current})
        return rows

    def _make(self, file: GovernedFile, origins: Sequence[Path], target: Path) -> int:
        if file.making is Making.LINK:
            _link(origins[0], target)
            return file.origins[0].rows
        return self.engine.copy(file.select, {"source": origins}, target).rows


def _rows_in_force(folder: Path, files: Sequence[GovernedFile]) -> Mapping[str, int] | None:
    current = _known_rows(folder)
    ready = all(file.name in current and (folder / f"{file.name}.parquet").exists() for file in files)
    return {file.name: current[file.name] for file in files} if ready else None


def _known_rows(folder: Path) -> Mapping[str, int]:
    found = _read_current(folder)
    return {**found.get("previous", {}), **found.get("files", {})}


def _read_current(folder: Path) -> Mapping[str, Mapping[str, int]]:
    try:
        found: Mapping[str, Mapping[str, int]] = json.loads((folder / "current.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found


def _write_current(folder: Path, rows: Mapping[str, int], previous: Mapping[str, int]) -> None:
    temporary = folder / f".current-{os.urandom(4).hex()}"
    temporary.write_text(json.dumps({"files": dict(rows), "previous": dict(previous)}))
    temporary.replace(folder / "current.json")


def _sweep(folder: Path, kept: set[str]) -> None:
    for path in folder.glob("*.parquet"):
        if path.stem not in kept:
            path.unlink(missing_ok=True)


def _link(origin: Path, target: Path) -> None:
    temporary = target.with_name(f".{os.urandom(8).hex()}")
    try:
        os.link(origin, temporary)
    except OSError:  # another file system, or one without links
        shutil.copyfile(origin, temporary)
    temporary.replace(target)


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Hold the folder against other threads and processes that would build the same copy."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
