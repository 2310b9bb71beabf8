"""How a process gives up, for good, all that its one statement does not need.

Each protection is tried; one that this machine lacks is passed over here and reported by `probes`, by which a
production start refuses to run below the level it was set to.

As root the process becomes `nobody`, who may not be allowed to read the portal's files. So it keeps the one capability
to read files, under Landlock, which says which files those are. Without Landlock it stays the user it is, with no
capability at all.
"""

import os
import resource
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from portal.engines.duckdb import landlock, seccomp
from portal.engines.duckdb.linux import Capability, Prctl, keep_capabilities, permitted_capabilities, prctl

NOBODY = 65534
SLACK_BYTES = 400_000_000
"""Address space beside the statement's memory: stacks and arenas that threads reserve and hardly use."""
_DESCRIPTORS = 128
_SIGKILL = 9


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a confined process may use: files to read, one folder for its spilled data, and how much of each thing."""

    files: Sequence[str]
    scratch: str | None
    scratch_bytes: int
    memory_bytes: int
    cpu_seconds: int


def confine(bounds: Bounds, parent: int) -> None:
    """Confine this process, which must have one thread, to these bounds. There is no way back.

    Raises `OSError` where a protection that the machine has could not be set; the caller ends then.
    """
    _limit(bounds)
    prctl(Prctl.SET_NO_NEW_PRIVS, 1)
    _become_nobody(bounds.scratch)
    prctl(Prctl.SET_DUMPABLE, 0)
    die_with(parent)  # again: the kernel forgets it when a process changes its user
    landlock.restrict(bounds.files, bounds.scratch)
    seccomp.restrict()


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, and end now if it did already."""
    prctl(Prctl.SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def forbid_new_tasks() -> None:
    """Start no thread and no process from here on. Held by the kernel for all users but root."""
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _limit(bounds: Bounds) -> None:
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_CPU, bounds.cpu_seconds, grace=1)  # SIGXCPU says why; SIGKILL comes for who ignores it
    _lower(resource.RLIMIT_FSIZE, bounds.scratch_bytes if bounds.scratch else 0)
    _lower(resource.RLIMIT_NOFILE, _DESCRIPTORS + 4 * len(bounds.files))
    _lower(resource.RLIMIT_AS, _address_space() + bounds.memory_bytes + SLACK_BYTES)


def _lower(limit: int, value: int, *, grace: int = 0) -> None:
    _, hard = resource.getrlimit(limit)
    bound = value + grace if hard == resource.RLIM_INFINITY else min(value + grace, hard)
    resource.setrlimit(limit, (min(value, bound), bound))


def _address_space() -> int:
    with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - pathlib is not needed on this side
        return int(statm.read().split()[0]) * resource.getpagesize()


def _become_nobody(scratch: str | None) -> None:
    """Give up root and every capability; where there is no root to give up, the capabilities alone."""
    permitted, kept = permitted_capabilities(), 0
    readers = [cap for cap in (Capability.DAC_READ_SEARCH, Capability.DAC_OVERRIDE) if permitted >> cap & 1]
    if os.getuid() == 0 and readers and landlock.version():
        with suppress(OSError):  # a container may know no such user, or forbid to become it
            prctl(Prctl.SET_KEEPCAPS, 1)
            if scratch:
                os.chown(scratch, NOBODY, NOBODY)
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            kept = 1 << readers[0]
    keep_capabilities(kept)
