"""DuckDB's own reading of a statement. It parses; nothing is bound or run.

The statement is a parameter, a text like any other, of two functions that read SQL and write JSON and back. DuckDB
computes them whenever it likes, which is harmless: neither looks at a catalogue, and the instance has nothing in it.
"""

import json
from collections.abc import Mapping
from typing import Any

import duckdb

from portal.engines.duckdb.hardening import connect, seal

_MEMORY = 256_000_000
_CANNOT: Mapping[str, Any] = {"error": True}


class DuckDBParser:
    """The statement parser over one empty, sealed instance. For many threads."""

    def __init__(self) -> None:
        self._instance = connect(threads=1, async_threads=0, memory_bytes=_MEMORY)
        seal(self._instance)

    def serialise(self, sql: str) -> Mapping[str, Any]:
        """Return `json_serialize_sql` of the text; its `error` key is true where DuckDB cannot parse it."""
        answer = self._ask("SELECT json_serialize_sql($sql::VARCHAR)", sql)
        try:
            return _CANNOT if answer is None else json.loads(answer)
        except RecursionError:
            return _CANNOT

    def normalise(self, sql: str) -> str | None:
        """Return the text as DuckDB itself would write it, or None where it cannot."""
        return self._ask("SELECT json_deserialize_sql(json_serialize_sql($sql::VARCHAR))", sql)

    def _ask(self, question: str, sql: str) -> str | None:
        with self._instance.cursor() as session:
            try:
                row = session.execute(question, {"sql": sql}).fetchone()
            except (duckdb.Error, UnicodeError):
                return None
        return None if row is None else row[0]
