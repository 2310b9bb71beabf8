"""Answers on disk: written whole before anyone sees a row, kept apart by project, gone after their days."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc

from portal.engines.port import AnswerStream
from portal.errors import Fault, LimitReached
from portal.ids import ProjectId, ReceiptId


@dataclass(frozen=True, slots=True)
class Spooled:
    """An answer that is whole on disk."""

    path: Path
    rows: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Spool:
    """The folder of answers."""

    root: Path

    def write(self, project: ProjectId, receipt: ReceiptId, answer: AnswerStream) -> Spooled:
        """Drain the answer to an Arrow file; on any error nothing stays."""
        folder = self.root / project
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{os.urandom(8).hex()}"
        rows = 0
        try:
            with pa.ipc.new_file(str(temporary), answer.schema) as writer:
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
        return Spooled(path, rows, answer.complete)

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

    def expire(self, now: datetime, days: float) -> None:
        """Remove the answers that are older than so many days."""
        oldest = (now - timedelta(days=days)).timestamp()
        for path in self._answers():
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)

    def _answers(self) -> Iterator[Path]:
        return self.root.glob("*/*.arrow")
