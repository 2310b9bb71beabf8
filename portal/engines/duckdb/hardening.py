"""The settings that every DuckDB of the portal starts with, and the way to a table of Parquet files.

DuckDB's authors say that settings are defence in depth and no sandbox (duckdb.org/security); they are used as such.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import duckdb

_SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "python_enable_replacements": "false",  # names in SQL never mean variables of this process
        "autoload_known_extensions": "false",
        "autoinstall_known_extensions": "false",
        "allow_community_extensions": "false",
        "allow_unsigned_extensions": "false",
        "allow_persistent_secrets": "false",
        "temp_directory": "",
        "pin_threads": "off",
    }
)


def connect(*, threads: int, async_threads: int, memory_bytes: int) -> duckdb.DuckDBPyConnection:
    """Open an empty instance in memory that loads nothing, remembers nothing and sees no Python variable."""
    sizes = {"threads": str(threads), "async_threads": str(async_threads), "memory_limit": f"{memory_bytes}B"}
    connection = duckdb.connect(":memory:", config={**_SETTINGS, **sizes})
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection


def seal(connection: duckdb.DuckDBPyConnection, paths: Sequence[str] = ()) -> None:
    """Open no file but these from here on, and change no setting."""
    connection.execute(f"SET allowed_paths = {_list(paths)}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def create_table(connection: duckdb.DuckDBPyConnection, name: str, files: Sequence[str]) -> None:
    """Give the rows of these Parquet files, which all have the same columns, a name."""
    source = f"read_parquet({_list(files)}, hive_partitioning = false, union_by_name = false)"
    connection.execute(f"CREATE VIEW {identifier(name)} AS SELECT * FROM {source}")  # noqa: S608 - our own text


def identifier(name: str) -> str:
    """Return the name as SQL reads it back."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return the value as a text literal."""
    return "'" + value.replace("'", "''") + "'"


def _list(values: Sequence[str]) -> str:
    return "[" + ", ".join(text(value) for value in values) + "]"
