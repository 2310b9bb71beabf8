"""Landlock: from here on this process opens exactly these files, and reaches nobody outside.

Kernel documentation: userspace-api/landlock. What a kernel's version of it lacks, `seccomp` covers or `probes` reports.
"""

import ctypes
import os
import struct
from collections.abc import Iterable

from portal.engines.duckdb.linux import syscall

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION_FLAG = 1
_PATH_BENEATH = 1

_WRITE_FILE, _READ_FILE = 1 << 1, 1 << 2
_REMOVE_FILE, _MAKE_REG, _TRUNCATE = 1 << 5, 1 << 8, 1 << 14
_FILE_RIGHTS_OF = {1: (1 << 13) - 1, 2: 1 << 13, 3: _TRUNCATE, 5: 1 << 15}
"""Which version brought which rights over files; a ruleset denies what it names and does not grant."""
_TCP_SINCE, _TCP = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11  # abstract sockets and signals to processes outside


def version() -> int:
    """Return the kernel's version of Landlock, 0 where it has none or it is switched off."""
    try:
        return syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def restrict(read: Iterable[str], scratch: str | None) -> bool:
    """Let this thread, and all that it starts later, read these files and use this folder's files; nothing else.

    Needs `no_new_privs`. Returns false, having done nothing, where the kernel has no Landlock.
    """
    abi = version()
    if not abi:
        return False
    rights = sum(bits for since, bits in _FILE_RIGHTS_OF.items() if abi >= since)
    words = [rights, _TCP if abi >= _TCP_SINCE else 0, _SCOPES if abi >= _SCOPES_SINCE else 0]
    known = words[: 3 if abi >= _SCOPES_SINCE else 2 if abi >= _TCP_SINCE else 1]
    attributes = struct.pack(f"{len(known)}Q", *known)
    ruleset = syscall(_CREATE_RULESET, ctypes.create_string_buffer(attributes, len(attributes)), len(attributes), 0)
    for path in read:
        _grant(ruleset, path, _READ_FILE)
    if scratch:
        _grant(ruleset, scratch, (_READ_FILE | _WRITE_FILE | _MAKE_REG | _REMOVE_FILE | _TRUNCATE) & rights)
    syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return True


def _grant(ruleset: int, path: str, rights: int) -> None:
    beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, beneath))
    syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    os.close(beneath)
