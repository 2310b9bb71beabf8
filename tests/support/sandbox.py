"""Statements to run in a sandbox, and children that do anything but answer."""

import faulthandler
import json
import os
import signal
import socket
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from portal.engines.duckdb import frames
from portal.engines.duckdb.frames import Kind
from portal.engines.duckdb.hardening import text
from portal.engines.duckdb.pool import Child
from portal.engines.duckdb.sandbox import DuckDBSandbox
from portal.engines.port import CancelSignal, ReadJob, ReadLimits

ENDLESS = "SELECT count(*) FROM range(1000000000000) AS t(i) WHERE hash(i) = 1"


def write_parquet(path: Path, select: str = "SELECT i, 'v' || i AS s FROM range(1000) AS t(i)") -> Path:
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO {text(str(path))} (FORMAT parquet)")
    return path


@contextmanager
def sandbox(folder: Path, **options: Any) -> Iterator[DuckDBSandbox]:
    engine = DuckDBSandbox(folder / "scratch", **options)
    try:
        yield engine
    finally:
        engine.close()


def answer(
    engine: DuckDBSandbox,
    sql: str,
    *,
    tables: Mapping[str, Path] | None = None,
    parameters: Mapping[str, Any] | None = None,
    cells: Mapping[str, pa.Table] | None = None,
    cancel: CancelSignal | None = None,
    **limits: Any,
) -> tuple[pa.Table, bool]:
    """Return the whole answer, and whether it is complete."""
    job = ReadJob(
        sql,
        parameters=parameters or {},
        tables={name: [path] for name, path in (tables or {}).items()},
        cells=cells or {},
        limits=ReadLimits(**({"seconds": 10.0, "memory_bytes": 500_000_000} | limits)),
    )
    with engine.read(job, cancel) as stream:
        batches = list(stream.batches())
        return pa.Table.from_batches(batches, stream.schema), stream.complete


class HostilePool:
    """Stands where the pool stands; its children run `script` on their end of the channel, whatever they are told."""

    def __init__(self, script: Callable[[socket.socket], object]) -> None:
        self._script = script
        self._pids: list[int] = []

    def take(self) -> Child:
        ours, theirs = socket.socketpair()
        exit_read, exit_write = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of a fork beside threads
            pid = os.fork()
        if not pid:
            ours.close()
            faulthandler.disable()
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            try:
                frames.receive(theirs)
                self._script(theirs)
            finally:
                os._exit(0)
        self._pids.append(pid)
        theirs.close()
        os.close(exit_write)
        return Child(pid, ours, exit_read, os.pidfd_open(pid))

    def close(self) -> None:
        for pid in self._pids:
            os.waitpid(pid, 0)


def stream_of(schema: pa.Schema, *batches: pa.RecordBatch, compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())


def send_answer(channel: socket.socket, *streams: bytes) -> None:
    """Send a schema's stream, batches' streams, and a good end."""
    for number, stream in enumerate(streams):
        frames.send(channel, Kind.BATCH if number else Kind.SCHEMA, stream)
    frames.send(channel, Kind.END, json.dumps({"complete": True}).encode())
