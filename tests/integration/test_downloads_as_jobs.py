import errno
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

import pytest
from support.jobs import ENDLESS, a_worker, eventually, files_in, state_of
from support.portal import GOODS, OSCAR, RITA, SALES, VETTED, a_portal, services_of, write_portal

from portal.clock import system_clock
from portal.desk.answers import Asker
from portal.desk.downloads import cancel_download, my_downloads, open_download, request_download
from portal.desk.making import make_download, run_next, turns
from portal.desk.services import Services
from portal.desk.statements import Running
from portal.desk.upkeep import remove_loose_downloads
from portal.desk.workers import downloads_made
from portal.errors import Cancelled, LimitReached, NotFoundError
from portal.ids import DatasetName
from portal.ledger import Action
from portal.registry import Audit
from portal.settings import Settings
from portal.sql.plan import Statement
from portal.workspaces.export import WRITERS

TWO = Statement(f"{SALES} LIMIT 2")


def count(services: Services, action: Action) -> int:
    return len(services.ledger.search(action=action))


def test_a_running_download_tells_how_far_it_is_and_stops_within_a_second(tmp_path: Path) -> None:
    with a_portal(tmp_path) as services, downloads_made(services, workers=1):
        long = request_download(services, VETTED, Statement(ENDLESS), "csv").id
        waits = request_download(services, VETTED, TWO, "csv").id
        eventually(lambda: state_of(services, VETTED, long).words == "Running")
        assert state_of(services, VETTED, long).state == "running"
        assert (state_of(services, VETTED, waits).state, state_of(services, VETTED, waits).before) == ("queued", 0)
        cancel_download(services, VETTED, long)
        assert eventually(lambda: state_of(services, VETTED, long).is_over) < 1
        error = state_of(services, VETTED, long).error
        assert isinstance(error, Cancelled)
        eventually(lambda: state_of(services, VETTED, waits).is_over)
        assert [status.state for status in my_downloads(services, VETTED)] == ["ready", "failed"]
        assert len(files_in(services.downloads)) == 2, "the other file and its manifest"
        assert count(services, Action.DOWNLOAD_MADE) == count(services, Action.DOWNLOAD_FAILED) == 1


def test_what_a_killed_process_was_making_is_made_by_the_next_and_charged_once(tmp_path: Path) -> None:
    settings = write_portal(tmp_path)
    with services_of(settings) as services:
        asked = request_download(services, VETTED, TWO, "csv").id
        with a_worker(settings, hangs=True) as process:
            assert process.stdout
            assert [process.stdout.readline().strip() for _ in range(2)] == ["started", "writing"]
            process.kill()
        assert files_in(services.downloads) == [f".{asked}-1.csv.part"]
        assert not run_next(services, "too soon: its worker may live")
    with services_of(settings, lambda: system_clock() + timedelta(minutes=1)) as services:
        assert run_next(services, "next")
        _, path = open_download(services, VETTED, asked)
        assert files_in(services.downloads) == [path.name, f"{path.name}.manifest.json"]
        assert services.ledger.rows_charged(GOODS, system_clock() - timedelta(days=1)) == 2


def test_several_processes_on_one_registry_make_each_file_once(tmp_path: Path) -> None:
    settings = write_portal(tmp_path)
    with services_of(settings) as services:
        askers = (VETTED, Asker(OSCAR, None), Asker(RITA, None))
        asked = {
            request_download(services, asker, Statement(f"SELECT {number} AS n"), "csv").id
            for number in range(2)
            for asker in askers
        }
        workers = [a_worker(settings) for _ in range(2)]
        for worker in workers:
            worker.communicate(timeout=120)
        assert [worker.returncode for worker in workers] == [0, 0]
        found = [status for asker in askers for status in my_downloads(services, asker)]
        assert {status.id for status in found if status.state == "ready"} == asked
        assert count(services, Action.DOWNLOAD_MADE) == count(services, Action.STATEMENT_RAN) == 6
        assert len(files_in(services.downloads)) == 12


def test_one_download_of_each_person_is_made_at_a_time(tmp_path: Path) -> None:
    with a_portal(tmp_path) as services:
        first, second = (request_download(services, VETTED, TWO, "csv").id for _ in range(2))
        other = request_download(services, Asker(OSCAR, None), Statement("SELECT 1 AS n"), "csv").id
        claimed = [services.queue.claim("w", services.clock(), turns) for _ in range(3)]
        assert [job and job.id for job in claimed] == [first, other, None]
        assert state_of(services, VETTED, second).state == "queued"


