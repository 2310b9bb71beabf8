"""The `.sha1` that comes with a file, as the DSA Transparency Database gives one with each of its own."""

import hashlib
import hmac
from pathlib import Path

from portal.errors import ContentError, Fault
from portal.ids import DatasetName

SUFFIX = ".sha1"


def sha1_beside(path: Path) -> str | None:
    """Return the checksum that a file beside `path` states, None where there is no such file."""
    beside = path.with_name(path.name + SUFFIX)
    return stated_sha1(beside.read_bytes()) if beside.is_file() else None


def stated_sha1(content: bytes) -> str:
    """Return the checksum in the content of a `.sha1`: its first word, whether or not the file's name follows."""
    return content[:1000].decode("ascii", errors="replace").split(maxsplit=1)[0].lower() if content.strip() else ""


def check_sha1(path: Path, name: str, stated: str | None, dataset: DatasetName) -> None:
    """Raise `ContentError` where a file is not as its checksum says."""
    if stated is None:
        return
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
    if not hmac.compare_digest(found.encode(), stated.encode()):
        raise ContentError(
            Fault(
                "SOURCE_CHECKSUM",
                f"Source {name!r} is not the file that its {SUFFIX} speaks of.",
                rule=f"a {SUFFIX} that comes with a file is checked",
                fix="Get both again from where they come from.",
                dataset=dataset,
            )
        )
