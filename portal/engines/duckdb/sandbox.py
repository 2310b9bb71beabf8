"""Runs a researcher's statement in a process of its own, and believes nothing that the process says."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from portal.engines.duckdb import frames
from portal.engines.duckdb.answer import Answer, Patience
from portal.engines.duckdb.child import Job
from portal.engines.duckdb.frames import Kind
from portal.engines.duckdb.pool import Pool
from portal.engines.duckdb.scratch import Scratch
from portal.engines.port import CancelSignal, ReadJob
from portal.folders import storing
from portal.sql.plan import ParameterValue


class DuckDBSandbox:
    """The sandbox port over a pool of throw-away processes. For many threads.

    Each statement has `threads` threads; `warm` processes stand ready. What does not fit into memory is spilled beneath
    `scratch`, at most `scratch_bytes` for each statement. How many run at a time is decided elsewhere.
    """

    def __init__(self, scratch: Path, *, warm: int = 2, threads: int = 2, scratch_bytes: int = 8_000_000_000) -> None:
        self._pool = Pool(warm)
        self._scratch = Scratch(scratch)
        self._scratch_bytes = scratch_bytes
        self._threads = threads

    def start(self) -> None:
        """Have processes ready before the first statement comes."""
        self._pool.start()

    @contextmanager
    def read(self, job: ReadJob, cancel: CancelSignal | None = None) -> Iterator[Answer]:
        """Start the statement; leaving the context ends its process whatever state it is in.

        Raises `StatementRefusal` where DuckDB cannot run the statement or a value does not fit, `LimitReached`,
        `Cancelled` or `EngineFailure`.
        """
        with self._scratch.folder() as folder:
            child = self._pool.take()
            try:
                child.channel.settimeout(job.limits.seconds)
                with suppress(OSError):  # a child that is gone is found out by reading
                    frames.send(child.channel, Kind.JOB, self._wire_job(job, folder).as_bytes())
                yield Answer(child, job, Patience(job.limits, cancel))
            finally:
                child.dispose()

    def close(self) -> None:
        """End every process, and remove what was spilled."""
        self._pool.close()
        self._scratch.close()

    def _wire_job(self, job: ReadJob, folder: Path) -> Job:
        tables = {name: [str(path.resolve()) for path in paths] for name, paths in job.tables.items()}
        return Job(
            sql=job.sql,
            parameters={name: _wire_value(value) for name, value in job.parameters.items()},
            tables={**tables, **_write_cells(job, folder)},
            scratch=str(folder),
            scratch_bytes=self._scratch_bytes,
            memory_bytes=job.limits.memory_bytes,
            threads=self._threads,
            seconds=job.limits.seconds,
            rows=job.limits.result_rows,
        )


def _write_cells(job: ReadJob, folder: Path) -> Mapping[str, list[str]]:
    """Hand released cells over as Parquet, like all else: DuckDB 2.0.0 answers wrongly over some Arrow objects."""
    written: dict[str, list[str]] = {}
    for number, (name, cells) in enumerate(job.cells.items()):
        path = folder / f"cells-{number}.parquet"
        with storing("released cells"):
            pq.write_table(cells, path, compression="zstd")
        written[name] = [str(path)]
    return written


def _wire_value(value: ParameterValue) -> tuple[str, Any]:
    match value:
        case datetime():
            return "datetime", value.isoformat()
        case date():
            return "date", value.isoformat()
        case _:
            return "plain", value
