"""A statement in the sandbox answers as DuckDB does: names, types, values, order."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from support.sandbox import answer, sandbox, write_parquet

from portal.engines.duckdb.hardening import text
from portal.engines.duckdb.sandbox import DuckDBSandbox
from portal.engines.port import ReadJob, ReadLimits

ROWS = """
    SELECT i, i % 3 AS g, 'word' || (i % 7) AS s, DATE '2024-01-01' + (i % 40)::INTEGER AS d,
        TIMESTAMP '2024-01-01 12:00:00' + to_hours(i) AS at, TIMESTAMPTZ '2024-06-01 00:00:00+00' + to_hours(i) AS tz,
        (i / 7)::DECIMAL(12, 3) AS price, i % 2 = 0 AS even, [i, i + 1] AS list, {'a': i, 'b': 'x'} AS struct,
        MAP {'k': i} AS map, if(i % 5 = 0, NULL, i) AS gaps, 'ab'::BLOB AS raw, (i % 3)::VARCHAR::JSON AS j,
        ['low', 'high'][1 + i % 2]::ENUM ('low', 'high') AS level, i::UTINYINT AS small, uuid() AS id
    FROM range(200) AS t(i)"""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_parquet(tmp_path_factory.mktemp("data") / "it's a table.parquet", ROWS)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBSandbox]:
    with sandbox(tmp_path_factory.mktemp("engine")) as made:
        yield made


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM t ORDER BY i",
        "SELECT count(*), sum(i), avg(price), max(s), min(d) FROM t",
        "SELECT g, count(DISTINCT s), list(i ORDER BY i) FROM t GROUP BY g ORDER BY g",
        "SELECT level, count(*) FROM t GROUP BY ALL ORDER BY ALL",
        "SELECT 'a'::ENUM ('a', 'b') AS e, 1::HUGEINT, 1::UHUGEINT, INTERVAL 3 DAY, TIME '24:00:00', '101'::BIT, NULL",
        "SELECT sum(i) OVER (ORDER BY i) AS running, i FROM t QUALIFY running < 100 ORDER BY i",
        "SELECT date_trunc('day', tz) AS day, count(*) FROM t GROUP BY 1 ORDER BY 1",
        "SELECT t FROM t ORDER BY i LIMIT 3",
        "FROM t SELECT i, s WHERE i < 0",
        "SELECT unnest(list) AS u FROM t ORDER BY u LIMIT 10 OFFSET 5",
        "PIVOT t ON level USING count(*) GROUP BY g ORDER BY g",
        "SELECT 1 // 0 AS nothing",
    ],
)
def test_an_answer_is_duckdbs_own(engine: DuckDBSandbox, table: Path, sql: str) -> None:
    with duckdb.connect() as plain:
        plain.execute("SET TimeZone = 'UTC'; SET error_on_division_by_zero = false")
        plain.execute(f"CREATE VIEW t AS SELECT * FROM read_parquet({text(str(table))})")
        relation = plain.sql(sql)
        assert relation is not None
        expected = relation.to_arrow_table()
    found, complete = answer(engine, sql, tables={"t": table})
    assert complete
    assert found.schema == expected.schema
    assert found.to_pylist() == expected.to_pylist()


@pytest.mark.parametrize(
    "value",
    ["it's $x; --", "", 2**60, -1, 1.5, True, None, date(2024, 2, 29), datetime(2024, 2, 29, 1, 2, 3, 4)],  # noqa: DTZ001 - both kinds
    ids=repr,
)
def test_a_parameter_arrives_as_it_was_given(engine: DuckDBSandbox, value: Any) -> None:
    found, _ = answer(engine, "SELECT $value AS value", parameters={"value": value})
    assert found["value"].to_pylist() == [value]


def test_an_aware_time_arrives_as_the_same_moment(engine: DuckDBSandbox) -> None:
    moment = datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC)
    found, _ = answer(engine, "SELECT $at AS at", parameters={"at": moment})
    assert found["at"].to_pylist() == [moment]


def test_cells_and_tables_meet_in_one_statement(engine: DuckDBSandbox, table: Path) -> None:
    cells = pa.table({"g": pa.array([0, 1, None], pa.int64()), "n": pa.array([10, None, 30], pa.int64())})
    sql = 'SELECT g, n, count(*) AS here FROM "the cells" JOIN t USING (g) GROUP BY ALL ORDER BY g'
    found, _ = answer(engine, sql, tables={"t": table}, cells={"the cells": cells})
    assert found.to_pylist() == [{"g": 0, "n": 10, "here": 67}, {"g": 1, "n": None, "here": 67}]


@pytest.mark.parametrize(("limit", "rows", "complete"), [(199, 199, False), (200, 200, True), (201, 200, True)])
def test_the_row_limit_cuts_and_says_so(
    engine: DuckDBSandbox, table: Path, limit: int, rows: int, *, complete: bool
) -> None:
    found = answer(engine, "SELECT i FROM t ORDER BY i", tables={"t": table}, result_rows=limit)
    assert found[0]["i"].to_pylist() == list(range(rows))
    assert found[1] is complete


def test_an_answer_of_many_batches_is_whole_and_in_order(engine: DuckDBSandbox) -> None:
    found, complete = answer(engine, "SELECT i, repeat('x', i % 300) AS s FROM range(300000) AS t(i)")
    assert complete
    assert found["i"].to_pylist() == list(range(300_000))
    assert found["s"][299_999].as_py() == "x" * 299


def test_a_table_of_several_files_is_one(engine: DuckDBSandbox, tmp_path: Path) -> None:
    files = [
        write_parquet(tmp_path / f"{n}.parquet", f"SELECT {n} AS n, i FROM range(1000) AS t(i)") for n in range(50)
    ]
    job = ReadJob("SELECT count(*) AS c, sum(n)::INT AS s FROM t", tables={"t": files}, limits=ReadLimits(seconds=10))
    with engine.read(job) as stream:
        assert [batch.to_pylist() for batch in stream.batches()] == [[{"c": 50_000, "s": 1_225_000}]]
