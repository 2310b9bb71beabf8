"""A running statement's answer as the portal receives it, frame by frame, from a process that it does not trust."""

import json
import time
from collections.abc import Iterator

import pyarrow as pa

from portal.engines.duckdb import frames, hostile
from portal.engines.duckdb.faults import broken, fault_of, memory_reached, size_reached, time_reached
from portal.engines.duckdb.frames import BadFrameError, HungUpError, Kind
from portal.engines.duckdb.hostile import HostileArrowError
from portal.engines.duckdb.outcomes import Failure, Outcome
from portal.engines.duckdb.pool import Child
from portal.engines.port import CancelSignal, ReadJob, ReadLimits
from portal.errors import Cancelled, EngineFailure, Fault, PortalError

LOOK_UP_EVERY = 0.1
"""Seconds between two looks at the clock and the cancel signal."""
_NOTE_BYTES = 10_000
_MEMORY_DEATH = 0.5
"""A crash that had used this share of its memory was about memory."""
_SIGKILL, _SIGXCPU = 9, 24


class Patience:
    """Until when, and whether still, somebody waits for an answer."""

    def __init__(self, limits: ReadLimits, cancel: CancelSignal | None) -> None:
        self._limits = limits
        self._cancel = cancel
        self._ends = time.monotonic() + limits.seconds

    def check(self) -> None:
        """Raise `Cancelled` or `LimitReached` once it is time."""
        if self._cancel and self._cancel.is_set():
            raise Cancelled(Fault("CANCELLED", "The statement was stopped, as was asked."))
        if time.monotonic() >= self._ends:
            raise time_reached(self._limits)


class Answer:
    """The answer of one child; the schema is known from the start."""

    schema: pa.Schema

    def __init__(self, child: Child, job: ReadJob, patience: Patience) -> None:
        self._child = child
        self._job = job
        self._patience = patience
        self._complete = False
        kind, payload = self._receive()
        try:
            self.schema = hostile.read_schema(payload if kind is Kind.SCHEMA else memoryview(b""))
        except HostileArrowError as error:
            raise _malformed() from error

    @property
    def complete(self) -> bool:
        """Whether every row of the answer was yielded; known once `batches` is exhausted."""
        return self._complete

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the answer, in order."""
        rows_left, bytes_left = self._job.limits.result_rows, self._job.limits.result_bytes
        while True:
            kind, payload = self._receive()
            if kind is not Kind.BATCH:
                self._complete = _complete(kind, payload)
                return
            bytes_left -= len(payload)
            if bytes_left < 0:
                raise size_reached(self._job.limits)
            try:
                batch = hostile.read_batch(payload, self.schema, rows_left)
            except HostileArrowError as error:
                raise _malformed() from error
            rows_left -= batch.num_rows
            yield batch

    def _receive(self) -> tuple[Kind, memoryview]:
        try:
            kind, payload = frames.receive(self._child.channel, wait=self._wait)
        except BadFrameError as error:
            raise _malformed() from error
        except HungUpError as error:
            raise self._death() from error
        if kind is Kind.FAILED:
            raise self._failure(payload)
        return kind, payload

    def _wait(self) -> None:
        self._patience.check()
        while not frames.readable(self._child.channel.fileno(), LOOK_UP_EVERY):
            self._patience.check()

    def _failure(self, payload: memoryview) -> PortalError:
        try:
            note = json.loads(bytes(payload[:_NOTE_BYTES]))
            failure = Failure(Outcome(note["outcome"]), int(note["offset"]), int(note["length"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            return _malformed()
        return fault_of(failure, self._job.sql, self._job.limits)

    def _death(self) -> PortalError:
        """Say why the process is gone, as far as it can be told from outside."""
        limits, ending = self._job.limits, self._child.ending()
        if ending and ending.signal == _SIGXCPU:
            return time_reached(limits)
        if ending and ending.signal and ending.peak_bytes > limits.memory_bytes * _MEMORY_DEATH:
            return memory_reached(limits)
        kind = f"signal {ending.signal}" if ending else "unknown"
        return broken("ENGINE_CRASHED", "The process of the statement ended without an answer.", kind)


def _complete(kind: Kind, payload: memoryview) -> bool:
    try:
        note = json.loads(bytes(payload[:_NOTE_BYTES]))
        if kind is Kind.END and isinstance(note["complete"], bool):
            return note["complete"]
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise _malformed()


def _malformed() -> EngineFailure:
    return broken("ENGINE_MALFORMED", "The process of the statement sent what is no answer.", "malformed")
