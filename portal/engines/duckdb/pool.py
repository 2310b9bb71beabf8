"""The portal's side of the zygote: hands out processes that stand ready, and starts the zygote again when it dies."""

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass

from portal.engines.duckdb.frames import EXIT, NO_CHILD, PID, readable
from portal.errors import EngineFailure, Fault

_ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "4",
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
"""All that the zygote knows of its surroundings; each keeps it at one thread, or its address space small."""
_ARRIVES_WITHIN = 10.0
_ENDS_WITHIN = 2.0


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended: the signal that killed it (0: none), and the most memory it held, in bytes."""

    signal: int
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Child:
    """A process that waits for one job at the other end of `channel`."""

    pid: int
    channel: socket.socket
    exit_pipe: int
    pidfd: int

    def alive(self) -> bool:
        """Whether the process still runs."""
        return not readable(self.pidfd, 0)

    def kill(self) -> None:
        """Kill the process, whatever it does."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def ending(self) -> Ending | None:
        """Return how the process ended, None where that cannot be known because the zygote died with it."""
        if not readable(self.exit_pipe, _ENDS_WITHIN):
            return None
        told = os.read(self.exit_pipe, EXIT.size)
        if len(told) < EXIT.size:
            return None
        status, peak_bytes = EXIT.unpack(told)
        return Ending(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, peak_bytes)

    def dispose(self) -> None:
        """Kill the process and let go of it."""
        self.kill()
        self.channel.close()
        os.close(self.exit_pipe)
        os.close(self.pidfd)


class Pool:
    """A zygote and the children it made ahead; those wait in the control socket's own queue. For many threads."""

    def __init__(self, warm: int) -> None:
        self._warm = warm
        self._lock = threading.Lock()
        self._zygote: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Start the zygote and its first children, if they do not stand ready."""
        with self._lock:
            self._ensure()

    def take(self) -> Child:
        """Return a process that waits for its job; raises `EngineFailure` where none can be had."""
        with self._lock:
            for _ in range(self._warm + 2):  # all that are ready may have died with their zygote
                try:
                    child = _next(self._ensure())
                except OSError:
                    self._stop()
                    continue
                if child is None:
                    break
                if child.alive():
                    return child
                child.dispose()
        raise EngineFailure(
            Fault(
                "SANDBOX_UNAVAILABLE",
                "No process could be started for the statement.",
                fix="Try again; if it stays, tell the operator to run `portal doctor`.",
            )
        )

    def close(self) -> None:
        """End the zygote and all its children."""
        with self._lock:
            self._stop()

    def _ensure(self) -> socket.socket:
        if self._zygote and self._zygote.poll() is not None:
            self._stop()
        if self._control is None:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._control.settimeout(_ARRIVES_WITHIN)
            self._zygote = subprocess.Popen(  # noqa: S603 - our own program and words
                [sys.executable, "-I", "-m", "portal.engines.duckdb.zygote", str(theirs.fileno())],
                env=_ENVIRONMENT,
                cwd="/",
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            theirs.close()
            for _ in range(self._warm):
                self._control.send(b"+")
        return self._control

    def _stop(self) -> None:
        if self._control:
            self._control.close()
        if self._zygote:
            try:
                self._zygote.wait(_ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                self._zygote.kill()
                self._zygote.wait()
        self._control = self._zygote = None


def _next(control: socket.socket) -> Child | None:
    """Order one more process, and take the oldest that is ready; None where the zygote could start none."""
    control.send(b"+")
    told, descriptors, _, _ = socket.recv_fds(control, PID.size, 3)
    if told == NO_CHILD:
        return None
    if len(told) < PID.size or len(descriptors) < 3:  # noqa: PLR2004 - what the zygote sends with each child
        raise ConnectionResetError
    channel, exit_pipe, pidfd = descriptors
    return Child(PID.unpack(told)[0], socket.socket(fileno=channel), exit_pipe, pidfd)
