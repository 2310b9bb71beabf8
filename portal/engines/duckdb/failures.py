"""Which resource a failure of DuckDB or of the operating system is about, shared by all who write files with DuckDB."""

import errno
import os
from typing import Literal

import duckdb

_FULL = tuple(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


def lacking(error: BaseException) -> Literal["memory", "disk"] | None:
    """Return what there was not enough of, or None where the failure has another cause."""
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return "memory"
    if any(words in str(error) for words in _FULL):
        return "disk"
    return None
