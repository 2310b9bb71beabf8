"""Statements that mean harm, and processes that break: each ends clearly, and the next statement works."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.sandboxes import a_sandbox, answer, assert_ended, children_of, codes_of, rows

from portal.engines.duckdb.sandbox import DuckDBSandbox
from portal.engines.port import ReadJob, ReadLimits
from portal.errors import Cancelled, EngineFailure, LimitReached, PortalError, StatementRefusal

SMALL = ReadLimits(seconds=8, memory_bytes=300_000_000)
STREAM = "SELECT range AS n FROM range(1000000000)"
ENDLESS = "SELECT count(*) AS k FROM range(10000000) a, range(10000000) b WHERE a.range + b.range = -1"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBSandbox]:
    engine = a_sandbox(tmp_path_factory.mktemp("scratch"))
    yield engine
    engine.close()


@pytest.fixture
def next_statement_works(sandbox: DuckDBSandbox) -> Iterator[None]:
    yield
    assert answer(sandbox, ReadJob("SELECT 42 AS n")) == {"n": [42]}


pytestmark = pytest.mark.usefixtures("next_statement_works")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"n": [1, 2, 3], "s": ["a", "b", "c"]}), path)
    return path


def refused(sandbox: DuckDBSandbox, sql: str, *, table: Path | None = None) -> PortalError:
    job = ReadJob(sql, tables={"t": [table]} if table else {}, limits=SMALL)
    with pytest.raises(PortalError) as raised:
        answer(sandbox, job)
    return raised.value


@pytest.mark.parametrize(
    "sql",
    [
        "FROM read_text('/etc/passwd')",
        "FROM read_csv('/etc/passwd')",
        "FROM read_blob('{other}')",
        "FROM read_parquet('{other}')",
        "FROM '{other}'",
        "FROM glob('{folder}/*')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "COPY (FROM t) TO '{folder}/stolen.csv'",
        "COPY (FROM t) TO '{table}' (FORMAT parquet, USE_TMP_FILE false)",
        "WITH x AS (COPY (FROM t) TO '{folder}/stolen.csv') SELECT * FROM x",
        "ATTACH '{folder}/new.db'",
        "INSTALL httpfs",
        "LOAD '{other}'",
        "FROM 'http://127.0.0.1:1/x.csv'",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "EXPORT DATABASE '{folder}/out'",
    ],
)
def test_no_other_file_is_read_or_written(sandbox: DuckDBSandbox, tmp_path: Path, table: Path, sql: str) -> None:
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"hidden": ["hidden-value"]}), other)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    error = refused(sandbox, sql.format(other=other, folder=tmp_path, table=table), table=table)

    assert "hidden-value" not in str(error)
    assert str(tmp_path) not in str(error)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT len(range(100000000)) AS n",
        "SELECT length(repeat('x', 2000000000)) AS n",
        "SELECT list(range::VARCHAR || repeat('y', 1000)) AS l FROM range(10000000)",
        "SELECT string_agg(repeat('z', 100000), '') AS s FROM range(100000)",
    ],
)
def test_a_bomb_ends_at_the_limit_of_memory(sandbox: DuckDBSandbox, sql: str) -> None:
    limits = ReadLimits(seconds=20, memory_bytes=300_000_000)

    with pytest.raises(LimitReached) as raised:
        answer(sandbox, ReadJob(sql, limits=limits))

    assert "memory" in raised.value.faults[0].rule.lower() + raised.value.faults[0].message.lower()


def test_an_endless_statement_ends_at_its_deadline(sandbox: DuckDBSandbox) -> None:
    began = time.monotonic()

    with pytest.raises(LimitReached) as raised:
        answer(sandbox, ReadJob(ENDLESS, limits=ReadLimits(seconds=1)))

    assert time.monotonic() - began < 3
    assert "second" in raised.value.faults[0].message


def test_a_person_may_stop_a_statement_within_a_second(sandbox: DuckDBSandbox) -> None:
    cancel = threading.Event()
    threading.Timer(0.5, cancel.set).start()
    began = time.monotonic()

    with pytest.raises(Cancelled):
        answer(sandbox, ReadJob(ENDLESS), cancel)

    assert 0.4 < time.monotonic() - began < 1.5


def test_a_huge_answer_is_cut_at_the_row_limit_and_says_so(sandbox: DuckDBSandbox) -> None:
    job = ReadJob(STREAM, limits=ReadLimits(result_rows=100_001))

    with sandbox.read(job) as stream:
        assert sum(batch.num_rows for batch in stream.batches()) == 100_001
        assert stream.complete is False


@pytest.mark.parametrize(("count", "complete"), [(9, True), (10, True), (11, False)])
def test_an_answer_is_complete_up_to_the_limit(sandbox: DuckDBSandbox, count: int, complete: bool) -> None:  # noqa: FBT001 - an expectation
    job = ReadJob(f"SELECT range AS n FROM range({count})", limits=ReadLimits(result_rows=10))

    with sandbox.read(job) as stream:
        assert sum(batch.num_rows for batch in stream.batches()) == min(count, 10)
        assert stream.complete is complete


def test_a_huge_answer_ends_at_the_limit_of_bytes(sandbox: DuckDBSandbox) -> None:
    limits = ReadLimits(result_bytes=20_000_000)

    with pytest.raises(LimitReached):
        answer(sandbox, ReadJob("SELECT repeat('x', 1000) AS s FROM range(500000)", limits=limits))


def test_one_value_too_large_for_a_frame_is_a_limit(sandbox: DuckDBSandbox) -> None:
    with pytest.raises(LimitReached):
        answer(sandbox, ReadJob("SELECT repeat('x', 100000000) AS s"))


@pytest.mark.parametrize("sent", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT])
def test_a_crash_is_an_incident_not_a_hang(sandbox: DuckDBSandbox, sent: signal.Signals) -> None:
    with pytest.raises(EngineFailure) as raised, sandbox.read(ReadJob(STREAM)) as stream:  # noqa: PT012 - the stream is the subject
        os.kill(stream._child.pid, sent)
        rows(stream)

    assert "incident" in str(raised.value)


def test_a_dead_zygote_is_replaced_before_the_next_statement(sandbox: DuckDBSandbox) -> None:
    assert answer(sandbox, ReadJob("SELECT 1 AS n")) == {"n": [1]}
    [zygote] = children_of(os.getpid())

    os.kill(zygote, signal.SIGKILL)
    os.waitid(os.P_PID, zygote, os.WEXITED | os.WNOWAIT)  # dead, and left for the portal to find

    assert answer(sandbox, ReadJob("SELECT 2 AS n")) == {"n": [2]}
    assert children_of(os.getpid()) != [zygote]


def test_leaving_early_ends_the_process(sandbox: DuckDBSandbox) -> None:
    with sandbox.read(ReadJob(STREAM)) as stream:
        next(stream.batches())
        pid = stream._child.pid

    assert_ended([pid])


def test_a_value_that_does_not_convert_is_refused_without_being_told(sandbox: DuckDBSandbox, table: Path) -> None:
    error = refused(sandbox, "SELECT (s || '-secret-value')::INT AS n FROM t", table=table)

    assert isinstance(error, StatementRefusal)
    assert "TRY_CAST" in str(error)
    assert "secret-value" not in str(error)


@pytest.mark.parametrize("sql", ["SELECT no_such_function(1)", "SELECT nope FROM t", "SELECT 1 + [1]", "SELECT $x"])
def test_what_does_not_bind_is_refused_in_our_words(sandbox: DuckDBSandbox, table: Path, sql: str) -> None:
    error = refused(sandbox, sql, table=table)

    assert isinstance(error, StatementRefusal)
    assert all(code.isupper() for code in codes_of(error))
    assert not [words for words in ("Binder", "LINE 1", "Candidate", "Did you mean") if words in str(error)]


def test_statements_wait_for_a_place_no_longer_than_their_deadline(tmp_path: Path) -> None:
    engine = a_sandbox(tmp_path, concurrent=1)
    try:
        with engine.read(ReadJob(STREAM)):
            began = time.monotonic()
            with pytest.raises(LimitReached):
                answer(engine, ReadJob("SELECT 1", limits=ReadLimits(seconds=0.5)))
            assert time.monotonic() - began < 2
        assert answer(engine, ReadJob("SELECT 1 AS n")) == {"n": [1]}
    finally:
        engine.close()


def test_closing_ends_every_process(tmp_path: Path) -> None:
    before = set(children_of(os.getpid()))
    engine = a_sandbox(tmp_path)
    answer(engine, ReadJob("SELECT 1"))
    started = set(children_of(os.getpid())) - before
    grandchildren = [pid for zygote in started for pid in children_of(zygote)]
    assert started
    assert grandchildren

    engine.close()

    assert_ended([*started, *grandchildren])


_PORTAL = """
import sys, time
from pathlib import Path
from portal.engines.duckdb.sandbox import DuckDBSandbox
from portal.engines.port import ReadJob

with DuckDBSandbox(Path(sys.argv[1])).read(ReadJob(sys.argv[2])) as stream:
    next(stream.batches())
    print("running", flush=True)
    time.sleep(60)
"""


def test_a_killed_portal_leaves_no_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _PORTAL, str(tmp_path), STREAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout
        assert killed.stdout.readline() == "running\n"
        [zygote] = children_of(killed.pid)
        sandboxes = children_of(zygote)
        assert sandboxes
        killed.kill()

    assert_ended([zygote, *sandboxes])
