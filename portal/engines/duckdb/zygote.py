"""The warm parent of the sandboxes: it has imported DuckDB and Arrow, holds nothing, and forks when it is told to.

Run as `python -I -m portal.engines.duckdb.zygote FD` with an empty environment. Over the socket FD it gets one byte for
each process wanted, and answers with the new process's id, its socket, a pipe that will tell how it ended, and a pidfd.
When the socket closes it kills every process that is left, and ends. It has one thread, so that a fork is whole.
"""

import gc
import os
import select
import signal
import socket
import sys
from contextlib import ExitStack, suppress

import duckdb

from portal.engines.duckdb import frames
from portal.engines.duckdb.child import open_engine, serve
from portal.engines.duckdb.confinement import die_with

_KILOBYTE = 1024


class _Zygote:
    """The processes that live, by the pidfd that tells of their end."""

    def __init__(self, control: socket.socket, engine: duckdb.DuckDBPyConnection) -> None:
        self._control = control
        self._engine = engine
        self._living: dict[int, tuple[int, int]] = {}
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def run(self) -> None:
        """Fork as asked and bury the dead, until the portal hangs up."""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor in self._living:
                    self._bury(descriptor)
                elif self._control.recv(1):
                    self._fork_or_say_so()
                else:
                    return

    def kill_all(self) -> None:
        """Kill every process that is left, with its group, and leave none to be buried by others."""
        for pid, _ in self._living.values():
            _kill(pid)
            os.waitpid(pid, 0)

    def _fork_or_say_so(self) -> None:
        try:
            self._fork()
        except OSError:  # the machine is out of processes or descriptors; those that run are not to suffer for it
            self._control.send(frames.NO_CHILD)

    def _fork(self) -> None:
        parent = os.getpid()
        with ExitStack() as opened:
            ours, theirs = (opened.enter_context(each) for each in socket.socketpair())
            exit_read, exit_write = os.pipe()
            opened.callback(os.close, exit_read)
            try:
                pid = os.fork()
            except OSError:
                os.close(exit_write)
                raise
            if not pid:
                self._be_child(theirs, parent)
            pidfd = os.pidfd_open(pid)
            self._living[pidfd] = pid, exit_write
            self._poll.register(pidfd, select.POLLIN)
            socket.send_fds(self._control, [frames.PID.pack(pid)], [ours.fileno(), exit_read, pidfd])

    def _bury(self, pidfd: int) -> None:
        pid, exit_write = self._living.pop(pidfd)
        self._poll.unregister(pidfd)
        _kill(pid)
        _, status, usage = os.wait4(pid, 0)
        with suppress(BrokenPipeError):
            os.write(exit_write, frames.EXIT.pack(status, usage.ru_maxrss * _KILOBYTE))
        os.close(exit_write)
        os.close(pidfd)

    def _be_child(self, channel: socket.socket, parent: int) -> None:
        """Be a sandbox, alone with its channel; never returns."""
        try:
            os.setpgid(0, 0)
            die_with(parent)
            os.dup2(1, 2)  # no word of the engine may reach the portal's own error stream
            os.closerange(3, channel.fileno())
            os.closerange(channel.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
            os.umask(0o077)
            serve(self._engine, channel, parent)
        finally:
            os._exit(0)


def _kill(pid: int) -> None:
    """Kill a child and its group. It was not waited for yet, so nobody else can have this number."""
    os.kill(pid, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def main(descriptor: int) -> None:
    """Serve the portal at the other end of the socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = socket.socket(fileno=descriptor)
    engine = open_engine()
    gc.collect()
    gc.freeze()
    zygote = _Zygote(control, engine)
    with suppress(OSError):  # the portal is gone
        zygote.run()
    zygote.kill_all()
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
