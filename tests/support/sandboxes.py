"""A sandbox for tests, and what its statements answer."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from portal.engines.duckdb.sandbox import DuckDBSandbox
from portal.engines.port import AnswerStream, CancelSignal, ReadJob
from portal.errors import PortalError


def a_sandbox(folder: Path, *, concurrent: int = 4, warm: int = 2) -> DuckDBSandbox:
    return DuckDBSandbox(folder, concurrent=concurrent, warm=warm, threads=2)


def rows(stream: AnswerStream) -> dict[str, list[Any]]:
    batches = list(stream.batches())
    found: dict[str, list[Any]] = pa.Table.from_batches(batches, stream.schema).to_pydict()
    return found


def answer(sandbox: DuckDBSandbox, job: ReadJob, cancel: CancelSignal | None = None) -> dict[str, list[Any]]:
    with sandbox.read(job, cancel) as stream:
        return rows(stream)


def codes_of(error: PortalError) -> list[str]:
    return [fault.code for fault in error.faults]


def children_of(pid: int) -> list[int]:
    """The living children of all the process's threads."""
    found = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (thread / "children").read_text().split()]
    return found
