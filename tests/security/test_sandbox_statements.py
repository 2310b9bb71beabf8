"""Whatever a statement does, its author gets a clear end, learns nothing of the machine, and the next one works."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.sandbox import ENDLESS, answer, sandbox, write_parquet

from portal.engines.duckdb.sandbox import DuckDBSandbox
from portal.errors import Cancelled, EngineFailure, LimitReached, PortalError, StatementRefusal


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[DuckDBSandbox]:
    with sandbox(folder) as made:
        yield made


def error_of(engine: DuckDBSandbox, sql: str, **options: object) -> PortalError:
    with pytest.raises(PortalError) as caught:
        answer(engine, sql, **options)  # type: ignore[arg-type]
    assert answer(engine, "SELECT 42 AS x")[0]["x"].to_pylist() == [42]
    return caught.value


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_parquet('{secret}')",
        "SELECT * FROM '{secret}'",
        "SELECT * FROM read_blob('{secret}')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/proc/self/environ')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM parquet_metadata('{secret}')",
        "COPY (SELECT 1) TO '{secret}'",
        "ATTACH '{secret}' AS other",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM read_parquet('http://127.0.0.1:80/x.parquet')",
        "SET threads = 64",
        "SET temp_directory = '/'",
        "RESET allowed_paths",
        "EXPORT DATABASE '{secret}'",
        "CREATE SECRET s (TYPE s3)",
        "SELECT getenv('PATH')",
        "PRAGMA enable_logging",
    ],
)
def test_nothing_outside_the_statement_can_be_reached(engine: DuckDBSandbox, folder: Path, sql: str) -> None:
    """The SQL rules refuse these long before; here they are given to the engine itself."""
    secret = write_parquet(folder / "secret.parquet")
    before = secret.read_bytes()
    said = str(error_of(engine, sql.format(secret=secret)))
    assert not any(word in said for word in ("secret.parquet", str(folder), "allowed", "SET ", "config"))
    assert secret.read_bytes() == before


def test_its_own_table_cannot_be_overwritten(engine: DuckDBSandbox, folder: Path) -> None:
    table = write_parquet(folder / "table.parquet")
    before = table.read_bytes()
    error_of(engine, f"COPY (SELECT 1) TO '{table}' (USE_TMP_FILE false)", tables={"t": table})
    assert table.read_bytes() == before


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT length(repeat('x', 3000000000))", "MEMORY_LIMIT"),
        ("SELECT len(range(1000000000))", "MEMORY_LIMIT"),
        ("SELECT list(repeat('y' || i, 1000)) FROM range(10000000) AS t(i)", "MEMORY_LIMIT"),
        ("SELECT len(string_agg(repeat('z', 1000000), '')) FROM range(2000)", "MEMORY_LIMIT"),
        (ENDLESS, "TIME_LIMIT"),
        (
            "SELECT count(*) FROM range(1000000) a(i), range(1000000) b(j), range(1000) c(k) WHERE i * j = k",
            "TIME_LIMIT",
        ),
        ("SELECT levenshtein(repeat('a', 200000), repeat('b', 200000))", "TIME_LIMIT"),
        ("WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM r) SELECT max(x) FROM r", "TIME_LIMIT"),
        ("SELECT i, repeat('x', 1000) FROM range(1000000000) AS t(i)", "RESULT_TOO_LARGE"),
        ("SELECT repeat('x', 70000000) AS x", "RESULT_TOO_LARGE"),
    ],
)
def test_a_statement_that_takes_too_much_is_stopped(engine: DuckDBSandbox, sql: str, code: str) -> None:
    seconds = 1.5 if code == "TIME_LIMIT" else 15  # ample, for a busy machine
    begun = time.monotonic()
    error = error_of(engine, sql, seconds=seconds, result_bytes=30_000_000, result_rows=10**9)
    assert isinstance(error, LimitReached)
    assert error.faults[0].code == code
    assert time.monotonic() - begun < seconds + 2.5


@pytest.mark.parametrize(
    ("sql", "code", "snippet"),
    [
        ("SELECT nosuch(1)", "SQL_UNKNOWN_FUNCTION", "nosuch(1)"),
        ("SELECT 'é', CAST(1 AS nosuch)", "SQL_UNKNOWN_TYPE", "nosuch"),
        ("SELECT s, nosuch FROM t", "SQL_UNKNOWN_COLUMN", "nosuch"),
        ("SELECT sum(s) FROM t", "SQL_ARGUMENT_TYPES", "sum(s)"),
        ("SELECT i, count(*) FROM t", "SQL_NOT_GROUPED", "i"),
        ("SELECT i FROM t a, t b", "SQL_AMBIGUOUS", "i"),
        ("SELECT i FROM t WHERE sum(i) > 1", "SQL_MISPLACED", "sum(i)"),
        ("SELECT CAST(s AS INTEGER) FROM t", "SQL_CONVERSION", None),
        ("SELECT CAST(if(i = 9, 'x', '1') AS INTEGER) FROM t, range(100000) ORDER BY i", "SQL_CONVERSION", None),
        ("SELECT CAST(if(j = 900000, 'x', '1') AS INTEGER) FROM range(1000000) AS r(j)", "SQL_CONVERSION", None),
        ("SELECT i + 9223372036854775807 FROM t", "SQL_OUT_OF_RANGE", None),
        ("SELECT strptime(s, '%Y') FROM t", "SQL_INVALID_INPUT", None),
        ("SELECT error(s) FROM t", "SQL_INVALID_INPUT", None),
        ("SELECT (SELECT i FROM t)", "SQL_SEVERAL_ROWS", None),
        ("SELECT $missing", "SQL_PARAMETERS", None),
    ],
)
def test_a_mistake_is_explained_without_the_engines_words(
    engine: DuckDBSandbox, folder: Path, sql: str, code: str, snippet: str | None
) -> None:
    table = write_parquet(folder / "table.parquet", "SELECT i, 'VALUE' || i AS s FROM range(10) AS t(i)")
    error = error_of(engine, sql, tables={"t": table})
    assert isinstance(error, StatementRefusal)
    fault = error.faults[0]
    assert fault.code == code
    assert fault.fix
    assert "VALUE" not in str(error)
    assert snippet is None or fault.snippet == snippet


def test_division_by_zero_is_no_oracle(engine: DuckDBSandbox) -> None:
    table, _ = answer(engine, "SELECT 1 // i AS a, 1 % i AS b FROM range(1) AS t(i)")
    assert table.to_pylist() == [{"a": None, "b": None}]


def test_a_damaged_file_is_the_operators_matter(engine: DuckDBSandbox, folder: Path) -> None:
    damaged = folder / "damaged.parquet"
    damaged.write_bytes(write_parquet(folder / "table.parquet").read_bytes()[:-40])
    error = error_of(engine, "SELECT * FROM t", tables={"t": damaged})
    assert isinstance(error, EngineFailure)
    assert "damaged" not in str(error)


def test_a_file_that_is_gone_is_the_operators_matter(engine: DuckDBSandbox, folder: Path) -> None:
    error = error_of(engine, "SELECT * FROM t", tables={"t": folder / "gone.parquet"})
    assert isinstance(error, EngineFailure)


@pytest.mark.parametrize("sql", [ENDLESS, "SELECT levenshtein(repeat('a', 200000), repeat('b', 200000))"])
def test_cancel_stops_within_a_second(engine: DuckDBSandbox, sql: str) -> None:
    cancel = threading.Event()
    threading.Timer(0.3, cancel.set).start()
    begun = time.monotonic()
    with pytest.raises(Cancelled):
        answer(engine, sql, cancel=cancel)
    assert time.monotonic() - begun < 1.3


def test_what_does_not_fit_into_memory_is_spilled_within_its_quota(folder: Path) -> None:
    sql = "SELECT max(s) AS m FROM (SELECT md5(i::VARCHAR) AS s, i FROM range(3000000) AS t(i) ORDER BY s DESC, i)"
    sort = f"SELECT count(*) AS n FROM ({sql.replace('max(s) AS m', 's, row_number() OVER (ORDER BY s) AS r')})"
    with sandbox(folder / "a") as engine:
        table, _ = answer(engine, sort, memory_bytes=150_000_000)
        assert table["n"].to_pylist() == [3_000_000]
        assert list((folder / "a" / "scratch").glob("*/*")) == []
    with sandbox(folder / "b", scratch_bytes=1_000_000) as engine, pytest.raises(LimitReached):
        answer(engine, sort, memory_bytes=150_000_000)
    assert list((folder / "b" / "scratch").iterdir()) == []
