"""One statement's process: told its job, it confines itself, runs, sends the answer and ends. Used once.

It holds nothing when it starts, and afterwards nothing but the governed copies that the job names.
"""

import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa

from portal.engines.duckdb import frames
from portal.engines.duckdb.confinement import Bounds, confine, forbid_new_tasks
from portal.engines.duckdb.frames import Kind
from portal.engines.duckdb.hardening import connect, create_table, seal, text
from portal.engines.duckdb.outcomes import Failure, Outcome, failure_of

_BATCH_ROWS = 65_536
_PIECE_BYTES = 8_000_000
_STARTING_MEMORY = 256_000_000
_READ_BY_DUCKDB = ("/proc/self/cgroup", "/sys/fs/cgroup")
"""How many processors there are for this process; DuckDB asks before it starts threads for reading, and insists."""
_CANARIES = (
    ("FROM read_text('/etc/hostname')", duckdb.PermissionException),
    ("ATTACH '/tmp/canary.db'", duckdb.PermissionException),
    ("COPY (SELECT 1) TO '/tmp/canary.parquet'", duckdb.PermissionException),
    ("SET threads = 8", duckdb.InvalidInputException),
)
"""DuckDB itself must refuse each of these, in this way, before a statement may run."""
_ALWAYS: Mapping[str, object] = MappingProxyType(
    {"max_expression_depth": 250, "error_on_division_by_zero": False, "errors_as_json": True}
)
_PARAMETER_KINDS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {"plain": lambda value: value, "date": date.fromisoformat, "datetime": datetime.fromisoformat}
)


@dataclass(frozen=True, slots=True)
class Job:
    """The wire form of a statement to run. Parameters are pairs of a kind and a JSON value."""

    sql: str
    parameters: Mapping[str, tuple[str, Any]]
    tables: Mapping[str, Sequence[str]]
    scratch: str
    scratch_bytes: int
    memory_bytes: int
    threads: int
    seconds: float
    rows: int

    def as_bytes(self) -> bytes:
        """Return the job as a frame carries it."""
        return json.dumps(asdict(self)).encode()


class _UnconfinedError(Exception):
    """Something that must be impossible here is possible."""


class _UnreadableError(Exception):
    """A governed copy cannot be read; whatever DuckDB finds wrong before the statement is not its author's doing."""


def open_engine() -> duckdb.DuckDBPyConnection:
    """Open the instance that every child will have a copy of, and do once all that a child will do.

    So a child finds every module loaded when it may open files no more. The instance starts no thread of its own: a
    fork would lose it, and confinement must come before any.
    """
    engine = connect(threads=1, async_threads=0, memory_bytes=_STARTING_MEMORY)
    parameters = {"a": date.min, "b": datetime.now(UTC), "c": 1, "d": 1.0, "e": "", "f": None, "g": True}
    relation = engine.sql("SELECT $a, $b, $c, $d, $e, $f, $g", params=parameters)
    assert relation is not None
    reader = relation.to_arrow_reader()
    for batch in reader:
        _stream(reader.schema, *_pieces(batch))
    return engine


def serve(engine: duckdb.DuckDBPyConnection, channel: socket.socket, parent: int) -> None:
    """Wait for the one job, run it and send what comes of it."""
    connection = engine.cursor()  # of its own: what is random must not be a copy
    _set(connection, _ALWAYS)
    kind, payload = frames.receive(channel)
    if kind is not Kind.JOB:
        return
    job = Job(**json.loads(bytes(payload)))
    try:
        _confine(job, parent)
        _prepare(connection, job)
        _answer(connection, job, channel)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the portal is told one word and the process ends
        failure = _failure(connection, job, error)
        with suppress(OSError):
            frames.send(channel, Kind.FAILED, json.dumps(asdict(failure)).encode())


def _confine(job: Job, parent: int) -> None:
    files = [path for paths in job.tables.values() for path in paths]
    files += [path for path in _READ_BY_DUCKDB if os.path.exists(path)]  # noqa: PTH110 - see confinement
    cpu_seconds = int(job.seconds * job.threads) + 2
    try:
        confine(Bounds(files, job.scratch, job.scratch_bytes, job.memory_bytes, cpu_seconds), parent)
    except FileNotFoundError as error:
        raise _UnreadableError from error
    except OSError as error:
        raise _UnconfinedError from error


