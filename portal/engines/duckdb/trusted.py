"""The trusted engine: the portal's own SQL over the platform's files. No researcher's text comes here.

The SQL may hold a project's key and the files hold what policy hides, and DuckDB quotes both in its messages. So no
message of DuckDB is kept, not even as the cause of an error.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from portal.engines.duckdb.failures import lacking
from portal.engines.duckdb.instance import open_instance, seal, sql_list, sql_name, sql_text
from portal.engines.port import WrittenFile
from portal.errors import EngineFailure, Fault, LimitReached, PortalError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrustedDuckDB:
    """The `TrustedEngine`: each call has its own instance, which can reach the named files and nothing else.

    `memory` is in bytes, for each call.
    """

    threads: int = 2
    memory: int = 2_000_000_000

    def copy(
        self, select: str, files: Sequence[Path], target: Path, metadata: Mapping[str, str] | None = None
    ) -> WrittenFile:
        """Write `select`, in which the relation `source` reads `files`, as one zstd Parquet file at `target`.

        The order of the rows is kept. Raises `LimitReached` where disk or memory runs out and `EngineFailure` where a
        file is damaged; then nothing new is left, and what was at `target` stays.
        """
        temporary = target.with_name(f".{os.urandom(8).hex()}.parquet")
        try:
            with self._over({"source": files}, writes=temporary) as connection:
                rows = connection.execute(_copy(select, temporary, metadata or {})).fetchall()[0][0]
                _flush(temporary)
                temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        return WrittenFile(target, rows)

    def fetch(self, select: str, tables: Mapping[str, Sequence[Path]]) -> pa.Table:
        """Return the answer of `select` over the named Parquet tables. Raises as `copy` does."""
        with self._over(tables) as connection:
            return connection.sql(select).to_arrow_table()

    @contextmanager
    def _over(
        self, tables: Mapping[str, Sequence[Path]], writes: Path | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        named = {name: [str(file) for file in files] for name, files in tables.items()}
        paths = [path for files in named.values() for path in files]
        with open_instance(self.threads, self.memory) as connection:
            try:
                for name, files in named.items():
                    view_files(connection, name, files)
                seal(connection, readable=[*paths, str(writes)] if writes else paths)
                yield connection
            except (duckdb.Error, OSError, MemoryError, RuntimeError) as error:
                raise _in_our_words(error, whole=all(_reads(connection, path) for path in paths)) from None


def view_files(connection: duckdb.DuckDBPyConnection, name: str, files: Sequence[str]) -> None:
    """Name the rows of Parquet files, in the order of the files."""
    connection.execute(
        f"CREATE VIEW {sql_name(name)} AS FROM read_parquet({sql_list(files)}, hive_partitioning = false)"
    )


def _copy(select: str, target: Path, metadata: Mapping[str, str]) -> str:
    facts = ", ".join(f"{sql_name(name)}: {sql_text(value)}" for name, value in metadata.items())
    options = f"FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false, KV_METADATA {{{facts}}}"
    return f"COPY ({select}) TO {sql_text(str(target))} ({options})"


def _flush(path: Path) -> None:
    """Have the file on the disk before its name says that it is whole."""
    with path.open("rb") as written:
        os.fsync(written.fileno())


def _reads(connection: duckdb.DuckDBPyConnection, path: str) -> bool:
    """Read every value of a file by itself."""
    try:
        connection.execute(f"SELECT bit_xor(hash(COLUMNS(*))) FROM read_parquet({sql_text(path)})").fetchall()  # noqa: S608 - a literal
    except (duckdb.Error, RuntimeError):
        return False
    return True


def _in_our_words(error: Exception, *, whole: bool) -> PortalError:
    what = lacking(error)
    if what == "disk":
        fault = Fault("DISK_FULL", "There is no room left to write the data.", fix="Tell the operator to free space.")
        return LimitReached(fault)
    if what == "memory":
        return LimitReached(
            Fault("MEMORY", "There is not enough memory to prepare the data.", fix="Tell the operator to allow more.")
        )
    if not whole:
        return EngineFailure(
            Fault(
                "CORRUPT_FILE",
                "A file of the published data is missing, cut short or damaged.",
                fix="Tell the data steward: the release must be published again.",
            )
        )
    incident = os.urandom(4).hex()
    _LOG.error("incident %s: the portal's own statement failed with %s", incident, type(error).__name__)
    return EngineFailure(
        Fault(
            "OWN_STATEMENT_FAILED",
            f"The portal could not prepare the data (incident {incident}).",
            fix="Tell the operator the incident's number.",
        )
    )
