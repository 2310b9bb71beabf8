"""Governed copies on disk: built on first use or ahead of it, whole or not at all, reused until something changes.

`<root>/<project>/<dataset>/` holds the governed files and what is known of them (`portal.workspaces.kept`). Who needs a
copy that somebody else is building waits for it, whichever thread or process that is: the folder is held by one.
"""

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from portal.catalogue.dataset import Dataset
from portal.catalogue.release import Manifest
from portal.engines.port import Progress, TrustedEngine
from portal.errors import EngineFailure, Fault
from portal.fingerprints import fingerprint
from portal.folders import clear, storing, written
from portal.ids import DatasetName, Fingerprint, ProjectId
from portal.keys import Keys
from portal.policy.decision import Obligations
from portal.publishing.releases import ReleaseStore
from portal.sql.plan import TableSchema
from portal.workspaces import kept
from portal.workspaces.kept import Kept, KeptFile, Record, governed_path
from portal.workspaces.plan import GovernedFile, Making, governed_schema, plan_copy

LOOK_EVERY = 0.1
"""Seconds between two looks at a copy that somebody else builds."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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
class CopyState:
    """How far a governed copy is: `ready` of its `files` are there; `rows` None until all of them are."""

    files: int
    ready: int
    rows: int | None
    is_building: bool


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

        `progress` is told often, on any thread, and may raise an error of the family to end the work. Raises
        `LimitReached` where the disk is full, `ContentError` where a file of the release and `EngineFailure` where one
        of the copy is not as it was made; the copy that was in force before stays.
        """
        folder, tell = self._folder(project, dataset.name), progress or _silent
        files = plan_copy(dataset, manifest, obligations, project, self.keys.project(project))

        def wait() -> None:
            tell(*_told(dataset.name, _ready(folder, files), files))
            time.sleep(LOOK_EVERY)

        standing = _standing(folder, files)
        if standing is None:
            with storing("the governed copy"), kept.exclusive(folder, wait):
                standing = _standing(folder, files) or self._build(folder, manifest, files, tell)
        return GovernedCopy(
            dataset.name,
            manifest.number,
            governed_schema(dataset, obligations),
            tuple(governed_path(folder, file.name) for file in files),
            sum(file.rows for file in standing.values()),
            fingerprint([file.name for file in files]),
        )

    def state(self, project: ProjectId, dataset: Dataset, manifest: Manifest, obligations: Obligations) -> CopyState:
        """Say how far a governed copy is, whoever builds it."""
        folder = self._folder(project, dataset.name)
        files = plan_copy(dataset, manifest, obligations, project, self.keys.project(project))
        standing = _standing(folder, files)
        if standing is not None:
            return CopyState(len(files), len(files), sum(file.rows for file in standing.values()), is_building=False)
        return CopyState(len(files), _ready(folder, files), None, kept.is_held(folder))

    def remove(self, project: ProjectId, dataset: DatasetName | None = None) -> None:
        """Remove a project's governed copies, of one dataset or of all, at once."""
        folder = self._folder(project, dataset) if dataset else self.root / project
        if folder.exists():
            doomed = self.root / f".removed-{os.urandom(8).hex()}"
            folder.replace(doomed)
            shutil.rmtree(doomed)

    def clear(self) -> None:
        """Remove what the dead left half-made, or half-removed."""
        for doomed in self.root.glob(".removed-*"):
            shutil.rmtree(doomed, ignore_errors=True)
        for folder in self.root.glob("[!.]*/*/"):
            clear(folder)

    def held(self) -> Iterator[tuple[ProjectId, DatasetName]]:
        """Yield every governed copy that is on disk."""
        for folder in sorted(self.root.glob("[!.]*/*/")):
            yield ProjectId(folder.parent.name), DatasetName(folder.name)

    def damaged(self, project: ProjectId, dataset: DatasetName) -> tuple[str, ...]:
        """Read every file of a copy; return the names of those that are not as they were made, or were set aside."""
        folder = self._folder(project, dataset)
        found = [path.name for path in _damaged_files(folder)]
        return tuple(sorted([*found, *(path.name for path in folder.glob(f"*{kept.DAMAGED}"))]))

    def set_damaged_aside(self, project: ProjectId, dataset: DatasetName) -> tuple[str, ...]:
        """Take what is damaged out of use, so that it is made anew when it is next needed; return the names."""
        folder = self._folder(project, dataset)
        with kept.exclusive(folder, lambda: time.sleep(LOOK_EVERY)):
            found = _damaged_files(folder)
            for path in found:
                kept.set_aside(path)
        return tuple(path.name for path in found)

    def _folder(self, project: ProjectId, dataset: DatasetName) -> Path:
        return self.root / project / dataset

    def _build(self, folder: Path, manifest: Manifest, files: Sequence[GovernedFile], tell: Progress) -> Kept:
        origins = {file.path: path for file, path in zip(manifest.files, self.releases.paths(manifest), strict=True)}
        record = kept.read(folder)
        _refuse_damaged(folder, {file.name: record.known[file.name] for file in files if file.name in record.known})
        _sweep(folder, set(record.known))
        made: dict[str, KeptFile] = {}
        for number, file in enumerate(files):
            told = _told(manifest.dataset, number, files)
            tell(*told)
            path, before = governed_path(folder, file.name), record.known.get(file.name)
            if before and path.exists():
                made[file.name] = kept.describe(path, before.rows, before.sha256)
            else:
                made[file.name] = self._make(file, origins, path, partial(tell, *told))
                kept.write(folder, replace(record, made={**record.made, **made}))
        kept.write(folder, Record(made, previous=record.files))
        _sweep(folder, {*made, *record.files})
        return made

    def _make(
        self, file: GovernedFile, origins: Mapping[str, Path], target: Path, heed: Callable[[], object]
    ) -> KeptFile:
        sources = [origins[origin.path] for origin in file.origins]
        if file.making is Making.LINK:
            _link(sources[0], target)
            return kept.describe(target, file.origins[0].rows, file.origins[0].sha256)
        written = self.engine.heeding(heed).copy(file.select, {"source": sources}, target)
        return kept.describe(target, written.rows)


