"""Files of tables as relations in which nothing is guessed: CSV and JSON arrive as text, Parquet with its own types."""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import duckdb

from portal.ids import DatasetName
from portal.policy.masks import literal, quote
from portal.publishing.failures import reading
from portal.publishing.releases import sha256_of

LARGEST_CELL = 2_000_000
"""Bytes of one row of a CSV file; a longer one is taken for a missing quote."""


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A file that can be read. `select` reads it as it is; `name` is all that is ever said of it."""

    name: str
    select: str
    columns: tuple[str, ...]
    bytes: int
    sha256: str


def open_table(connection: duckdb.DuckDBPyConnection, path: Path, name: str, dataset: DatasetName) -> SourceTable:
    """Look at a file whose suffix is one of `TABLES`. Raises `ContentError` where it is damaged."""
    with reading(name, dataset):
        select = TABLES[path.suffix.lower()](connection, path)
        columns = tuple(str(row[0]) for row in connection.execute(f"DESCRIBE {select}").fetchall())
        return SourceTable(name, select, columns, path.stat().st_size, sha256_of(path))


def _read_csv(_: duckdb.DuckDBPyConnection, path: Path) -> str:
    with path.open("rb") as stream:
        stream.seek(-1, 2)
        if stream.read(1) not in b"\r\n":
            raise ValueError("no line break at the end: a row is cut short")
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        header = next(csv.reader(text, strict=True))
    if len(set(header)) < len(header):
        raise ValueError("two columns of one name")
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
    return (
        f"SELECT * FROM read_csv({literal(str(path))}, auto_detect=false, header=true, delim=',', quote='\"', "  # noqa: S608 - literals
        f"escape='\"', strict_mode=true, max_line_size={LARGEST_CELL}, columns={{{columns}}})"
    )


def _read_json(connection: duckdb.DuckDBPyConnection, path: Path) -> str:
    relation = f"read_json({literal(str(path))}, maximum_depth=1, sample_size=-1, records=true)"
    names = [str(row[0]) for row in connection.execute(f"DESCRIBE FROM {relation}").fetchall()]
    texts = ", ".join(f"{quote(name)}->>'$' AS {quote(name)}" for name in names)
    return f"SELECT {texts} FROM {relation}"  # noqa: S608 - literals


def _read_parquet(_: duckdb.DuckDBPyConnection, path: Path) -> str:
    return f"SELECT * FROM read_parquet({literal(str(path))}, hive_partitioning=false)"  # noqa: S608 - literals


TABLES: Mapping[str, Callable[[duckdb.DuckDBPyConnection, Path], str]] = MappingProxyType(
    {
        ".csv": _read_csv,
        ".json": _read_json,
        ".jsonl": _read_json,
        ".ndjson": _read_json,
        ".parquet": _read_parquet,
    }
)
"""How a file with each suffix is read."""
