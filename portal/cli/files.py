"""Where a command's bytes go: standard output, or a file that appears whole or not at all."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from portal.errors import Fault, LimitReached, UsageError


@contextmanager
def written(path: Path | None) -> Iterator[BinaryIO]:
    """Give a stream to write to; the file takes its name when all is written. Raises `UsageError`, `LimitReached`."""
    if path is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if not path.parent.is_dir():
        raise UsageError(Fault("NO_FOLDER", "The file's folder is not there.", fix="Make the folder, or name another."))
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("wb") as file:
            yield file
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        fault = Fault("NOT_WRITTEN", "The file could not be written.", fix="Look at the folder's space and rights.")
        raise LimitReached(fault) from error
    finally:
        temporary.unlink(missing_ok=True)
