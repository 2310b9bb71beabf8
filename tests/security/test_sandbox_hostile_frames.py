"""What a sandbox sends is read as if an attacker had written it."""

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from support.sandbox import HostilePool, answer, sandbox, send_answer, stream_of

from portal.engines.duckdb import frames
from portal.engines.duckdb.frames import HEADER, Kind
from portal.errors import EngineFailure, LimitReached, PortalError

SCHEMA = pa.schema({"x": pa.int64()})
EMPTY = stream_of(SCHEMA)


def batch(**columns: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


def whole(*batches: pa.RecordBatch, compression: str | None = None) -> Callable[[socket.socket], None]:
    schema = batches[0].schema
    streams = [stream_of(schema, each, compression=compression) for each in batches]
    return lambda channel: send_answer(channel, stream_of(schema), *streams)


def forged(text: str, honest: bytes, forgery: bytes) -> Callable[[socket.socket], None]:
    """An answer of one text in which some bytes were exchanged after it was written."""
    good = stream_of(pa.schema({"x": pa.string()}), batch(x=pa.array([text])))
    assert good.count(honest) == 1
    return lambda channel: send_answer(channel, stream_of(pa.schema({"x": pa.string()})), good.replace(honest, forgery))


def nested(levels: int) -> pa.DataType:
    return pa.list_(nested(levels - 1)) if levels else pa.int64()


def flood(channel: socket.socket) -> None:
    frames.send(channel, Kind.SCHEMA, EMPTY)
    big = stream_of(SCHEMA, batch(x=pa.array(range(500_000))))
    while True:
        frames.send(channel, Kind.BATCH, big)


def drip(channel: socket.socket) -> None:
    channel.sendall(HEADER.pack(Kind.SCHEMA, 1000))
    while True:
        channel.sendall(b"x")
        time.sleep(0.02)


def two_schemas(channel: socket.socket) -> None:
    other = batch(y=pa.array(["a"]))
    send_answer(channel, EMPTY, stream_of(other.schema, other))


def crash(channel: socket.socket) -> None:
    frames.send(channel, Kind.SCHEMA, EMPTY)
    os.kill(os.getpid(), signal.SIGSEGV)


def close_and_stay(channel: socket.socket) -> None:
    channel.close()
    time.sleep(60)


def send(kind: Kind, payload: bytes) -> Callable[[socket.socket], None]:
    return lambda channel: frames.send(channel, kind, payload)


def after_schema(kind: Kind, payload: bytes) -> Callable[[socket.socket], None]:
    def script(channel: socket.socket) -> None:
        frames.send(channel, Kind.SCHEMA, EMPTY)
        frames.send(channel, kind, payload)

    return script


ONE = stream_of(SCHEMA, batch(x=pa.array([1, 2, 3])))
MALFORMED = {
    "an unknown kind of frame": lambda channel: channel.sendall(HEADER.pack(77, 0)),
    "a frame of 4 GB": lambda channel: channel.sendall(HEADER.pack(Kind.SCHEMA, 2**32 - 1)),
    "a schema that is noise": send(Kind.SCHEMA, os.urandom(5000)),
    "an empty schema": send(Kind.SCHEMA, b""),
    "a batch before the schema": send(Kind.BATCH, ONE),
    "an end before the schema": send(Kind.END, b'{"complete": true}'),
    "rows in the schema": send(Kind.SCHEMA, ONE),
    "noise for a batch": after_schema(Kind.BATCH, os.urandom(5000)),
    "a batch cut short": after_schema(Kind.BATCH, ONE[:-30]),
    "a batch without rows": after_schema(Kind.BATCH, EMPTY),
    "an end that says nothing": after_schema(Kind.END, b"{}"),
    "an end that is no JSON": after_schema(Kind.END, b"\xff\xff"),
    "an end of deep JSON": after_schema(Kind.END, b"[" * 9_000),
    "a failure of an unknown kind": after_schema(Kind.FAILED, b'{"outcome": "/etc/passwd", "offset": 0, "length": 0}'),
    "a failure at no place": after_schema(Kind.FAILED, b'{"outcome": "binder", "offset": null, "length": 0}'),
    "a job": after_schema(Kind.JOB, b"{}"),
    "two batches in a frame": after_schema(Kind.BATCH, stream_of(SCHEMA, *[batch(x=pa.array([1]))] * 2)),
    "another schema in the batch": two_schemas,
    "compressed buffers": whole(batch(x=pa.array([0] * 100_000)), compression="zstd"),
    "compressed dictionaries": whole(
        batch(x=pa.array(["a" * 1000] * 1000).dictionary_encode()), compression="lz4_frame"
    ),
    "more rows than were asked for": whole(batch(x=pa.array(range(2000)))),
    "text that is no UTF-8": forged("abcdefghi", b"abcdefghi", b"abc\xff\xfefghi"),
    "offsets that point outside": forged("abcdefghi" * 9, b"\0\0\0\0\x51\0\0\0abc", b"\0\0\0\0\xff\xff\xff\x7fabc"),
    "offsets that go back": forged("abcdefghi" * 9, b"\0\0\0\0\x51\0\0\0abc", b"\x09\0\0\0\1\0\0\0abc"),
    "too many levels": whole(pa.RecordBatch.from_arrays([pa.array([None], nested(40))], ["x"])),
    "too many columns": send(Kind.SCHEMA, stream_of(pa.schema({f"c{n}": pa.int8() for n in range(5000)}))),
    "few runs for many rows": send(Kind.SCHEMA, stream_of(pa.schema({"x": pa.run_end_encoded(pa.int32(), pa.int8())}))),
    "a type of its own": send(Kind.SCHEMA, stream_of(pa.schema({"x": pa.fixed_shape_tensor(pa.int8(), (2, 2))}))),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_answer_ends_in_a_clear_failure(name: str, tmp_path: Path) -> None:
    with sandbox(tmp_path) as engine:
        engine._pool = HostilePool(MALFORMED[name])  # type: ignore[assignment]
        with pytest.raises(EngineFailure) as failure:
            answer(engine, "SELECT 1", seconds=5, result_rows=1000)
    assert failure.value.faults[0].code == "ENGINE_MALFORMED"


@pytest.mark.parametrize(
    ("script", "kind", "code"),
    [
        (lambda _: time.sleep(60), LimitReached, "TIME_LIMIT"),
        (drip, LimitReached, "TIME_LIMIT"),
        (flood, LimitReached, "RESULT_TOO_LARGE"),
        (crash, EngineFailure, "ENGINE_CRASHED"),
        (close_and_stay, EngineFailure, "ENGINE_CRASHED"),
    ],
    ids=["silent", "drips", "floods", "crashes", "hangs up"],
)
def test_a_child_that_never_answers_ends_in_time(
    script: Callable[[socket.socket], object], kind: type[PortalError], code: str, tmp_path: Path
) -> None:
    begun = time.monotonic()
    with sandbox(tmp_path) as engine:
        engine._pool = HostilePool(script)  # type: ignore[assignment]
        with pytest.raises(kind) as failure:
            answer(engine, "SELECT 1", seconds=1, result_bytes=50_000_000, result_rows=10**9)
    assert failure.value.faults[0].code == code
    assert time.monotonic() - begun < 4


def test_an_honest_child_is_believed(tmp_path: Path) -> None:
    """The scripts above fail for what they send, not for how they are run."""
    enum = pa.array(["a", "b", "a"]).dictionary_encode()
    with sandbox(tmp_path) as engine:
        engine._pool = HostilePool(whole(batch(x=pa.array([1, 2, 3]), e=enum), batch(x=pa.array([4, 5, 6]), e=enum)))  # type: ignore[assignment]
        table, complete = answer(engine, "SELECT 1")
    assert table["x"].to_pylist() == [1, 2, 3, 4, 5, 6]
    assert table["e"].to_pylist() == ["a", "b", "a"] * 2
    assert complete


def test_a_failure_cannot_put_words_into_the_message(tmp_path: Path) -> None:
    payload = b'{"outcome": "binder", "offset": -9, "length": 99999, "message": "SECRET"}'
    with sandbox(tmp_path) as engine:
        engine._pool = HostilePool(send(Kind.FAILED, payload))  # type: ignore[assignment]
        with pytest.raises(PortalError) as failure:
            answer(engine, "SELECT nothing_hidden")
    assert "SECRET" not in str(failure.value)
    assert failure.value.faults[0].snippet in "SELECT nothing_hidden"
