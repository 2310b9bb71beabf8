"""DuckDB's own reading of a statement, the second opinion beside sqlglot's."""

import json
from collections.abc import Mapping
from typing import Any

import duckdb

from portal.engines.duckdb.instance import open_instance, seal

_MEMORY = 256_000_000
_SECONDS = 10.0


class DuckDBParser:
    """The `StatementParser` over an empty, sealed instance. Threads may share it; no text makes it raise."""

    def __init__(self) -> None:
        self._instance = open_instance(threads=1, memory_bytes=_MEMORY)
        seal(self._instance, seconds=_SECONDS)

    def serialise(self, sql: str) -> Mapping[str, Any]:
        """Return `json_serialize_sql` of the text; its `error` key is true where DuckDB cannot parse it."""
        text = self._ask("SELECT json_serialize_sql($1::VARCHAR)", sql)
        if text is None:
            return {"error": True}
        try:
            read: Mapping[str, Any] = json.loads(text)
        except (ValueError, RecursionError):  # the caller's own stack counts towards the recursion
            return {"error": True}
        return read

    def normalise(self, sql: str) -> str | None:
        """Return the text as DuckDB itself would write it, or None where it cannot."""
        return self._ask("SELECT json_deserialize_sql(json_serialize_sql($1::VARCHAR))", sql)

    def _ask(self, question: str, sql: str) -> str | None:
        try:
            with self._instance.cursor() as cursor:
                row = cursor.execute(question, [sql]).fetchone()
        except (duckdb.Error, RuntimeError, ValueError):  # DuckDB's internal errors are no duckdb.Error
            return None
        return None if row is None else row[0]
