"""An honest answer in which bits were flipped: the portal ends the statement clearly, or gets other values."""

import os
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from portal.engines.duckdb.answer import Answer, Patience
from portal.engines.duckdb.frames import HEADER, Kind
from portal.engines.duckdb.pool import Child
from portal.engines.port import ReadJob, ReadLimits
from portal.errors import EngineFailure, LimitReached

SCHEMA = pa.schema({"n": pa.int64(), "s": pa.string()})
BATCH = pa.record_batch({"n": [1, 2], "s": ["a", "b"]}, SCHEMA)
JOB = ReadJob("SELECT 1", limits=ReadLimits(seconds=2, result_rows=10, result_bytes=1_000_000))


def stream(schema: pa.Schema, *batches: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())


def frame(kind: int, payload: bytes) -> bytes:
    return HEADER.pack(kind, len(payload)) + payload


END = frame(Kind.END, b'{"complete": true}')


OPENING = frame(Kind.SCHEMA, stream(SCHEMA))


@contextmanager
def a_child_that_sends(sent: bytes) -> Iterator[Child]:
    """A child of which nothing is real but the channel."""
    ours, theirs = socket.socketpair()
    exit_read, exit_write = os.pipe()
    os.close(exit_write)

    def speak() -> None:
        try:
            theirs.sendall(sent)
        except OSError:
            return
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


def drain(sent: bytes) -> list[pa.RecordBatch]:
    with a_child_that_sends(sent) as child:
        return list(Answer(child, JOB, Patience(JOB.limits, None)).batches())


def test_an_honest_answer_is_yielded() -> None:
    assert drain(OPENING + frame(Kind.BATCH, stream(SCHEMA, BATCH)) + END) == [BATCH]


def test_flipped_bytes_end_clearly_or_change_nothing_but_values() -> None:
    honest = OPENING + frame(Kind.BATCH, stream(SCHEMA, BATCH)) + END
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
