"""A hardened in-memory DuckDB: opened with nothing in it, filled by us, then sealed.

DuckDB says of itself that its settings are defence in depth and no sandbox; the operating system is the wall.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import duckdb

HARDENED: Mapping[str, str] = MappingProxyType(
    {
        "python_enable_replacements": "false",
        "autoload_known_extensions": "false",
        "autoinstall_known_extensions": "false",
        "allow_community_extensions": "false",
        "allow_unsigned_extensions": "false",
        "allow_persistent_secrets": "false",
        "temp_directory": "",
    }
)

_CANARIES = ("SET threads = 8", "ATTACH 'x.db'", "FROM 'x.csv'", "FROM read_text('/etc/hostname')", "LOAD httpfs")


class NotSealedError(RuntimeError):
    """A statement that a sealed instance must refuse went through; the process must not go on."""


def open_instance(threads: int, memory_bytes: int, temporary: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Open an instance that loads no extension and sees no Python variable; it spills to `temporary`, or not at all."""
    config: dict[str, str | bool | int | float | list[str]] = {
        **HARDENED,
        "temp_directory": str(temporary or ""),
        "threads": str(threads),
        "memory_limit": f"{memory_bytes}B",
    }
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def seal(connection: duckdb.DuckDBPyConnection, readable: Sequence[str] = (), seconds: float | None = None) -> None:
    """Close the instance to all files but `readable`, then to every change of its settings, and prove it.

    DuckDB would also write to `readable`; only the operating system can forbid that. `seconds` bounds each statement
    from inside, and not all of them hold to it. Raises `NotSealedError`.
    """
    connection.execute("SET error_on_division_by_zero = false")
    if seconds is not None:
        connection.execute(f"SET max_execution_time = {max(1, int(seconds * 1000))}")
    connection.execute("SET max_expression_depth = 250")
    if readable:
        connection.execute(f"SET allowed_paths = {sql_list(readable)}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    _prove_sealed(connection)


def sql_text(value: str) -> str:
    """Write a text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def sql_name(name: str) -> str:
    """Write a name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def sql_list(values: Sequence[str]) -> str:
    """Write texts as an SQL list literal."""
    return "[" + ", ".join(map(sql_text, values)) + "]"


def _prove_sealed(connection: duckdb.DuckDBPyConnection) -> None:
    for canary in _CANARIES:
        try:
            connection.execute(canary)
        except duckdb.Error:
            continue
        raise NotSealedError(canary)
