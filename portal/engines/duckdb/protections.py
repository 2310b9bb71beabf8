"""Which protections of the sandbox hold on this machine, found by trying to break each from inside.

`python -I -m portal.engines.duckdb.protections` is the side that tries: it confines itself as a sandbox would and
prints the name of each protection that held. One that says nothing, for whatever reason, did not.
"""

import ctypes
import mmap
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from portal.engines.duckdb.confinement import SLACK_BYTES, Bounds, confine, forbid_new_tasks
from portal.engines.duckdb.frames import readable

_SECONDS = 10
_MEMORY_BYTES = 100_000_000
_SCRATCH_BYTES = 1_000_000
_PASSWORDS = Path("/etc/passwd")
_PTRACE_ATTACH, _PTRACE_DETACH = 16, 17


class Level(IntEnum):
    """How far a statement is confined; each level holds all that is below it."""

    NONE = 0
    LIMITED = 1
    """Memory, time and disk are bounded, and no process outlives the portal."""
    ISOLATED = 2
    """And it reaches no network, no other process and no program."""
    SEALED = 3
    """And it reads the files of its statement and nothing else, with no privilege."""


@dataclass(frozen=True, slots=True)
class Protection:
    """One protection: whether it held, what it means, and the lowest level that needs it."""

    name: str
    held: bool
    detail: str
    level: Level


def probe() -> tuple[Protection, ...]:
    """Try every protection, in processes of their own; takes about a quarter of a second."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-I", "-m", __spec__.name, folder]
        ran = subprocess.run(  # noqa: S603 - our own program
            command, env={}, cwd="/", capture_output=True, timeout=_SECONDS, check=False, text=True
        )
    held = set(ran.stdout.split("\n"))
    attempts = (*_FROM_OUTSIDE, *_FROM_INSIDE)
    return tuple(Protection(each.name, each.name in held, each.detail, each.level) for each in attempts)


def level_of(protections: Sequence[Protection]) -> Level:
    """Return the highest level of which every protection holds."""
    return max(level for level in Level if all(each.held for each in protections if each.level <= level))


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A way to break out; `breaks` raises `OSError` or `RuntimeError` where the protection holds."""

    name: str
    level: Level
    detail: str
    breaks: Callable[[Path], object]


def _fork(_: Path) -> None:
    if not os.fork():
        os._exit(0)


def _run(_: Path) -> None:
    os.execv("/bin/true", ["true"])  # noqa: S606 - must fail


def _trace(_: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(_PTRACE_ATTACH, os.getppid(), 0, 0) < 0:
        raise OSError
    libc.ptrace(_PTRACE_DETACH, os.getppid(), 0, 0)


def _fill_the_disk(folder: Path) -> None:
    with (folder / "scratch" / "large").open("wb") as file:
        file.write(bytes(2 * _SCRATCH_BYTES))


def _take_all_time(_: Path) -> None:
    if resource.getrlimit(resource.RLIMIT_CPU)[1] != resource.RLIM_INFINITY:
        raise OSError


def _leave_a_core(_: Path) -> None:
    if resource.getrlimit(resource.RLIMIT_CORE) == (0, 0):
        raise OSError


def _write(folder: Path) -> None:
    (folder / "new").write_bytes(b"")


def _be_root(_: Path) -> None:
    if os.getuid() != 0:
        os.setuid(0)


def _start_thread(_: Path) -> None:
    forbid_new_tasks()
    threading.Thread(target=int).start()


def _outlive(folder: Path) -> None:
    """Leave a process behind whose parent is gone; runs before confinement, which would not let it."""
    ours, theirs = os.pipe()
    middle = os.fork()
    if not middle:
        parent = os.getpid()
        if not os.fork():
            os.close(ours)
            confine(_bounds(folder), parent)
            os.write(theirs, b"x")
            time.sleep(_SECONDS)
            os._exit(0)
        os.close(theirs)
        os.read(ours, 1)
        os._exit(0)
    os.close(theirs)
    os.waitpid(middle, 0)
    if readable(ours, 1) and not os.read(ours, 1):
        raise OSError


_FROM_OUTSIDE = (_Attempt("orphans", Level.LIMITED, "it dies with its parent (PR_SET_PDEATHSIG)", _outlive),)
_FROM_INSIDE = (
    _Attempt("memory", Level.LIMITED, "memory is bounded (RLIMIT_AS)", lambda _: mmap.mmap(-1, 4 * SLACK_BYTES)),
    _Attempt("time", Level.LIMITED, "processor time is bounded (RLIMIT_CPU)", _take_all_time),
    _Attempt("disk", Level.LIMITED, "spilled files are bounded (RLIMIT_FSIZE)", _fill_the_disk),
    _Attempt("core", Level.LIMITED, "a crash leaves no memory on disk (RLIMIT_CORE)", _leave_a_core),
    _Attempt("network", Level.ISOLATED, "no socket can be opened (seccomp)", lambda _: socket.socket()),
    _Attempt("processes", Level.ISOLATED, "no process can be started (seccomp)", _fork),
    _Attempt("signals", Level.ISOLATED, "no process can be signalled (seccomp)", lambda _: os.kill(os.getppid(), 0)),
    _Attempt("tracing", Level.ISOLATED, "no process can be traced (seccomp)", _trace),
    _Attempt("reading", Level.SEALED, "no other file can be read (Landlock)", lambda _: _PASSWORDS.read_bytes()),
    _Attempt("listing", Level.SEALED, "no folder can be listed (seccomp)", lambda _: [*Path("/").iterdir()]),
    _Attempt("writing", Level.SEALED, "no other file can be written (Landlock)", _write),
    _Attempt("privilege", Level.SEALED, "it is not root, nor can become it", _be_root),
    _Attempt("threads", Level.SEALED, "no thread starts beside DuckDB's own (RLIMIT_NPROC)", _start_thread),
    _Attempt("programs", Level.ISOLATED, "no program can be run (seccomp)", _run),
)
"""The last would end all, were it to succeed."""


def _bounds(folder: Path) -> Bounds:
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    return Bounds([], str(scratch), _SCRATCH_BYTES, _MEMORY_BYTES, _SECONDS)


def _try_all(attempts: Sequence[_Attempt], folder: Path) -> None:
    for attempt in attempts:
        try:
            attempt.breaks(folder)
        except (OSError, RuntimeError, MemoryError):
            os.write(1, f"{attempt.name}\n".encode())


def main(folder: Path) -> None:
    """Print the names of the protections that hold."""
    _try_all(_FROM_OUTSIDE, folder)
    parent = os.getpid()
    child = os.fork()
    if not child:
        with suppress(BaseException):
            confine(_bounds(folder), parent)
            _try_all(_FROM_INSIDE, folder)
        os._exit(0)
    os.waitpid(child, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
