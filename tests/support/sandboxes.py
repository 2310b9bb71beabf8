"""A sandbox for tests, and what its statements answer."""

import time
from collections.abc import Iterable
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


def assert_ended(pids: Iterable[int], within: float = 3.0) -> None:
    """Wait until each is gone, or dead and not yet buried by whoever inherited it."""
    living, deadline = set(pids), time.monotonic() + within
    while living and time.monotonic() < deadline:
        living = {pid for pid in living if _lives(pid)}
        time.sleep(0.02)
    assert not living


def _lives(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"