def _silent(_share: float, _words: str) -> None:
    """Tell nobody."""


def _told(dataset: str, ready: int, files: Sequence[GovernedFile]) -> tuple[float, str]:
    return ready / len(files), f"{dataset}: file {min(ready + 1, len(files))} of {len(files)}"


def _standing(folder: Path, files: Sequence[GovernedFile]) -> Kept | None:
    usable = kept.read(folder).usable
    found: Kept = {file.name: usable[file.name] for file in files if file.name in usable}
    whole = len(found) == len({file.name for file in files})
    return found if whole and all(kept.is_untouched(governed_path(folder, n), f) for n, f in found.items()) else None


def _ready(folder: Path, files: Sequence[GovernedFile]) -> int:
    return sum(1 for file in files if governed_path(folder, file.name).exists())


def _damaged_files(folder: Path) -> list[Path]:
    paths = {governed_path(folder, name): file for name, file in kept.read(folder).known.items()}
    return [path for path, file in paths.items() if path.exists() and not kept.is_as_made(path, file)]


def _refuse_damaged(folder: Path, known: Kept) -> None:
    """Set aside what is no longer as it was made, and say so; when it is next needed it is made anew."""
    paths = {governed_path(folder, name): file for name, file in known.items()}
    touched = {path: file for path, file in paths.items() if path.exists() and not kept.is_untouched(path, file)}
    damaged = [path for path, file in touched.items() if not kept.is_as_made(path, file)]
    for path in damaged:
        kept.set_aside(path)
    if damaged:
        raise EngineFailure(
            Fault(
                "COPY_DAMAGED",
                f"A file of the project's copy of {folder.name} was no longer as it was made; it was set aside.",
                rule="checksum",
                fix="Ask again: it is made anew. The operator sees it in `portal doctor`.",
                dataset=folder.name,
            )
        )


def _sweep(folder: Path, names: set[str]) -> None:
    """Remove every file but these, and what a killed process left half-made."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif (path.suffix == ".parquet" and path.stem not in names) or path.name.startswith((".current-", ".link-")):
            path.unlink(missing_ok=True)


def _link(origin: Path, target: Path) -> None:
    with written(target) as path:
        try:
            os.link(origin, path)
        except OSError:  # another file system, or one without links
            shutil.copyfile(origin, path)
