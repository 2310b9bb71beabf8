"""What the portal and a sandbox say to each other: frames of one kind byte, a length, and that many bytes.

The portal sends one `JOB`. The sandbox answers `SCHEMA`, any number of `BATCH`, then `END`; or `FAILED` at any point.
Job and failure are JSON; schema and batches are each a whole small Arrow stream, so that none depends on one before it.
"""

import select
import socket
import struct
from collections.abc import Callable
from enum import IntEnum

HEADER = struct.Struct("<BI")
FRAME_BYTES = 64_000_000
"""No frame is longer; the sandbox cuts its batches far smaller, so only one huge row can reach it."""

PID = struct.Struct("<i")
"""What the zygote says of a new process, beside its descriptors."""
NO_CHILD = b"-"
"""What the zygote says where it could start none."""
EXIT = struct.Struct("<iq")
"""What the zygote says of an ended one: its wait status, and its peak memory in bytes."""


class Kind(IntEnum):
    """What a frame holds."""

    JOB = 1
    SCHEMA = 2
    BATCH = 3
    END = 4
    FAILED = 5


class BadFrameError(Exception):
    """The other side does not keep to the protocol."""


class HungUpError(Exception):
    """The other side is gone."""


def send(channel: socket.socket, kind: Kind, payload: bytes | memoryview = b"") -> None:
    """Send one frame; raises `OSError`."""
    channel.sendall(HEADER.pack(kind, len(payload)))
    channel.sendall(payload)


def receive(
    channel: socket.socket, most_bytes: int = FRAME_BYTES, wait: Callable[[], None] = lambda: None
) -> tuple[Kind, memoryview]:
    """Receive one frame; `wait` is called before each read, and returns when there is something or raises.

    Raises `BadFrameError` where the frame is none or is longer than `most_bytes`, `HungUpError` where it breaks off.
    """
    kind, length = HEADER.unpack(_exactly(channel, HEADER.size, wait))
    if kind not in Kind._value2member_map_ or length > most_bytes:
        raise BadFrameError
    return Kind(kind), _exactly(channel, length, wait)


def readable(descriptor: int, seconds: float) -> bool:
    """Wait at most so long until there is something to read; an end of file counts."""
    poll = select.poll()  # select(2) knows no descriptor above 1023
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _exactly(channel: socket.socket, length: int, wait: Callable[[], None]) -> memoryview:
    room = memoryview(bytearray(length))
    filled = 0
    while filled < length:
        wait()
        try:
            count = channel.recv_into(room[filled:])
        except OSError as error:
            raise HungUpError from error
        if not count:
            raise HungUpError
        filled += count
    return room
