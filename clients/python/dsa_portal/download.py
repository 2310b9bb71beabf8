"""A file fetched: what is there of it already is not fetched again, and what is not as it was made is not kept."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dsa_portal.http import Connection
from dsa_portal.problem import PortalProblem

CHUNK = 1 << 20
PARTIAL = 206


def fetch(connection: Connection, status: Mapping[str, Any], to: Path, tell: Callable[[float, str], None]) -> Path:
    """Fetch the file of a download that is ready into the folder or file `to`. Raises `PortalProblem`."""
    if status["state"] != "ready":
        raise PortalProblem(404, "DOWNLOAD_NOT_READY", "No file", f"This download is {status['state']}.", fix="Wait.")
    target = to / status["filename"] if to.is_dir() else to
    part = target.with_name(f".{target.name}.{status['sha256'][:12]}.part")
    while (there := _size(part)) < status["bytes"]:
        try:
            _fetch_rest(connection, status, part, there, tell)
        except PortalProblem:
            if _size(part) <= there:  # nothing came: asking again at once would not help
                raise
    if _sha256(part) != status["sha256"]:
        part.unlink()
        detail = "What was fetched is not what the portal made."
        raise PortalProblem(0, "CHECKSUM", "The file is damaged", detail, fix="Fetch it again.")
    part.replace(target)
    tell(1.0, f"{target.name} is whole")
    return target


def _fetch_rest(
    connection: Connection, status: Mapping[str, Any], part: Path, there: int, tell: Callable[[float, str], None]
) -> None:
    headers = {"Accept-Encoding": "identity"}
    if there:
        headers |= {"Range": f"bytes={there}-", "If-Range": f'"{status["sha256"]}"'}
    with connection.stream("GET", f"/downloads/{status['id']}/file", headers) as response:
        goes_on = response.status_code == PARTIAL
        done = there if goes_on else 0
        with part.open("ab" if goes_on else "wb") as file:
            for chunk in response.iter_bytes(CHUNK):
                file.write(chunk)
                done += len(chunk)
                tell(0.5 + done / status["bytes"] / 2, f"Fetching: {done:,} of {status['bytes']:,} bytes")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
