"""What a governed copy's folder says of its files: `current.json`, and whether each file is still as it was made.

It lists the files of the copy in force and of the one before it, so that a statement that began on the older copy can
still end. A file's size and time of change are looked at whenever it is used, its checksum where those differ.
"""

import fcntl
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from portal.fingerprints import canonical_json
from portal.folders import written
from portal.publishing.releases import sha256_of

DAMAGED = ".damaged"
"""The ending of a file that was set aside."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A governed file as it was made: its rows, its bytes and their checksum, and when it was changed last."""

    rows: int
    bytes: int
    sha256: str
    changed_ns: int


Kept = Mapping[str, KeptFile]
"""Governed files by name."""


def governed_path(folder: Path, name: str) -> Path:
    """Return where a governed file lies."""
    return folder / f"{name}.parquet"


def describe(path: Path, rows: int, sha256: str | None = None) -> KeptFile:
    """Describe a file that was just made; its checksum is read from it where it is not known."""
    status = path.stat()
    return KeptFile(rows, status.st_size, sha256 or sha256_of(path), status.st_mtime_ns)


def is_untouched(path: Path, kept: KeptFile) -> bool:
    """Whether nobody has written to the file since it was described, as far as the file system tells."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return False
    return (status.st_size, status.st_mtime_ns) == (kept.bytes, kept.changed_ns)


def is_as_made(path: Path, kept: KeptFile) -> bool:
    """Whether every byte of the file is as it was made."""
    try:
        return path.stat().st_size == kept.bytes and sha256_of(path) == kept.sha256
    except OSError:
        return False


def set_aside(path: Path) -> None:
    """Take a damaged file out of use, and leave it for the operator to look at."""
    path.replace(path.with_name(path.name + DAMAGED))


@dataclass(frozen=True, slots=True)
class Record:
    """What a folder knows of its files: of the copy in force, of the one before, and of one that is being made."""

    files: Kept = field(default_factory=dict)
    previous: Kept = field(default_factory=dict)
    made: Kept = field(default_factory=dict)

    @property
    def usable(self) -> Kept:
        """The files of copies that were whole once."""
        return {**self.previous, **self.files}

    @property
    def known(self) -> Kept:
        """Every file, so that a build that was cut short goes on where it stopped."""
        return {**self.made, **self.usable}


def read(folder: Path) -> Record:
    """Return what the folder knows; nothing where there is no record, or one from before there were checksums."""
    try:
        found: Mapping[str, Mapping[str, Mapping[str, Any]]] = json.loads((folder / "current.json").read_text())
        return Record(
            **{part: {name: KeptFile(**facts) for name, facts in files.items()} for part, files in found.items()}
        )
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return Record()


def write(folder: Path, record: Record) -> None:
    """Keep the record, whole or not at all."""
    with written(folder / "current.json") as path:
        path.write_text(canonical_json(_as_json(record)))


@contextmanager
def exclusive(folder: Path, wait: Callable[[], object]) -> Iterator[None]:
    """Hold the folder against other threads and processes that would build in it; `wait` while one of them does."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        while not _taken(lock.fileno(), fcntl.LOCK_EX):
            wait()
        yield


def is_held(folder: Path) -> bool:
    """Whether somebody builds in the folder now."""
    try:
        with (folder / ".lock").open("r") as lock:
            return not _taken(lock.fileno(), fcntl.LOCK_SH)
    except FileNotFoundError:
        return False


def _taken(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _as_json(record: Record) -> dict[str, dict[str, Any]]:
    parts = {"files": record.files, "previous": record.previous, "made": record.made}
    return {part: {name: asdict(file) for name, file in files.items()} for part, files in parts.items()}
