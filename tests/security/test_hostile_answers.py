"""A process that lies: whatever it sends, the portal ends the statement clearly, and in bounded time and memory."""

import json
import os
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pytest

from portal.engines.duckdb.answer import Answer, Patience
from portal.engines.duckdb.frames import FRAME_BYTES, HEADER, Kind
from portal.engines.duckdb.pool import Child
from portal.engines.port import ReadJob, ReadLimits
from portal.errors import EngineFailure, LimitReached, PortalError

SCHEMA = pa.schema({"n": pa.int64(), "s": pa.string()})
BATCH = pa.record_batch({"n": [1, 2], "s": ["a", "b"]}, SCHEMA)
JOB = ReadJob("SELECT 1", limits=ReadLimits(seconds=2, result_rows=10, result_bytes=1_000_000))


def stream(schema: pa.Schema, *batches: pa.RecordBatch, compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())


def frame(kind: int, payload: bytes) -> bytes:
    return HEADER.pack(kind, len(payload)) + payload


def end(*, complete: object = True) -> bytes:
    return frame(Kind.END, json.dumps({"complete": complete}).encode())


OPENING = frame(Kind.SCHEMA, stream(SCHEMA))


@contextmanager
def a_child_that_sends(sent: bytes, *, hangs: bool = False) -> Iterator[Child]:
    """A child of which nothing is real but the channel."""
    ours, theirs = socket.socketpair()
    exit_read, exit_write = os.pipe()
    os.close(exit_write)

    def speak() -> None:
        try:
            theirs.sendall(sent)
        except OSError:
            return
        if not hangs:
            theirs.close()

    speaker = threading.Thread(target=speak)
    speaker.start()
    try:
        yield Child(pid=0, channel=ours, exit_pipe=exit_read, pidfd=-1)
    finally:
        ours.close()
        os.close(exit_read)
        speaker.join()
        theirs.close()


def drain(sent: bytes, *, hangs: bool = False) -> list[pa.RecordBatch]:
    with a_child_that_sends(sent, hangs=hangs) as child:
        return list(Answer(child, JOB, Patience(JOB.limits, None)).batches())


def nested(levels: int) -> pa.Schema:
    kind = pa.int64()
    for _ in range(levels):
        kind = pa.list_(kind)
    return pa.schema({"n": kind})


def wrong_offsets() -> bytes:
    buffers = [None, pa.py_buffer(b"\0\0\0\0\xff\xff\xff\x7f\x02\0\0\0"), pa.py_buffer(b"ab")]
    broken = pa.Array.from_buffers(pa.string(), 2, buffers)
    return stream(SCHEMA, pa.RecordBatch.from_arrays([pa.array([1, 2]), broken], schema=SCHEMA))


def wrong_utf8() -> bytes:
    broken = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\x02\0\0\0"), pa.py_buffer(b"\xff\xfe")]
    )
    return stream(SCHEMA, pa.RecordBatch.from_arrays([pa.array([1]), broken], schema=SCHEMA))


def test_an_honest_answer_is_yielded() -> None:
    assert drain(OPENING + frame(Kind.BATCH, stream(SCHEMA, BATCH)) + end()) == [BATCH]


@pytest.mark.parametrize(
    "sent",
    {
        "nothing": b"",
        "half a header": b"\x02\x01",
        "an unknown kind": frame(99, b"x"),
        "a length without end": HEADER.pack(Kind.SCHEMA, 2**32 - 1),
        "just too long": HEADER.pack(Kind.SCHEMA, FRAME_BYTES + 1),
        "half a frame": OPENING[:-7],
        "no Arrow": frame(Kind.SCHEMA, b"\xff" * 1_000),
        "a batch before the schema": frame(Kind.BATCH, stream(SCHEMA, BATCH)),
        "a schema with rows": frame(Kind.SCHEMA, stream(SCHEMA, BATCH)),
        "too many columns": frame(Kind.SCHEMA, stream(pa.schema({f"c{n}": pa.int8() for n in range(5_000)}))),
        "too deep": frame(Kind.SCHEMA, stream(nested(60))),
        "another schema": OPENING + frame(Kind.BATCH, stream(nested(1), pa.record_batch({"n": [[1]]}))),
        "more rows than allowed": OPENING
        + frame(Kind.BATCH, stream(SCHEMA, pa.record_batch({"n": [1] * 11, "s": ["a"] * 11}, SCHEMA))),
        "compressed": OPENING + frame(Kind.BATCH, stream(SCHEMA, BATCH, compression="zstd")),
        "wrong offsets": OPENING + frame(Kind.BATCH, wrong_offsets()),
        "wrong UTF-8": OPENING + frame(Kind.BATCH, wrong_utf8()),
        "no end": OPENING + frame(Kind.BATCH, stream(SCHEMA, BATCH)),
        "an end that says nothing": OPENING + frame(Kind.END, b"{}"),
        "an end that is no JSON": OPENING + frame(Kind.END, b"\xff"),
        "an end that lies about its type": OPENING + end(complete="yes"),
        "a job": OPENING + frame(Kind.JOB, b"{}"),
        "an unknown failure": frame(Kind.FAILED, b'{"outcome": "pwned", "offset": 0, "length": 0}'),
        "a failure that is no JSON": frame(Kind.FAILED, b"[" * 100_000),
    }.items(),
    ids=lambda named: named[0],
)
def test_a_lie_is_a_failure(sent: tuple[str, bytes]) -> None:
    with pytest.raises(EngineFailure):
        drain(sent[1])


def test_too_many_bytes_are_a_limit() -> None:
    large = pa.record_batch({"n": [1], "s": ["x" * 1_100_000]}, SCHEMA)

    with pytest.raises(LimitReached):
        drain(OPENING + frame(Kind.BATCH, stream(SCHEMA, large)))


def test_a_process_that_stops_speaking_is_given_up_at_the_deadline() -> None:
    with pytest.raises(LimitReached):
        drain(OPENING + HEADER.pack(Kind.BATCH, 1_000), hangs=True)


def test_words_of_a_failure_never_come_from_the_process() -> None:
    note = {"outcome": "conversion", "offset": 0, "length": 0, "message": "secret-value"}

    with pytest.raises(PortalError) as raised:
        drain(frame(Kind.FAILED, json.dumps(note).encode()))

    assert "secret-value" not in str(raised.value)


@pytest.mark.parametrize("note", [(-5, 10**30), (10**30, -1), (2**63, 2**63)])
def test_a_place_outside_the_statement_does_no_harm(note: tuple[int, int]) -> None:
    payload = json.dumps({"outcome": "binder", "offset": note[0], "length": note[1]}).encode()

    with pytest.raises(PortalError):
        drain(frame(Kind.FAILED, payload))


def test_flipped_bytes_end_clearly_or_change_nothing_but_values() -> None:
    honest = OPENING + frame(Kind.BATCH, stream(SCHEMA, BATCH)) + end()
    dice = random.Random(20261124)
    for _ in range(300):
        lie = bytearray(honest)
        for _ in range(dice.randint(1, 4)):
            lie[dice.randrange(HEADER.size, len(lie))] ^= 1 << dice.randrange(8)
        try:
            batches = drain(bytes(lie))
        except (EngineFailure, LimitReached):
            continue
        assert all(batch.num_rows <= JOB.limits.result_rows for batch in batches)
        assert [batch.to_pylist() for batch in batches]