def _prepare(connection: duckdb.DuckDBPyConnection, job: Job) -> None:
    _set(connection, _settings(job))
    forbid_new_tasks()
    try:
        for name, paths in job.tables.items():
            create_table(connection, name, paths)
    except duckdb.Error as error:
        raise _UnreadableError from error
    seal(connection, [path for paths in job.tables.values() for path in paths])
    for canary, refusal in _CANARIES:
        _must_be_refused(connection, canary, refusal)


def _set(connection: duckdb.DuckDBPyConnection, settings: Mapping[str, object]) -> None:
    for setting, value in settings.items():
        connection.execute(f"SET {setting} = {value}")


def _settings(job: Job) -> Mapping[str, object]:
    return {
        "memory_limit": f"'{job.memory_bytes * 3 // 4}B'",  # DuckDB overshoots; it should say so before the kernel does
        "threads": job.threads,
        "async_threads": 4 * job.threads,  # DuckDB's own proportion
        "temp_directory": text(job.scratch),
        "max_temp_directory_size": f"'{job.scratch_bytes}B'",
        "max_execution_time": int(job.seconds * 1000),
    }


def _must_be_refused(connection: duckdb.DuckDBPyConnection, canary: str, refusal: type[Exception]) -> None:
    try:
        connection.execute(canary)
    except refusal:
        return
    raise _UnconfinedError


def _answer(connection: duckdb.DuckDBPyConnection, job: Job, channel: socket.socket) -> None:
    parameters = {name: _PARAMETER_KINDS[kind](value) for name, (kind, value) in job.parameters.items()}
    relation = connection.sql(job.sql, params=parameters)
    assert relation is not None
    reader = relation.to_arrow_reader(_BATCH_ROWS)
    frames.send(channel, Kind.SCHEMA, _stream(reader.schema))
    left, complete = job.rows, True
    for batch in reader:
        for piece in _pieces(batch.slice(0, left)):
            frames.send(channel, Kind.BATCH, _stream(reader.schema, piece))
        complete = batch.num_rows <= left
        if not complete:
            break
        left -= batch.num_rows
    frames.send(channel, Kind.END, json.dumps({"complete": complete}).encode())


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cut a batch so that each piece is small, or one row."""
    if batch.num_rows > 1 and batch.nbytes > _PIECE_BYTES:
        half = batch.num_rows // 2
        yield from _pieces(batch.slice(0, half))
        yield from _pieces(batch.slice(half))
    elif batch.num_rows:
        yield batch


class _RowTooLargeError(Exception):
    """One row does not fit into a frame."""


def _stream(schema: pa.Schema, *batches: pa.RecordBatch) -> memoryview:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(use_threads=False)) as writer:
        for batch in batches:
            writer.write_batch(batch)
    encoded = memoryview(sink.getvalue())
    if len(encoded) > frames.FRAME_BYTES:
        raise _RowTooLargeError
    return encoded


def _failure(connection: duckdb.DuckDBPyConnection, job: Job, error: BaseException) -> Failure:
    match error:
        case _UnreadableError():
            return Failure(Outcome.UNREADABLE_FILE)
        case _UnconfinedError():
            return Failure(Outcome.UNCONFINED)
        case _RowTooLargeError():
            return Failure(Outcome.ROW_TOO_LARGE)
        case duckdb.BinderException() | duckdb.CatalogException():
            return _with_place(connection, job, error)
        case _:
            return failure_of(error)


def _with_place(connection: duckdb.DuckDBPyConnection, job: Job, error: BaseException) -> Failure:
    """A relation's error names no place; preparing the same text, which runs nothing, does."""
    prefix = "EXPLAIN "
    try:
        connection.execute(prefix + job.sql, dict.fromkeys(job.parameters))
    except duckdb.Error as better:
        failure = failure_of(better)
        if failure.length:
            return Failure(failure.outcome, max(failure.offset - len(prefix), 0), failure.length)
        return failure
    return failure_of(error)
