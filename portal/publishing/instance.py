"""The DuckDB in which sources are read and releases are compared and measured."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb

MEMORY = "1GB"
"""What such work may hold in memory; what is more goes to disk."""


@contextmanager
def bounded_instance(spill: Path, database: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database, in memory where none is named, that holds little at once and spills the rest.

    It loads no extension by itself, and prints no progress: that would stand among a command's results.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "temp_directory": str(spill),
        "autoload_known_extensions": "false",
    }
    with closing(duckdb.connect(str(database or ":memory:"), config=config)) as connection:
        connection.execute("SET enable_progress_bar = false")  # refused as a part of the configuration
        yield connection
