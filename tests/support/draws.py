"""Values drawn from a hash of a name and a row's number: made-up tables that are the same everywhere."""

from collections.abc import Iterable

import duckdb

MACROS = """
CREATE MACRO draw(seed, i, n) AS (md5_number_lower(seed || ' ' || i) % n::UBIGINT)::BIGINT;
CREATE MACRO pick(seed, i, words) AS string_split(words, '|')[1 + draw(seed, i, len(string_split(words, '|')))];
"""
"""`draw` gives a number below `n`, and `pick` one of the words between bars."""


def columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    """Return the names and types of a table's columns."""
    return [(name, kind) for name, kind, *_ in connection.execute(f"DESCRIBE {table}").fetchall()]


def end_of(name: str, ends: Iterable[str]) -> str | None:
    """Return the longest of the given ends, whole words each, that a name has."""
    found = [end for end in ends if name == end or name.endswith(f"_{end}")]
    return max(found, key=len, default=None)
