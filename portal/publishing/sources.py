"""What a steward names as a source, taken apart into files of one table each, in order.

One table of kinds: a file of a table is itself, an archive what is in it, a database the answer to its query. Each
part is on the disk only while it is read, so that a source may be larger than the disk has room.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from portal.catalogue.dataset import Dataset
from portal.errors import ContentError, Fault, UsageError
from portal.publishing.archives import archived
from portal.publishing.checksums import check_sha1, sha1_beside
from portal.publishing.databases import database_name, fetched
from portal.publishing.tables import TABLES

Source = Path | URL
"""A file, or a database that SQLAlchemy reaches."""


@dataclass(frozen=True, slots=True)
class Part:
    """One table of a source. `name` is all that is ever said of where it is; `open` brings it to the disk."""

    name: str
    open: Callable[[], AbstractContextManager[Path]]


def source_named(text: str) -> Source:
    """Read what a steward wrote: a path, or the URL of a database. Raises `UsageError`."""
    if "://" not in text:
        return Path(text)
    try:
        return make_url(text)
    except ArgumentError:
        message = "A source is not a URL that SQLAlchemy reads."
        raise UsageError(Fault("SOURCE_URL", message, fix="Write it as postgresql://user@host/database.")) from None


def name_of(source: Source) -> str:
    """Return what may be said of a source: no folder, no user, no password."""
    return source.name if isinstance(source, Path) else database_name(source)


def bytes_of(source: Source) -> int:
    """Return the size of a source's file, which measures progress; 0 where there is none."""
    return source.stat().st_size if isinstance(source, Path) and source.is_file() else 0


def identities(sources: Sequence[Source]) -> list[object]:
    """Return what tells whether sources are still those of a publication that was stopped.

    A database has no state that could be compared, so it is never the same.
    """
    return [_identity(source) for source in sources]


def parts_of(source: Source, dataset: Dataset, scratch: Path) -> Iterator[Part]:
    """Yield the tables of a source, in order; what must be unpacked lies in `scratch`. Raises `ContentError`."""
    if isinstance(source, URL):
        yield Part(name_of(source), partial(fetched, source, dataset, scratch))
        return
    kind = KINDS.get(source.suffix.lower())
    if kind is None or not source.is_file():
        raise ContentError(_no_source(source, dataset))
    check_sha1(source, source.name, sha1_beside(source), dataset.name)
    yield from kind(source, dataset, scratch)


def _file(path: Path, _dataset: Dataset, _scratch: Path) -> Iterator[Part]:
    yield Part(path.name, lambda: nullcontext(path))


def _archive(path: Path, dataset: Dataset, scratch: Path) -> Iterator[Part]:
    yield from (Part(name, unpacked) for name, unpacked in archived(path, dataset.name, scratch))


KINDS: Mapping[str, Callable[[Path, Dataset, Path], Iterator[Part]]] = MappingProxyType(
    {**dict.fromkeys(TABLES, _file), ".zip": _archive}
)
"""What is made of a file with each suffix."""


def _identity(source: Source) -> object:
    if isinstance(source, URL) or not source.is_file():
        return secrets.token_hex(16)
    status = source.stat()
    return [str(source.absolute()), status.st_size, status.st_mtime_ns]


def _no_source(path: Path, dataset: Dataset) -> Fault:
    return Fault(
        "SOURCE_MISSING",
        f"There is no file {path.name!r} of a known format.",
        rule=f"sources end in {', '.join(KINDS)}, or are the URL of a database",
        fix="Name a file that is there.",
        dataset=dataset.name,
    )
