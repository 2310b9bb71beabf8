"""Answers on disk: written whole before anyone sees a row, kept apart by project, gone after their days.

An answer is written under the name of its receipt. Once it is charged it may be kept under the name of its question,
and is given again to who asks the same of the same data.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.ipc

from portal.engines.port import AnswerStream
from portal.errors import Fault, LimitReached
from portal.ids import Fingerprint, ProjectId, ReceiptId


@dataclass(frozen=True, slots=True)
class Spooled:
    """An answer on disk. `notes` are what must be remembered with it."""

    path: Path
    rows: int
    complete: bool
    notes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Spool:
    """The folder of answers."""

    root: Path

    def write(
        self,
        project: ProjectId,
        receipt: ReceiptId,
        answer: AnswerStream,
        notes: Mapping[str, str] = MappingProxyType({}),
    ) -> Spooled:
        """Drain the answer to an Arrow file; on any error nothing stays."""
        folder = self.root / project
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{os.urandom(8).hex()}"
        rows = 0
        try:
            with pa.ipc.new_file(str(temporary), answer.schema.with_metadata(dict(notes))) as writer:
                for batch in answer.batches():
                    writer.write_batch(batch)
                    rows += batch.num_rows
            path = temporary.replace(folder / f"{receipt}.arrow")
        except OSError as error:
            raise LimitReached(
                Fault("DISK_FULL", "The answer could not be stored.", fix="Tell the operator; nothing was charged.")
            ) from error
        finally:
            temporary.unlink(missing_ok=True)
        return Spooled(path, rows, answer.complete, notes)

    def keep(self, spooled: Spooled, question: Fingerprint) -> Spooled:
        """Keep a whole answer under the name of its question."""
        return replace(spooled, path=spooled.path.replace(spooled.path.with_name(f"{question}.arrow")))

    def find(self, project: ProjectId, question: Fingerprint) -> Spooled | None:
        """Return the whole answer to a question that the project asked before, if it is still there."""
        path = self.root / project / f"{question}.arrow"
        try:
            os.utime(path)
            with pa.memory_map(str(path)) as source:
                reader = pa.ipc.open_file(source)
                rows = sum(reader.get_batch(index).num_rows for index in range(reader.num_record_batches))
                notes = {key.decode(): value.decode() for key, value in (reader.schema.metadata or {}).items()}
        except (OSError, pa.ArrowInvalid):
            return None
        return Spooled(path, rows, complete=True, notes=notes)

    @contextmanager
    def alone(self, project: ProjectId) -> Iterator[None]:
        """Hold a project, which has answers, against other threads and processes that would count its rows as well."""
        folder = os.open(self.root / project, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def remove_project(self, project: ProjectId) -> None:
        """Remove every answer of a project."""
        for path in (self.root / project).glob("*.arrow"):
            path.unlink(missing_ok=True)

    def expire(self, now: datetime, days: float, most_bytes: int) -> None:
        """Remove the answers that nobody asked for in so many days, and the oldest of what is more than fits."""
        oldest, kept = (now - timedelta(days=days)).timestamp(), 0
        found = [(path.stat(), path) for path in self.root.glob("*/*.arrow")]
        for status, path in sorted(found, key=lambda one: -one[0].st_mtime):
            kept += status.st_size
            if status.st_mtime < oldest or kept > most_bytes:
                path.unlink(missing_ok=True)
