import io
import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from portal.workspaces.texts import write_csv, write_json

COLUMNS = {
    "whole": "42::BIGINT",
    "huge": "170141183460469231731687303715884105727::HUGEINT",
    "exact": "1.50::DECIMAL(10, 2)",
    "half": "0.5::DOUBLE",
    "round": "1.0::DOUBLE",
    "single": "0.1::FLOAT",
    "yes": "true",
    "day": "DATE '2026-01-31'",
    "moment": "TIMESTAMP '2026-01-31 10:00:00'",
    "plain": "'a b'",
    "quoted": "'a \"b\", c'",
    "lines": "'a\nb'",
    "empty": "''",
    "nothing": "NULL::VARCHAR",
    "number_in_text": "'007'",
    "numbers": "[1, 2]",
}


def answer_of(select: str) -> pa.Table:
    with duckdb.connect() as connection:
        return connection.sql(select).to_arrow_table()


def csv_of(table: pa.Table) -> str:
    sink = io.BytesIO()
    write_csv(sink, table.schema, iter(table.to_batches()))
    return sink.getvalue().decode()


@pytest.mark.parametrize("name", COLUMNS)
def test_csv_is_what_duckdb_prints(tmp_path: Path, name: str) -> None:
    select = f"SELECT {COLUMNS[name]} AS {name}, 1 AS other FROM range(2)"
    out = tmp_path / "out.csv"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{out}' (FORMAT csv, HEADER)")
    assert csv_of(answer_of(select)) == out.read_text()


def test_an_answer_without_rows_has_its_header_and_two_columns_may_share_a_name() -> None:
    assert csv_of(answer_of("SELECT 1 AS a WHERE false")) == "a\n"
    twice = pa.table([pa.array([1]), pa.array([2])], schema=pa.schema([("a", pa.int64()), ("a", pa.int64())]))
    assert csv_of(twice) == "a,a\n1,2\n"


def test_json_keeps_numbers_exact_and_is_always_json() -> None:
    table = answer_of(
        "SELECT 170141183460469231731687303715884105727::HUGEINT AS huge, 1.50::DECIMAL(10, 2) AS exact, "
        "'nan'::DOUBLE AS nan, {'a': [1, NULL], 'b': 'é\"'} AS nested, NULL AS nothing, DATE '2026-01-31' AS day"
    )
    sink = io.BytesIO()
    write_json(sink, table.schema, iter(table.to_batches()))
    read = json.loads(sink.getvalue(), parse_float=str, parse_int=str)
    assert read["rows"] == [
        ["170141183460469231731687303715884105727", "1.50", "nan", {"a": ["1", None], "b": 'é"'}, None, "2026-01-31"]
    ]
    assert [column["name"] for column in read["columns"]] == ["huge", "exact", "nan", "nested", "nothing", "day"]
