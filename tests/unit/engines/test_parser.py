from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portal.engines.duckdb.parser import DuckDBParser


def test_a_statement_is_read_into_duckdbs_own_tree() -> None:
    tree = DuckDBParser().serialise("SELECT a FROM t WHERE b = $b")
    assert tree["error"] is False
    assert tree["statements"][0]["node"]["from_table"]["table_name"] == "t"


def test_a_statement_is_written_as_duckdb_would() -> None:
    assert DuckDBParser().normalise("from t select  a\nlimit 1") == "SELECT a FROM t LIMIT 1"


@pytest.mark.parametrize("text", ["selec", "", "SELECT (", "CREATE TABLE t (i INT)", "\0", "\ud800", "SELECT 'a\0b"])
def test_what_it_cannot_read_is_an_error_and_no_exception(text: str) -> None:
    parser = DuckDBParser()
    assert parser.serialise(text).get("error") or not parser.serialise(text)["statements"]
    assert not parser.normalise(text)


@pytest.mark.parametrize("nesting", ["({})", "[{}]", "abs({})", "(SELECT {})"])
def test_deep_nesting_ends_well(nesting: str) -> None:
    text = "1"
    for _ in range(900):
        text = nesting.format(text)
    parser = DuckDBParser()
    parser.serialise(f"SELECT {text}")
    assert parser.serialise("SELECT 1")["error"] is False


def test_nothing_of_the_statement_is_run(tmp_path: Path) -> None:
    target = tmp_path / "written"
    parser = DuckDBParser()
    for sql in (
        f"WITH x AS (COPY (SELECT 1) TO '{target}') SELECT 1",
        f"SELECT * FROM read_text('{target}')",
        "SELECT error('it ran')",
        "SELECT 1 FROM range(1000000000000)",
        "SELECT count(*) FROM query('SELECT error(''it ran'')')",
        "'); SELECT error('it ran'); --",
    ):
        assert "it ran" not in str(parser.serialise(sql).get("error_message", ""))
        parser.normalise(sql)
    assert not target.exists()


def test_many_threads_may_ask_at_once() -> None:
    parser = DuckDBParser()
    with ThreadPoolExecutor(8) as threads:
        texts = list(threads.map(parser.normalise, [f"SELECT {n}" for n in range(200)]))
    assert texts == [f"SELECT {n}" for n in range(200)]
