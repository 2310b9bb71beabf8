"""DuckDB's own reading of a statement, and the schemas of an instance's tables."""

from functools import cache

import duckdb

from portal.engines.duckdb.parser import DuckDBParser
from portal.ids import DatasetName
from portal.sql.plan import TableSchema


@cache
def statement_parser() -> DuckDBParser:
    """Return one parser for all tests: it holds nothing that a statement could change."""
    return DuckDBParser()


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
