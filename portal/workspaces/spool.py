"""Answers on disk: written whole before anyone sees a row, kept apart by project, gone after their days.

An answer is written under the name of its receipt. Once it is charged a note may be kept under the name of its
question, by which it is given again to who asks the same of the same data: the same to the last byte, or not at all.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.ipc

from portal.engines.port import AnswerStream
from portal.errors import Fault, NotFoundError
from portal.folders import clear, held, storing, written
from portal.ids import Fingerprint, ProjectId, ReceiptId
from portal.publishing.releases import sha256_of

_GONE = Fault("ANSWER_GONE", "This answer is not kept any more.", rule="result_days", fix="Ask again.")


@dataclass(frozen=True, slots=True)
class Spooled:
    """An answer on disk. `notes` are what must be remembered with it."""

    path: Path
    rows: int
    complete: bool
    notes: Mapping[str, str]


@contextmanager
def opened(spool: Path) -> Iterator[pa.ipc.RecordBatchFileReader]:
    """Open an answer, to be read piece by piece. Raises `NotFoundError` where it is gone, or was cut short."""
    with ExitStack() as stack:
        try:
            reader = pa.ipc.open_file(stack.enter_context(pa.OSFile(str(spool))))
        except (OSError, pa.ArrowInvalid) as error:
            raise NotFoundError(_GONE) from error
        yield reader


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
        path, rows = self.root / project / f"{receipt}.arrow", 0
        schema = answer.schema.with_metadata(dict(notes))
        with (
            storing("the answer"),
            held(path.parent, shared=True),
            written(path, for_good=False) as temporary,
            pa.ipc.new_file(str(temporary), schema) as writer,
        ):
            for batch in answer.batches():
                writer.write_batch(batch)
                rows += batch.num_rows
        return Spooled(path, rows, answer.complete, notes)

    def keep(self, spooled: Spooled, question: Fingerprint) -> None:
        """Note by which answer a question is answered."""
        note = {
            "answer": spooled.path.name,
            "sha256": sha256_of(spooled.path),
            "rows": spooled.rows,
            "notes": dict(spooled.notes),
        }
        path = _note_of(spooled.path.parent, question)
        with storing("the answer"), held(path.parent, shared=True), written(path, for_good=False) as temporary:
            temporary.write_text(json.dumps(note))

    def find(self, project: ProjectId, question: Fingerprint) -> Spooled | None:
        """Return the whole answer to a question that the project asked before, if it is still there, and intact."""
        note = _note_of(self.root / project, question)
        try:
            found = json.loads(note.read_text())
            path = note.with_name(found["answer"])
            if sha256_of(path) != found["sha256"]:
                return None
            for used in (note, path):
                os.utime(used)
            return Spooled(path, found["rows"], complete=True, notes=found["notes"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @contextmanager
    def alone(self, project: ProjectId) -> Iterator[None]:
        """Hold a project, which has answers, against other threads and processes that would count its rows as well."""
        folder = os.open(self.root / project, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def remove_project(self, project: ProjectId, before: datetime | None = None) -> None:
        """Remove every answer of a project, or those that were last used `before` then."""
        for path in (self.root / project).glob("[!.]*"):
            if before is None or path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)

    def remove_all(self) -> None:
        """Remove every answer of every project."""
        for folder in self.root.glob("*/"):
            self.remove_project(ProjectId(folder.name))

    def clear(self) -> None:
        """Remove what the dead left half-written."""
        for folder in self.root.glob("*/"):
            clear(folder)

    def expire(self, now: datetime, days: float, most_bytes: int) -> None:
        """Remove the answers that nobody asked for in so many days, and the oldest of what is more than fits."""
        oldest, kept = (now - timedelta(days=days)).timestamp(), 0
        found = [(path.stat(), path) for path in self.root.glob("*/[!.]*")]
        for status, path in sorted(found, key=lambda one: -one[0].st_mtime):
            kept += status.st_size
            if status.st_mtime < oldest or kept > most_bytes:
                path.unlink(missing_ok=True)


def _note_of(folder: Path, question: Fingerprint) -> Path:
    return folder / f"{question}.json"
