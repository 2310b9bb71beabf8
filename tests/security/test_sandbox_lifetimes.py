"""Processes end when their statement ends, however that is, and nobody else notices."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from support.sandbox import ENDLESS, answer, sandbox, write_parquet

from portal.engines.duckdb.pool import Child, Pool
from portal.engines.duckdb.sandbox import DuckDBSandbox
from portal.engines.port import ReadJob, ReadLimits
from portal.errors import EngineFailure, PortalError


def eventually(holds: Callable[[], bool], seconds: float = 5) -> bool:
    ends = time.monotonic() + seconds
    while not holds() and time.monotonic() < ends:
        time.sleep(0.02)
    return holds()


def gone(*processes: psutil.Process) -> bool:
    """Whether all have ended, be they buried or not."""

    def ended(process: psutil.Process) -> bool:
        try:
            return process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    return all(ended(each) for each in processes)


def zygote_of(engine: DuckDBSandbox) -> psutil.Process:
    assert engine._pool._zygote
    return psutil.Process(engine._pool._zygote.pid)


def running(engine: DuckDBSandbox) -> list[psutil.Process]:
    """Return the sandboxes that compute, not those that wait."""
    return [child for child in zygote_of(engine).children() if child.cpu_times().user > 0.15]


def while_running(engine: DuckDBSandbox, act: Callable[[], object], seconds: float = 10) -> PortalError:
    """Return how an endless statement ends when `act` is done to it."""
    caught: list[PortalError] = []

    def run() -> None:
        try:
            answer(engine, ENDLESS, seconds=seconds)
        except PortalError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert eventually(lambda: bool(running(engine)))
    act()
    thread.join(4)
    assert caught
    return caught[0]


def works(engine: DuckDBSandbox) -> bool:
    return answer(engine, "SELECT 1 AS x")[0]["x"].to_pylist() == [1]


def works_now(engine: DuckDBSandbox) -> bool:
    try:
        return works(engine)
    except EngineFailure:
        return False


@pytest.mark.parametrize("deadly", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_killed_sandbox_ends_its_statement_and_no_other(tmp_path: Path, deadly: signal.Signals) -> None:
    with sandbox(tmp_path) as engine:
        assert works(engine)
        error = while_running(engine, lambda: running(engine)[0].send_signal(deadly))
        assert isinstance(error, EngineFailure)
        assert error.faults[0].code == "ENGINE_CRASHED"
        assert works(engine)


def test_a_killed_zygote_takes_its_children_along_and_is_replaced(tmp_path: Path) -> None:
    with sandbox(tmp_path) as engine:
        assert works(engine)
        children = zygote_of(engine).children()
        error = while_running(engine, lambda: zygote_of(engine).kill())
        assert isinstance(error, EngineFailure)
        assert eventually(lambda: gone(*children))
        assert works(engine)


def test_dead_children_that_stood_ready_are_passed_over(tmp_path: Path) -> None:
    with sandbox(tmp_path, warm=3) as engine:
        assert works(engine)
        assert eventually(lambda: len(zygote_of(engine).children()) == 3)
        ready = zygote_of(engine).children()
        for child in ready:
            child.kill()
        assert eventually(lambda: gone(*ready))
        assert works(engine)


def test_a_zygote_that_hangs_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.engines.duckdb.pool._ARRIVES_WITHIN", 1.0)
    monkeypatch.setattr("portal.engines.duckdb.pool._ENDS_WITHIN", 0.2)
    with sandbox(tmp_path, warm=1) as engine:
        assert works(engine)
        zygote_of(engine).suspend()
        assert works(engine)
        assert works(engine)


def test_a_stopped_sandbox_ends_in_time(tmp_path: Path) -> None:
    with sandbox(tmp_path) as engine:
        assert works(engine)
        error = while_running(engine, lambda: [process.suspend() for process in running(engine)], seconds=1)
        assert error.faults[0].code == "TIME_LIMIT"
        assert works(engine)


def test_a_machine_out_of_descriptors_refuses_new_statements_and_harms_none(tmp_path: Path) -> None:
    with sandbox(tmp_path, warm=1) as engine, engine.read(ReadJob("SELECT 1")) as stream:
        zygote = zygote_of(engine)
        before = zygote.rlimit(psutil.RLIMIT_NOFILE)
        zygote.rlimit(psutil.RLIMIT_NOFILE, (6, before[1]))
        assert eventually(lambda: not works_now(engine))  # some stood ready yet
        zygote.rlimit(psutil.RLIMIT_NOFILE, before)
        assert sum(batch.num_rows for batch in stream.batches()) == 1
        assert eventually(lambda: works_now(engine))
        assert zygote_of(engine).pid == zygote.pid


def test_leaving_early_ends_the_process(tmp_path: Path) -> None:
    with sandbox(tmp_path) as engine:
        job = ReadJob("SELECT i FROM range(1000000000000) AS t(i)", limits=ReadLimits(result_rows=10**12))
        with engine.read(job) as stream:
            next(iter(stream.batches()))
            process = psutil.Process(stream._child.pid)
            assert process.is_running()
        assert eventually(lambda: gone(process))
        assert works(engine)


def test_each_process_is_used_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Child] = []
    take = Pool.take
    monkeypatch.setattr(Pool, "take", lambda pool: taken.append(take(pool)) or taken[-1])
    with sandbox(tmp_path) as engine:
        for _ in range(4):
            answer(engine, "SET VARIABLE left_behind = 1; SELECT 1")
            assert answer(engine, "SELECT getvariable('left_behind') AS v")[0]["v"].to_pylist() == [None]
    assert len({child.pid for child in taken}) == 8


def test_many_threads_get_their_own_answers(tmp_path: Path) -> None:
    table = write_parquet(tmp_path / "t.parquet")
    with sandbox(tmp_path) as engine, ThreadPoolExecutor(8) as threads:

        def ask(number: int) -> int:
            found, _ = answer(engine, "SELECT i FROM t WHERE i = $n", tables={"t": table}, parameters={"n": number})
            return int(found["i"][0].as_py())

        assert list(threads.map(ask, range(40))) == list(range(40))


def test_no_descriptor_and_no_process_is_left(tmp_path: Path) -> None:
    me = psutil.Process()
    with sandbox(tmp_path) as engine:
        assert works(engine)
        before = me.num_fds()
        for sql in ("SELECT 1", "SELECT nosuch", "SELECT repeat('x', 3000000000)") * 5:
            with suppress(PortalError):
                answer(engine, sql)
        assert me.num_fds() == before
        everyone = [zygote_of(engine), *zygote_of(engine).children()]
    assert eventually(lambda: gone(*everyone))
    assert list((tmp_path / "scratch").iterdir()) == []


def test_the_zygote_has_one_thread_and_no_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_SECRET", "s3cret")
    with sandbox(tmp_path) as engine:
        assert works(engine)
        assert eventually(lambda: len(zygote_of(engine).children()) == 2)
        for process in (zygote_of(engine), *zygote_of(engine).children()):
            assert process.num_threads() == 1
            assert "s3cret" not in str(process.environ())
            assert not any(str(tmp_path) in file.path for file in process.open_files())


PORTAL = """
import sys, time
from pathlib import Path
from portal.engines.duckdb.sandbox import DuckDBSandbox
from portal.engines.port import ReadJob
engine = DuckDBSandbox(Path(sys.argv[1]))
with engine.read(ReadJob("SELECT i FROM range(1000000000000) AS t(i)")) as stream:
    print("running", flush=True)
    time.sleep(60)
"""


def test_a_killed_portal_leaves_no_process_and_its_scratch_is_swept(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    portal = subprocess.Popen([sys.executable, "-c", PORTAL, scratch], stdout=subprocess.PIPE)
    assert portal.stdout
    with portal, portal.stdout:
        assert portal.stdout.readline() == b"running\n"
        family = psutil.Process(portal.pid).children(recursive=True)
        assert len(family) >= 2
        left = list(scratch.iterdir())
        with sandbox(tmp_path) as other:
            assert works(other)
            assert all(folder.exists() for folder in left), "the folder of a living portal was swept"
        os.kill(portal.pid, signal.SIGKILL)
    assert eventually(lambda: gone(*family))
    assert left
    with sandbox(tmp_path):
        assert not any(folder.exists() for folder in left)
