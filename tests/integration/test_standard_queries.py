"""TPC-H, TPC-DS and ClickBench asked of the desk: DuckDB's own answers, but for those that the document lists."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from support import clickbench, tpcds, tpch
from support.benchmarks import Portal, a_benchmark

from portal.errors import StatementRefusal

DOCUMENT = Path(__file__).parents[2] / "docs/sql-fidelity.md"


@dataclass(frozen=True)
class Benchmark:
    """`finding` is how many of its queries find something in the made-up rows, at the least."""

    size: int
    finding: int
    queries: Mapping[int, str]
    tables: Callable[[], duckdb.DuckDBPyConnection]


BENCHMARKS = {
    "TPC-H": Benchmark(22, 22, tpch.QUERIES, tpch.small_tpch),
    "TPC-DS": Benchmark(99, 95, tpcds.QUERIES, tpcds.small_tpcds),
    "ClickBench": Benchmark(43, 41, clickbench.QUERIES, clickbench.small_clickbench),
}


def documented(heading: str) -> list[list[str]]:
    """Return the rows of the table under a heading of the document."""
    section = DOCUMENT.read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return rows[2:]


REFUSED = {(name, int(number)): code.strip("`") for name, number, code, _ in documented("Refused")}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_the_desk_answers_as_duckdb_does_but_for_what_is_documented(tmp_path: Path, name: str) -> None:
    benchmark = BENCHMARKS[name]
    assert list(benchmark.queries) == list(range(1, benchmark.size + 1))
    with a_benchmark(tmp_path, benchmark.tables()) as portal:
        expected = {number: portal.expected(sql) for number, sql in benchmark.queries.items()}
        differing = {number: difference(portal, sql, expected[number]) for number, sql in benchmark.queries.items()}
        assert {number: why for number, why in differing.items() if why} == {
            number: code for (of, number), code in REFUSED.items() if of == name
        }
    assert sum(map(finds_something, expected.values())) >= benchmark.finding


def difference(portal: Portal, sql: str, expected: pa.Table) -> str:
    """Return how the desk's answer differs from DuckDB's: nothing, what differs, or the code of the refusal."""
    try:
        found = portal.answer(sql)
    except StatementRefusal as refusal:
        return " ".join({fault.code for fault in refusal.faults})
    if found.schema.names != expected.schema.names:
        return f"names {found.schema.names}, not {expected.schema.names}"
    if found.schema.types != expected.schema.types:
        return f"types {found.schema.types}, not {expected.schema.types}"
    return "" if found.to_pylist() == expected.to_pylist() else "rows"


def finds_something(answer: pa.Table) -> bool:
    return any(value not in (None, 0) for column in answer.columns for value in column.to_pylist())


def test_the_document_counts_the_queries_and_says_why_some_are_refused() -> None:
    refused = Counter(name for name, _ in REFUSED)
    assert [[name, *map(int, numbers)] for name, *numbers in documented("Answers")] == [
        [name, benchmark.size, benchmark.size - refused[name], refused[name]] for name, benchmark in BENCHMARKS.items()
    ]
    for name, number, code, reason in documented("Refused"):
        assert name in BENCHMARKS
        assert int(number) in BENCHMARKS[name].queries
        assert re.fullmatch("`SQL_[A-Z_]+`", code)
        assert len(reason) > 40
