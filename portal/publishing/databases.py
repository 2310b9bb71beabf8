"""A relational database as a source: the answer to one query, as text, a batch at a time."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import URL, Connection, create_engine
from sqlalchemy.exc import SQLAlchemyError

from portal.catalogue.dataset import Database, Dataset
from portal.errors import ContentError, Fault
from portal.publishing.failures import reading

BATCH = 20_000
"""Rows that are held in memory."""
_READ_ONLY: Mapping[str, str] = MappingProxyType(
    {
        "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        "sqlite": "PRAGMA query_only = ON",
    }
)
"""What each kind of database is told first, so that a query of the codebook changes nothing."""


def database_name(url: URL) -> str:
    """Return what may be said of a database: its kind, and no host, user, password or path."""
    return f"{url.get_backend_name()} database"


@contextmanager
def fetched(url: URL, dataset: Dataset, scratch: Path) -> Iterator[Path]:
    """Bring the answer of the dataset's query to the disk, for as long as it is read. Raises `ContentError`."""
    target, declared = scratch / f"{os.urandom(8).hex()}.parquet", dataset.recipe.database
    if declared is None:
        raise ContentError(_undeclared(url, dataset))
    try:
        with reading(database_name(url), dataset.name):
            _fetch(url, dataset, declared, target)
        yield target
    finally:
        target.unlink(missing_ok=True)


def _fetch(url: URL, dataset: Dataset, declared: Database, target: Path) -> None:
    try:
        with ExitStack() as stack:
            engine = create_engine(_of_what_is_there(url), hide_parameters=True)
            stack.callback(engine.dispose)
            connection = stack.enter_context(engine.connect())
            if first := _READ_ONLY.get(engine.dialect.name):
                connection.exec_driver_sql(first)
            _write(connection, _query(connection, declared), target)
    except (SQLAlchemyError, ImportError):
        raise ContentError(_unread(url, dataset)) from None  # their words may quote a password or a row


def _of_what_is_there(url: URL) -> URL:
    """Return the URL so that SQLite does not make a file which is not there."""
    if url.get_backend_name() != "sqlite":
        return url
    return url.set(database=Path(url.database or "").absolute().as_uri(), query={"mode": "ro", "uri": "true"})


def _query(connection: Connection, declared: Database) -> str:
    if declared.query is not None:
        return declared.query
    quote = connection.dialect.identifier_preparer.quote
    return f"SELECT * FROM {'.'.join(map(quote, str(declared.table).split('.')))}"  # noqa: S608 - quoted by the dialect


def _write(connection: Connection, query: str, target: Path) -> None:
    result = connection.exec_driver_sql(query, execution_options={"stream_results": True, "yield_per": BATCH})
    names = list(result.keys())
    schema = pa.schema([(name, pa.string()) for name in names])
    with pq.ParquetWriter(target, schema) as writer:
        for rows in result.partitions(BATCH):
            writer.write_table(pa.table(_columns(rows, len(names)), schema=schema))


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[pa.Array]:
    return [pa.array([_text(row[place]) for row in rows], pa.string()) for place in range(width)]


def _text(value: Any) -> str | None:  # noqa: ANN401 - whatever a database's driver gives
    """Return a value as a CSV file would have it: a list as JSON, a time as ISO 8601 with a space."""
    match value:
        case None | str():
            return value
        case bool():
            return str(value).lower()
        case bytes() | memoryview():
            return bytes(value).hex()
        case list() | tuple() | dict():
            return json.dumps(value, default=str)
        case datetime():
            return value.isoformat(sep=" ")
        case _:
            return str(value)


def _undeclared(url: URL, dataset: Dataset) -> Fault:
    return Fault(
        "SOURCE_QUERY_MISSING",
        f"The codebook of {dataset.name!r} does not say what to read from a {database_name(url)}.",
        rule="recipe.database",
        fix="State a table or a query there.",
        dataset=dataset.name,
    )


def _unread(url: URL, dataset: Dataset) -> Fault:
    return Fault(
        "SOURCE_DATABASE",
        f"The {database_name(url)} could not be reached, or its query could not be run to the end.",
        rule="recipe.database",
        fix="Try the query with the database's own client, as the same user; install its driver if it is not there.",
        dataset=dataset.name,
    )
