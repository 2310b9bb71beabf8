"""The portal's own SQL on the platform's extracts: builds governed copies, answers the portal's own questions.

Never given a researcher's text. Each call has an instance of its own, which opens no file but those of the call.
DuckDB quotes rows and its SQL, which may hold a project's key, in what it says; so that is not even kept as a cause.
"""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import duckdb
import pyarrow as pa

from portal.engines.duckdb.faults import broken
from portal.engines.duckdb.hardening import connect, create_table, seal, text
from portal.engines.port import WrittenFile
from portal.errors import Fault, LimitReached, PortalError
from portal.folders import put

HEED_EVERY = 0.2
"""Seconds between two looks at whether the work is still wanted."""
_NO_ROOM = tuple(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_NOT_PARQUET = (duckdb.IOException, duckdb.InvalidInputException, duckdb.SerializationException)


class DuckDBTrusted:
    """The trusted engine port. For many threads; each call may use `threads` threads and `memory_bytes`."""

    def __init__(
        self, *, threads: int = 2, memory_bytes: int = 2_000_000_000, heed: Callable[[], object] | None = None
    ) -> None:
        self._threads = threads
        self._memory_bytes = memory_bytes
        self._heed = heed

    def heeding(self, heed: Callable[[], object]) -> "DuckDBTrusted":
        """Return the same engine, whose calls ask `heed` every while; what it raises ends the call."""
        return DuckDBTrusted(threads=self._threads, memory_bytes=self._memory_bytes, heed=heed)

    def copy(
        self,
        select: str,
        tables: Mapping[str, Sequence[Path]],
        target: Path,
        metadata: Mapping[str, str] | None = None,
    ) -> WrittenFile:
        """Write the answer of `select` over the named Parquet tables as one zstd Parquet file at `target`.

        Raises `LimitReached` where disk or memory does not suffice, `EngineFailure` where a file cannot be read, and
        what `heed` raises; `target` is then as it was, and nothing is left beside it.
        """
        pairs = ", ".join(f"{text(key)}: {text(value)}" for key, value in (metadata or {}).items())
        options = "FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false" + (
            f", KV_METADATA {{{pairs}}}" if pairs else ""
        )
        with _in_our_words(), tempfile.TemporaryDirectory(prefix=".", dir=target.parent) as folder:
            part = Path(folder, "part")
            with self._instance(tables, folder, writes=part) as instance:
                counted = instance.execute(f"COPY ({select}) TO {text(str(part))} ({options})").fetchone()
            put(part, target)
        assert counted is not None
        return WrittenFile(target, int(counted[0]))

    def fetch(self, select: str, tables: Mapping[str, Sequence[Path]]) -> pa.Table:
        """Return the answer of `select` over the named Parquet tables; raises as `copy` does."""
        with _in_our_words(), tempfile.TemporaryDirectory() as folder, self._instance(tables, folder) as instance:
            relation = instance.sql(select)
            assert relation is not None
            return relation.to_arrow_table()

    @contextmanager
    def _instance(
        self, tables: Mapping[str, Sequence[Path]], spill: str, writes: Path | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        with connect(threads=self._threads, async_threads=self._threads, memory_bytes=self._memory_bytes) as instance:
            instance.execute(f"SET temp_directory = {text(spill)}")
            paths = {name: [str(path.resolve()) for path in files] for name, files in tables.items()}
            for name, files in paths.items():
                create_table(instance, name, files)
            seal(instance, [path for files in paths.values() for path in files] + ([str(writes)] if writes else []))
            with _heeding(instance, self._heed):
                yield instance


@contextmanager
def _heeding(instance: duckdb.DuckDBPyConnection, heed: Callable[[], object] | None) -> Iterator[None]:
    """Ask `heed` every while as long as the instance works; what it raises interrupts the work, and is raised here."""
    done, raised = Event(), list[PortalError]()

    def watch(ask: Callable[[], object]) -> None:
        while not done.wait(HEED_EVERY):
            try:
                ask()
            except PortalError as error:
                raised[:] = [error]
                instance.interrupt()

    watcher = Thread(target=watch, args=(heed,), daemon=True) if heed else None
    if watcher:
        watcher.start()
    try:
        yield
    except duckdb.InterruptException:
        if raised:
            raise raised[0] from None
        raise
    finally:
        done.set()
        if watcher:
            watcher.join()


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise _error_of(error) from None


def _error_of(error: Exception) -> PortalError:
    if isinstance(error, duckdb.OutOfMemoryException):
        message = "There is not enough memory to prepare the data. What was there before stays."
        return LimitReached(Fault("MEMORY_LIMIT", message, rule="memory", fix="Tell the operator."))
    if any(words in str(error) for words in _NO_ROOM):
        message = "There is no room on the disk to prepare the data. What was there before stays."
        return LimitReached(Fault("DISK_FULL", message, rule="disk", fix="Tell the operator; then try again."))
    if isinstance(error, _NOT_PARQUET):
        return broken("CORRUPT_FILE", "A file of the release is cut short or damaged.", type(error).__name__)
    return broken("ENGINE_FAILED", "The data could not be prepared.", type(error).__name__)
