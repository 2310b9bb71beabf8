"""DuckDB's own reading of a statement, and the tables of the statement tests."""

import json
from collections.abc import Mapping
from typing import Any

import duckdb

from portal.ids import DatasetName
from portal.sql.plan import TableSchema


class EmptyDuckDB:
    """The StatementParser protocol over a fresh in-memory instance."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()

    def serialise(self, sql: str) -> Mapping[str, Any]:
        return json.loads(self._one("SELECT json_serialize_sql(?::VARCHAR)", sql) or "{}")

    def normalise(self, sql: str) -> str | None:
        try:
            return self._one("SELECT json_deserialize_sql(json_serialize_sql(?::VARCHAR))", sql)
        except duckdb.Error:
            return None

    def _one(self, question: str, sql: str) -> str | None:
        row = self._connection.execute(question, [sql]).fetchone()
        return None if row is None else row[0]


def schemas_of(connection: duckdb.DuckDBPyConnection) -> dict[DatasetName, TableSchema]:
    """Return the schema of every table of the connection."""
    rows = connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal "
        "ORDER BY table_name, column_index"
    ).fetchall()
    columns: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        columns.setdefault(table, {})[column] = kind
    return {DatasetName(name): TableSchema(DatasetName(name), found) for name, found in columns.items()}
