"""Files that are there whole or not at all, after a full disk, a sudden death and a power failure as well.

What is being made has a name that begins with a dot, in a folder whose `.lock` its maker holds. So whatever of such a
name lies in a folder that nobody holds was left by the dead.
"""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from portal.errors import EngineFailure, Fault, LimitReached

LOCK = ".lock"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def held(folder: Path, *, shared: bool = False) -> Iterator[None]:
    """Make the folder, and hold it against other threads and processes; `shared` beside others who share it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Make the folder and hold it, or raise `BlockingIOError` where somebody else does."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


@contextmanager
def written(target: Path, *, for_good: bool = True) -> Iterator[Path]:
    """Give a name to write under, in a folder that is held; what was written there then replaces `target`.

    Not `for_good`: after a power failure it may be damaged, which its reader must find out.
    """
    temporary = target.with_name(f".{os.urandom(8).hex()}")
    try:
        yield temporary
        if for_good:
            put(temporary, target)
        else:
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def put(temporary: Path, target: Path) -> None:
    """Replace `target` so that after a power failure there is either, whole."""
    sync(temporary)
    temporary.replace(target)
    sync(target.parent)


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clear(folder: Path) -> None:
    """Remove what the dead left in a folder, unless somebody holds it."""
    with suppress(BlockingIOError), alone(folder):
        for path in folder.glob(".*"):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != LOCK:
                path.unlink()


@contextmanager
def storing(what: str) -> Iterator[None]:
    """Say in the portal's words why `what` could not be stored. Raises `LimitReached` for want of room."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            message = f"There is no room on the disk for {what}. What was there before stays."
            raise LimitReached(
                Fault("DISK_FULL", message, rule="disk", fix="Tell the operator; then try again.")
            ) from error
        message = f"The disk failed while it was asked for {what}."
        raise EngineFailure(Fault("DISK_FAILED", message, rule="disk", fix="Tell the operator.")) from error
