"""A seccomp filter that knows the calls a confined DuckDB needs; to all others the kernel says that it has none such.

An allowlist: a call that a later kernel brings is refused until someone has looked at it. ENOSYS rather than a kill,
because the C library then takes its older way (clone3 becomes clone, whose flags a filter can see).
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from portal.engines.duckdb.linux import Prctl, syscall

_ALLOWED = """
    read 0 63, write 1 64, readv 19 65, writev 20 66, pread64 17 67, pwrite64 18 68, preadv 295 69, pwritev 296 70,
    lseek 8 62, close 3 57, fcntl 72 25, fsync 74 82, fdatasync 75 83, ftruncate 77 46, fallocate 285 47,
    fadvise64 221 223, open 2 -, openat 257 56, stat 4 -, lstat 6 -, fstat 5 80, newfstatat 262 79, statx 332 291,
    statfs 137 43, fstatfs 138 44, access 21 -, faccessat 269 48, readlink 89 -, readlinkat 267 78, getcwd 79 17,
    unlink 87 -, unlinkat 263 35,
    mmap 9 222, munmap 11 215, mprotect 10 226, mremap 25 216, madvise 28 233, brk 12 214,
    futex 202 98, set_robust_list 273 99, rseq 334 293, membarrier 324 283, sched_yield 24 124,
    sched_getaffinity 204 123, getcpu 309 168, exit 60 93, exit_group 231 94, restart_syscall 219 128,
    rt_sigaction 13 134, rt_sigprocmask 14 135, rt_sigreturn 15 139, sigaltstack 131 132,
    poll 7 -, ppoll 271 73, pselect6 270 72, sendto 44 206, recvfrom 45 207,
    clock_gettime 228 113, clock_getres 229 114, clock_nanosleep 230 115, nanosleep 35 101, gettimeofday 96 169,
    time 201 -, getrandom 318 278, uname 63 160, sysinfo 99 179, getrusage 98 165, getrlimit 97 163,
    getpid 39 172, getppid 110 173, gettid 186 178, getuid 102 174, geteuid 107 175, getgid 104 176, getegid 108 177
"""
"""Name, number on x86-64, number on aarch64 (`-` where it has none)."""

_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _KILL_PROCESS, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.ENOSYS
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_SET_MODE_FILTER, _ON_ALL_THREADS = 1, 1
_CLONE_THREAD = 0x10000


@dataclass(frozen=True, slots=True)
class _Machine:
    """What differs between processors: the audit id, the column of the table, and the numbers of special calls."""

    audit: int
    column: int
    clone: int
    prctl: int
    prlimit64: int
    tgkill: int
    seccomp: int


_MACHINES = {
    "x86_64": _Machine(0xC000003E, 1, clone=56, prctl=157, prlimit64=302, tgkill=234, seccomp=317),
    "aarch64": _Machine(0xC00000B7, 2, clone=220, prctl=167, prlimit64=261, tgkill=131, seccomp=277),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def restrict() -> bool:
    """Filter every later call of this process, on all its threads. Needs `no_new_privs`.

    Returns false, having done nothing, where the processor is not in the table or the kernel has no seccomp.
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return False
    instructions = list(_program(machine, os.getpid()))
    code = ctypes.create_string_buffer(b"".join(instructions))
    program = _Program(len(instructions), ctypes.addressof(code))
    try:
        pointer = ctypes.addressof(program)
        syscall(machine.seccomp, _SET_MODE_FILTER, _ON_ALL_THREADS, pointer)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EINVAL):
            return False
        raise
    return True


def _program(machine: _Machine, pid: int) -> Iterator[bytes]:
    yield _instruction(_LOAD, _ARCHITECTURE_AT)
    yield _instruction(_EQUAL, machine.audit, then=1)
    yield _instruction(_RETURN, _KILL_PROCESS)
    yield _instruction(_LOAD, _NUMBER_AT)
    for entry in _ALLOWED.split(","):
        number = entry.split()[machine.column]
        if number != "-":
            yield _instruction(_EQUAL, int(number), otherwise=1)
            yield _instruction(_RETURN, _ALLOW)
    # These four could reach beyond this process, so their first argument decides.
    yield from _if_first_argument(machine.clone, _ANY_BIT, _CLONE_THREAD)
    yield from _if_first_argument(machine.prctl, _EQUAL, Prctl.SET_NAME)
    yield from _if_first_argument(machine.prlimit64, _EQUAL, 0)
    yield from _if_first_argument(machine.tgkill, _EQUAL, pid)
    yield _instruction(_RETURN, _REFUSE)


def _if_first_argument(number: int, test: int, value: int) -> Iterator[bytes]:
    yield _instruction(_EQUAL, number, otherwise=4)
    yield _instruction(_LOAD, _ARGUMENTS_AT)
    yield _instruction(test, value, otherwise=1)
    yield _instruction(_RETURN, _ALLOW)
    yield _instruction(_RETURN, _REFUSE)


def _instruction(code: int, value: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("HBBI", code, then, otherwise, value)
