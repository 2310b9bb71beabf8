"""The few Linux calls that Python lacks, through the C library that is loaded already."""

import ctypes
import os
from enum import IntEnum

_libc = ctypes.CDLL(None, use_errno=True)


class Prctl(IntEnum):
    """Options of prctl(2)."""

    SET_PDEATHSIG = 1
    SET_DUMPABLE = 4
    SET_KEEPCAPS = 8
    SET_NAME = 15
    SET_NO_NEW_PRIVS = 38


class Capability(IntEnum):
    """Bits of capabilities(7)."""

    DAC_OVERRIDE = 1
    DAC_READ_SEARCH = 2


_CAPABILITY_VERSION = 0x20080522


def syscall(number: int, *arguments: ctypes.Array[ctypes.c_char] | bytes | int | None) -> int:
    """Call the kernel; raises `OSError` with its errno."""
    words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = int(_libc.syscall(ctypes.c_long(number), *words))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def prctl(option: Prctl, value: int) -> None:
    """Set one property of this process; raises `OSError`."""
    words = (ctypes.c_ulong(each) for each in (value, 0, 0, 0))
    if _libc.prctl(ctypes.c_int(option), *words) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def permitted_capabilities() -> int:
    """Return the bits of the capabilities that this thread may use."""
    header, data = _header(), (ctypes.c_uint32 * 6)()
    if _libc.capget(header, data) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return data[1] | data[4] << 32


def keep_capabilities(kept: int) -> None:
    """Give up every capability of this thread but these bits, for good; raises `OSError`."""
    low, high = kept & 0xFFFFFFFF, kept >> 32
    data = (ctypes.c_uint32 * 6)(low, low, 0, high, high, 0)
    if _libc.capset(_header(), data) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _header() -> ctypes.Array[ctypes.c_uint32]:
    return (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