def test_a_full_disk_leaves_nothing_and_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(sink: BinaryIO, *_: object) -> None:
        sink.write(b"some")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setitem(WRITERS, "csv", full)  # type: ignore[arg-type]
    with a_portal(tmp_path) as services:
        with pytest.raises(LimitReached) as failed:
            make_download(services, VETTED, TWO, "csv")
        assert failed.value.faults[0].code == "DISK_FULL"
        assert files_in(services.downloads) == []
        assert my_downloads(services, VETTED)[0].state == "failed"


def test_the_right_is_decided_again_when_the_file_is_made(tmp_path: Path) -> None:
    with a_portal(tmp_path) as services:
        asked = request_download(services, VETTED, TWO, "csv").id
        services.registry.revoke_grant(DatasetName("sales"), GOODS, audit=Audit(None, services.clock()))
        assert run_next(services, "w")
        error = state_of(services, VETTED, asked).error
        assert isinstance(error, NotFoundError)
        assert not count(services, Action.STATEMENT_RAN)
        assert files_in(services.downloads) == []


def test_what_would_be_refused_is_refused_at_once_and_recorded(tmp_path: Path) -> None:
    with a_portal(tmp_path) as services:
        for sql, file_format in (("SELECT * FROM salaries", "csv"), (SALES, "arrow"), ("SELEC", "csv")):
            with pytest.raises(Exception):  # noqa: B017, PT011 - each its own; that nothing is queued is the point
                request_download(services, VETTED, Statement(sql), file_format)
        assert not my_downloads(services, VETTED)
        assert count(services, Action.DOWNLOAD_REFUSED) == 3


def test_a_portal_that_stops_puts_its_work_back(tmp_path: Path) -> None:
    with a_portal(tmp_path) as services:
        asked = request_download(services, VETTED, Statement(ENDLESS), "csv").id
        with downloads_made(services, workers=1):
            eventually(lambda: state_of(services, VETTED, asked).words == "Running")
        assert state_of(services, VETTED, asked).state == "queued"
        job = services.queue.job(asked)
        assert job is not None
        assert job.attempts == 0


def test_a_download_is_nobody_elses_to_see_or_stop(tmp_path: Path) -> None:
    with a_portal(tmp_path) as services:
        asked = request_download(services, VETTED, TWO, "csv").id
        for other in (Asker(OSCAR, None), Asker(RITA, None)):
            with pytest.raises(NotFoundError):
                cancel_download(services, other, asked)
            assert not my_downloads(services, other)
        assert state_of(services, VETTED, asked).state == "queued"


def test_who_waits_for_a_file_can_leave(tmp_path: Path) -> None:
    told: list[str] = []

    class AfterAWhile:
        def is_set(self) -> bool:
            return "Running" in told

    with a_portal(tmp_path) as services:
        running = Running(None, AfterAWhile(), lambda _share, words: told.append(words))
        with pytest.raises(Cancelled):
            make_download(services, VETTED, Statement(ENDLESS), "csv", running)


def test_files_that_belong_to_no_download_are_removed(tmp_path: Path) -> None:
    with a_portal(tmp_path) as services:
        record = make_download(services, VETTED, TWO, "csv")
        folder = services.downloads / GOODS
        for name in (".0a1b-1.csv.part", "0a1b-1.csv", "0a1b-1.csv.manifest.json", f".{record.id}-2.csv.part"):
            (folder / name).write_bytes(b"left")
        remove_loose_downloads(services)
        assert files_in(folder) == [f"{record.id}-1.csv", f"{record.id}-1.csv.manifest.json"]
    with services_of(write_settings(tmp_path), lambda: system_clock() + timedelta(days=8)) as services:
        remove_loose_downloads(services)
        assert files_in(folder) == []


def write_settings(tmp_path: Path) -> Settings:
    return Settings(site=tmp_path / "site", home=tmp_path / "home", warm_sandboxes=1)


MEASURE = """
import resource, sys
from pathlib import Path
import numpy as np, pyarrow as pa
from portal.workspaces.export import export_answer

folder, file_format, batches = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
spool = folder / "spool.arrow"
schema = pa.schema([("a", pa.float64()), ("b", pa.int64())])
with pa.ipc.new_file(str(spool), schema) as writer:
    for _ in range(batches):
        writer.write_batch(pa.record_batch([np.zeros(500_000), np.arange(500_000)], schema=schema))
export_answer(spool, folder / f"out.{file_format}", file_format, {})
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.parametrize("file_format", ["parquet", "csv", "arrow"])
def test_a_file_ten_times_as_large_takes_no_more_memory(tmp_path: Path, file_format: str) -> None:
    def peak_mb(batches: int) -> int:
        command = [sys.executable, "-c", MEASURE, str(tmp_path), file_format, str(batches)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert peak_mb(40) < peak_mb(4) + 100, "the longer answer has 288 MB more"
