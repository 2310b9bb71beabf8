"""What an ordinary statement gets from the sandbox: its parameters, tables, cells and types, alone and among others."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.sandboxes import a_sandbox, answer

from portal.engines.duckdb.sandbox import DuckDBSandbox
from portal.engines.port import ReadJob
from portal.sql.plan import ParameterValue


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBSandbox]:
    engine = a_sandbox(tmp_path_factory.mktemp("scratch"))
    yield engine
    engine.close()


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("it's; DROP", "VARCHAR"),
        ("2025-01-31", "VARCHAR"),
        (date(2025, 1, 31), "DATE"),
        (datetime(2025, 1, 31, 12, 30, 1, 5), "TIMESTAMP"),  # noqa: DTZ001 - a parameter may have no zone
        (datetime(2025, 1, 31, 12, 30, tzinfo=UTC), "TIMESTAMP WITH TIME ZONE"),
        (2**40, "BIGINT"),
        (-1.5, "DOUBLE"),
        (True, "BOOLEAN"),
        (None, '"NULL"'),
    ],
)
def test_a_parameter_keeps_its_value_and_type(sandbox: DuckDBSandbox, value: ParameterValue, kind: str) -> None:
    job = ReadJob("SELECT $v AS v, typeof($v) AS t", parameters={"v": value})

    assert answer(sandbox, job) == {"v": [value], "t": [kind]}


def test_a_table_is_all_its_files_and_cells_stand_beside_it(sandbox: DuckDBSandbox, tmp_path: Path) -> None:
    folder = tmp_path / "year=2025 [a]"
    folder.mkdir()
    files = [folder / f"{number}.parquet" for number in range(3)]
    for number, path in enumerate(files):
        pq.write_table(pa.table({"k": [number, number + 10]}), path)
    cells = pa.table({"k": [1, 12], "label": ["one", None]})
    sql = 'SELECT k, label FROM t JOIN "released cells" USING (k) ORDER BY k'

    found = answer(sandbox, ReadJob(sql, tables={"t": files}, cells={"released cells": cells}))

    assert found == {"k": [1, 12], "label": ["one", None]}


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("[1, NULL, 3]", [1, None, 3]),
        ("{'a': 1, 'b': 'x'}", {"a": 1, "b": "x"}),
        ("MAP {'x': 1}", [("x", 1)]),
        ("1.25::DECIMAL(18, 3)", Decimal("1.250")),
        ("'b'::ENUM('a', 'b')", "b"),
        ("['b'::ENUM('a', 'b')]", ["b"]),
        ("TIMESTAMPTZ '2025-01-01 00:00:00+02'", datetime(2024, 12, 31, 22, tzinfo=UTC)),
        ("NULL", None),
        ("''", ""),
        ("'\\xAA'::BLOB", b"\xaa"),
    ],
)
def test_a_value_arrives_as_it_is(sandbox: DuckDBSandbox, sql: str, value: Any) -> None:
    assert answer(sandbox, ReadJob(f"SELECT {sql} AS v")) == {"v": [value]}


def test_an_empty_answer_has_its_columns(sandbox: DuckDBSandbox) -> None:
    assert answer(sandbox, ReadJob("SELECT 1 AS a, 'x' AS b WHERE false")) == {"a": [], "b": []}


def test_division_by_zero_is_null_and_tells_nothing(sandbox: DuckDBSandbox) -> None:
    assert answer(sandbox, ReadJob("SELECT 1 // 0 AS a, 1 % 0 AS b")) == {"a": [None], "b": [None]}


def test_chance_differs_from_process_to_process(sandbox: DuckDBSandbox) -> None:
    drawn = [answer(sandbox, ReadJob("SELECT random() AS r, uuid()::VARCHAR AS u")) for _ in range(4)]

    assert len({found["r"][0] for found in drawn}) == 4
    assert len({found["u"][0] for found in drawn}) == 4


def test_nothing_stays_from_one_statement_to_the_next(sandbox: DuckDBSandbox) -> None:
    answer(sandbox, ReadJob("SELECT n FROM mine", cells={"mine": pa.table({"n": [1]})}))

    tables = answer(sandbox, ReadJob("SELECT count(*) AS k FROM duckdb_tables() WHERE NOT internal"))
    views = answer(sandbox, ReadJob("SELECT count(*) AS k FROM duckdb_views() WHERE NOT internal"))
    assert (tables, views) == ({"k": [0]}, {"k": [0]})


def test_many_threads_are_served_at_once_and_each_gets_its_own(sandbox: DuckDBSandbox) -> None:
    def ask(number: int) -> dict[str, list[Any]]:
        return answer(sandbox, ReadJob("SELECT sum(range) + $n AS n FROM range(100000)", parameters={"n": number}))

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(24)))

    assert [each["n"][0] - 4_999_950_000 for each in found] == list(range(24))
