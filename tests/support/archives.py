"""Zip archives for tests: from names and contents to a file."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path


def zipped(content: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def sha1_line(data: bytes, name: str) -> bytes:
    return f"{hashlib.sha1(data, usedforsecurity=False).hexdigest()}  {name}\n".encode()


def with_sums(content: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files and a `.sha1` beside each."""
    return {**content, **{f"{name}.sha1": sha1_line(data, name) for name, data in content.items()}}


def daily_dump(folder: Path, day: str, *tables: bytes) -> Path:
    """Write a dump as the DSA Transparency Database gives it: zips of one table each, in a zip, each with its sum."""
    name = f"sor-global-{day}-full"
    inner = {
        f"{name}-{place:05}.csv.zip": zipped(with_sums({f"{name}-{place:05}-00000.csv": table}))
        for place, table in enumerate(tables)
    }
    path = folder / f"{name}.zip"
    path.write_bytes(zipped(with_sums(inner)))
    path.with_name(f"{path.name}.sha1").write_bytes(sha1_line(path.read_bytes(), path.name))
    return path
