from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from support.records import NOW, opened

from portal.desk.admission import order
from portal.errors import Cancelled, Fault, LimitReached, PortalError, StatementRefusal
from portal.ids import DownloadId, PersonId, ProjectId
from portal.registry import DownloadJob, DownloadQueue, JobState
from portal.registry.queue import MOST_ATTEMPTS, STALE

pytestmark = pytest.mark.usefixtures("each_database")

LATER = NOW + STALE + timedelta(seconds=1)


def a_job(name: str = "j1", person: str = "anna", **facts: object) -> DownloadJob:
    return replace(
        DownloadJob(
            id=DownloadId(name),
            person=PersonId(person),
            project=ProjectId("p1"),
            statement="SELECT 1",
            parameters={},
            format="csv",
            created_at=NOW,
        ),
        **facts,  # type: ignore[arg-type]
    )


@contextmanager
def a_queue(folder: Path, *jobs: DownloadJob) -> Iterator[DownloadQueue]:
    with opened(folder) as engine:
        queue = DownloadQueue(engine)
        for job in jobs:
            queue.add(job, 20)
        yield queue


def claimed(queue: DownloadQueue, owner: str = "w1", now: datetime = NOW) -> DownloadJob:
    job = queue.claim(owner, now, order)
    assert job is not None
    return job


def error_of(queue: DownloadQueue, name: str = "j1") -> PortalError:
    job = queue.job(DownloadId(name))
    assert job is not None
    assert job.error is not None
    return job.error


def test_a_job_comes_back_with_its_parameters_as_they_were(tmp_path: Path) -> None:
    given = {
        "day": date(2026, 1, 1),
        "at": datetime(2026, 1, 1, 5, tzinfo=UTC),
        "text": "2026-01-01",
        "share": 0.1,
        "huge": 2**100,
        "yes": True,
        "none": None,
    }
    with a_queue(tmp_path, a_job(parameters=given)) as queue:
        found = queue.job(DownloadId("j1"))
    assert found == a_job(parameters=given)
    assert {name: type(value) for name, value in found.parameters.items()} == {
        name: type(value) for name, value in given.items()
    }


def test_turns_go_round_by_person(tmp_path: Path) -> None:
    jobs = [a_job("a1"), a_job("a2"), a_job("a3"), a_job("b1", "ben")]
    with a_queue(tmp_path, *jobs) as queue:
        assert [claimed(queue).id for _ in jobs] == ["a1", "b1", "a2", "a3"]
        assert queue.claim("w1", NOW, order) is None


def test_many_workers_never_take_the_same_job(tmp_path: Path) -> None:
    names = [f"j{number}" for number in range(12)]
    taken: list[str] = []
    gate = Barrier(4)

    def work(owner: str) -> None:
        with opened(tmp_path, patience=60) as engine:
            gate.wait()
            while job := DownloadQueue(engine).claim(owner, NOW, order):
                taken.append(job.id)

    with a_queue(tmp_path, *(a_job(name) for name in names)):
        threads = [Thread(target=work, args=(f"w{number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(taken) == sorted(names)


def test_a_job_whose_worker_is_gone_is_taken_up_again_and_given_up_at_last(tmp_path: Path) -> None:
    with a_queue(tmp_path, a_job()) as queue:
        now = NOW
        for attempt in range(1, MOST_ATTEMPTS + 1):
            assert claimed(queue, f"w{attempt}", now).attempts == attempt
            assert queue.claim("other", now + STALE, order) is None, "its worker may live"
            now += STALE + timedelta(seconds=1)
        assert queue.claim("other", now, order) is None
        assert [fault.code for fault in error_of(queue).faults] == ["DOWNLOAD_GIVEN_UP"]


def test_a_job_that_beats_is_not_taken_and_one_that_was_taken_over_beats_no_more(tmp_path: Path) -> None:
    with a_queue(tmp_path, a_job()) as queue:
        first = claimed(queue)
        assert queue.beat(first, NOW + STALE, 0.5, "Half")
        assert queue.claim("w2", LATER, order) is None
        found = queue.job(first.id)
        assert found is not None
        assert (found.share, found.words) == (0.5, "Half")
        second = claimed(queue, "w2", LATER + STALE)
        assert not queue.beat(first, LATER + STALE, 0.6, "More")
        queue.fail(first, Cancelled(), LATER)
        queue.put_back(first, counted=True)
        assert queue.job(first.id) == second


def test_cancelling_ends_one_that_waits_at_once_and_one_that_runs_at_its_next_beat(tmp_path: Path) -> None:
    with a_queue(tmp_path, a_job("j1"), a_job("j2", "ben")) as queue:
        running = claimed(queue)
        for name in ("j1", "j2", "none"):
            queue.cancel(DownloadId(name), NOW)
        assert isinstance(error_of(queue, "j2"), Cancelled)
        assert not queue.beat(running, NOW, 0.1, "On")
        assert queue.claim("w2", LATER, order) is None, "its worker died before it saw the signal"
        assert isinstance(error_of(queue, "j1"), Cancelled)


def test_an_error_comes_back_as_it_was(tmp_path: Path) -> None:
    error = StatementRefusal(Fault("X", "Said so.", rule="r", fix="Do.", line=3, column=4, snippet="SELEC"))
    with a_queue(tmp_path, a_job()) as queue:
        queue.fail(claimed(queue), error, NOW)
        found = error_of(queue)
        assert (type(found), found.faults) == (StatementRefusal, error.faults)
        queue.forget_failed(NOW)
        assert [job.state for job in queue.jobs_of(PersonId("anna"))] == [JobState.FAILED]
        assert queue.live() == []
        queue.forget_failed(NOW + timedelta(seconds=1))
        assert queue.jobs_of(PersonId("anna")) == []


def test_what_is_put_back_uncounted_is_as_if_it_had_not_been_begun(tmp_path: Path) -> None:
    with a_queue(tmp_path, a_job()) as queue:
        for _ in range(MOST_ATTEMPTS + 2):
            queue.put_back(claimed(queue), counted=False)
        assert claimed(queue).attempts == 1


def test_one_person_cannot_fill_the_queue(tmp_path: Path) -> None:
    with a_queue(tmp_path, a_job("j1"), a_job("j2")) as queue:
        with pytest.raises(LimitReached) as refused:
            queue.add(a_job("j3"), 2)
        assert refused.value.faults[0].code == "TOO_MANY_WAITING"
        queue.add(a_job("b1", "ben"), 2)
        assert [job.id for job in queue.live()] == ["j1", "j2", "b1"]
        assert [job.id for job in queue.jobs_of(PersonId("anna"))] == ["j1", "j2"]
