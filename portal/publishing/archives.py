"""Zip archives of tables, and archives in archives, as the daily dumps of the DSA Transparency Database are.

An archive is a stranger's claim: names never become paths, and what it would unpack to is bounded before and meanwhile.
"""

import lzma
import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile, ZipInfo

from portal.errors import ContentError, Fault
from portal.ids import DatasetName
from portal.publishing.checksums import SUFFIX as SHA1
from portal.publishing.checksums import check_sha1, stated_sha1
from portal.publishing.failures import reading
from portal.publishing.tables import TABLES

DEEPEST = 2
"""Archives in one another: a daily dump is a zip of zips."""
MOST_MEMBERS = 10_000
"""Files of one archive."""
MOST_EXPANSION = 250
"""Bytes that one byte of the outermost archive may become; statements of reasons become 10 to 30."""
ALWAYS_ADMITTED = 10_000_000
"""Bytes that any archive may become: a small table of like rows shrinks well."""
LARGEST_SHA1 = 1_000
_ENCRYPTED = 0x1
_BROKEN = (BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError)

Unpacked = Callable[[], AbstractContextManager[Path]]


def archived(path: Path, dataset: DatasetName, scratch: Path) -> Iterator[tuple[str, Unpacked]]:
    """Yield each table of an archive, by name, with the way to unpack it. Raises `ContentError`."""
    yield from _tables(path, path.name, dataset, scratch, path.stat().st_size * MOST_EXPANSION, depth=1)


def _tables(  # noqa: PLR0913, PLR0917 - what is known of an archive inside another
    path: Path, name: str, dataset: DatasetName, scratch: Path, most_bytes: float, depth: int
) -> Iterator[tuple[str, Unpacked]]:
    with _opened(path, name, dataset) as archive:
        members = _checked(archive, name, dataset, most_bytes)
        sums = {each: _sha1_in(archive, members.get(each + SHA1), name, dataset) for each in members}
        for inside, member in sorted(members.items()):
            unpacked = partial(_unpacked, archive, member, f"{name}/{inside}", dataset, scratch, sums[inside])
            suffix = PurePosixPath(inside).suffix.lower()
            if suffix in TABLES:
                yield f"{name}/{inside}", unpacked
            elif suffix == ".zip":
                if depth == DEEPEST:
                    raise _refused(name, dataset, "holds archives too deep in one another", f"at most {DEEPEST}")
                with unpacked() as inner:
                    share = most_bytes * member.compress_size / max(path.stat().st_size, 1)
                    yield from _tables(inner, f"{name}/{inside}", dataset, scratch, share, depth + 1)


@contextmanager
def _opened(path: Path, name: str, dataset: DatasetName) -> Iterator[ZipFile]:
    with _reading(name, dataset):
        archive = ZipFile(path)
    with archive:
        yield archive


@contextmanager
def _unpacked(  # noqa: PLR0913, PLR0917 - what is known of a member
    archive: ZipFile, member: ZipInfo, name: str, dataset: DatasetName, scratch: Path, sha1: str | None
) -> Iterator[Path]:
    """Bring one member to the disk under a name of our own, for as long as it is read."""
    target = scratch / f"{os.urandom(8).hex()}{PurePosixPath(member.filename).suffix.lower()}"
    try:
        with _reading(name, dataset), archive.open(member) as packed, target.open("wb") as plain:
            shutil.copyfileobj(packed, plain, 1 << 20)  # never more than the archive claims, which was checked
        check_sha1(target, name, sha1, dataset)
        yield target
    finally:
        target.unlink(missing_ok=True)


def _checked(archive: ZipFile, name: str, dataset: DatasetName, most_bytes: float) -> Mapping[str, ZipInfo]:
    """Return the files of an archive by name, none of which is more or other than a table's source may be."""
    members = [member for member in archive.infolist() if not member.is_dir()]
    names = {member.filename: member for member in members}
    size = sum(member.file_size for member in members)
    known = (*TABLES, ".zip", SHA1)
    faults = {
        "holds no files": not members,
        f"holds more than {MOST_MEMBERS:,} files": len(members) > MOST_MEMBERS,
        "holds two files of one name": len(names) < len(members),
        "has a name that leads out of it": any(map(_leads_out, names)),
        "is encrypted": any(member.flag_bits & _ENCRYPTED for member in members),
        "would unpack to far more than it may": size > max(most_bytes, ALWAYS_ADMITTED),
        "holds files that are no tables": any(PurePosixPath(each).suffix.lower() not in known for each in names),
    }
    for words, is_so in faults.items():
        if is_so:
            raise _refused(name, dataset, words, f"an archive holds files that end in {', '.join(known)}")
    return names


def _leads_out(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or any(sign in name for sign in "\\:\0")


def _sha1_in(archive: ZipFile, member: ZipInfo | None, name: str, dataset: DatasetName) -> str | None:
    if member is None:
        return None
    with _reading(name, dataset), archive.open(member) as stream:
        return stated_sha1(stream.read(LARGEST_SHA1))


@contextmanager
def _reading(name: str, dataset: DatasetName) -> Iterator[None]:
    with reading(name, dataset):
        try:
            yield
        except _BROKEN as error:
            raise ValueError("no whole archive") from error


def _refused(name: str, dataset: DatasetName, words: str, rule: str) -> ContentError:
    return ContentError(
        Fault(
            "SOURCE_ARCHIVE_REFUSED",
            f"Archive {name!r} {words}.",
            rule=rule,
            fix="Look at where it comes from; give its tables by themselves if they are as they should be.",
            dataset=dataset,
        )
    )
