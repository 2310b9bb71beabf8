"""Downloads that are asked for and not yet files: a queue that several portal processes work on together.

A job belongs to who claimed it as long as its heart beats. One whose worker is gone is taken up again from the start,
and ended where that happened too often. A job leaves the queue when its file is made: the record of the download,
which the registry keeps, is then all that is to be known of it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from portal.errors import Cancelled, Fault, LimitReached, PortalError
from portal.ids import DownloadId, PersonId
from portal.registry.mapping import job_from, row_of
from portal.registry.records import DownloadJob, JobState
from portal.registry.tables import download_jobs as jobs
from portal.storage import reading, writing

STALE = timedelta(seconds=20)
"""A running job that gave no sign for so long has lost its worker."""
BEAT_EVERY = timedelta(seconds=2)
MOST_ATTEMPTS = 3

Choose = Callable[[Sequence[DownloadJob], Sequence[DownloadJob]], Sequence[DownloadJob]]
"""Orders the jobs that wait, given those that run: whose turn comes first stands first."""

_LIVE = jobs.c.state.in_([JobState.QUEUED, JobState.RUNNING])
_CANCELLED = Cancelled(Fault("CANCELLED", "The download was stopped, as was asked.", fix="Make it again."))
_GIVEN_UP = LimitReached(
    Fault(
        "DOWNLOAD_GIVEN_UP",
        f"Making this file was begun {MOST_ATTEMPTS} times, and cut short each time.",
        rule="attempts",
        fix="Ask for less at once; if it stays so, tell the portal's operator.",
    )
)


@dataclass(frozen=True, slots=True)
class DownloadQueue:
    """The queue in the registry's database. Raises as the registry does where the database is busy or away."""

    engine: Engine

    def add(self, job: DownloadJob, most_waiting: int) -> None:
        """Queue a job. Raises `LimitReached` where its person has so many waiting already."""
        mine = (jobs.c.person == job.person) & (jobs.c.state == JobState.QUEUED)
        with writing(self.engine) as connection:
            if connection.execute(select(func.count()).where(mine)).scalar_one() >= most_waiting:
                message = f"{most_waiting} of your downloads wait already."
                raise LimitReached(
                    Fault("TOO_MANY_WAITING", message, rule="waiting", fix="Wait for one to end, or cancel one.")
                )
            number = select(func.coalesce(func.max(jobs.c.number), 0) + 1).scalar_subquery()
            connection.execute(insert(jobs).values(row_of(job) | {"number": number}))

    def job(self, download: DownloadId) -> DownloadJob | None:
        """Return a job that is not yet a file; None where there is none."""
        with reading(self.engine) as connection:
            return next(_jobs(connection, jobs.c.id == download), None)

    def jobs_of(self, person: PersonId) -> list[DownloadJob]:
        """Return a person's jobs, failed ones as well, in the order in which they were asked for."""
        with reading(self.engine) as connection:
            return list(_jobs(connection, jobs.c.person == person))

    def live(self) -> list[DownloadJob]:
        """Return the jobs that wait or run, in the order in which they were asked for."""
        with reading(self.engine) as connection:
            return list(_jobs(connection, _LIVE))

    def claim(self, owner: str, now: datetime, choose: Choose, only: DownloadId | None = None) -> DownloadJob | None:
        """Take the job whose turn it is, or `only` that one; None where there is nothing to do."""
        if not _waiting(self.live(), now):  # asked first, so that an idle worker never takes the writer's lock
            return None
        with writing(self.engine) as connection:
            found = list(_jobs(connection, _LIVE))
            waiting, ended = _waiting(found, now), dict[DownloadId, PortalError]()
            for job in waiting:
                if job.cancelled or job.attempts >= MOST_ATTEMPTS:
                    ended[job.id] = _CANCELLED if job.cancelled else _GIVEN_UP
                    _end(connection, job, ended[job.id], now)
            running = [job for job in found if job.state is JobState.RUNNING and job not in waiting]
            able = [job for job in waiting if job.id not in ended]
            turns = [job for job in choose(able, running) if only in (None, job.id)]
            if not turns:
                return None
            taken = replace(
                turns[0],
                state=JobState.RUNNING,
                owner=owner,
                beat_at=now,
                attempts=turns[0].attempts + 1,
                share=0.0,
                words="Begun",
            )
            connection.execute(update(jobs).where(jobs.c.id == taken.id).values(row_of(taken)))
            return taken

    def beat(self, job: DownloadJob, now: datetime, share: float, words: str) -> bool:
        """Say that the job goes on and how far it is; return whether it should: it is ours still, and not cancelled."""
        found = self.job(job.id)
        if found is None or not _is_same_run(found, job) or found.cancelled:
            return False
        late = found.beat_at is None or now - found.beat_at >= BEAT_EVERY
        if late or (found.share, found.words) != (share, words):
            self._change(job, beat_at=now, share=share, words=words)
        return True

    def cancel(self, download: DownloadId, now: datetime) -> None:
        """Stop a job: one that waits is ended here, one that runs by its worker."""
        with writing(self.engine) as connection:
            job = next(_jobs(connection, jobs.c.id == download), None)
            if job and job.state is JobState.QUEUED:
                _end(connection, job, _CANCELLED, now)
            elif job and job.state is JobState.RUNNING:
                connection.execute(update(jobs).where(jobs.c.id == download).values(cancelled=True))

    def put_back(self, job: DownloadJob, *, counted: bool) -> None:
        """Let a job wait for its turn again; where it is not `counted`, as if it had not been begun."""
        self._change(job, state=JobState.QUEUED, owner=None, attempts=job.attempts - (0 if counted else 1), share=0.0)

    def fail(self, job: DownloadJob, error: PortalError, now: datetime) -> None:
        """End a job with what is wrong."""
        with writing(self.engine) as connection:
            found = next(_jobs(connection, jobs.c.id == job.id), None)
            if found and _is_same_run(found, job):
                _end(connection, found, error, now)

    def remove(self, download: DownloadId) -> None:
        """Forget a job whose file is made."""
        with writing(self.engine) as connection:
            connection.execute(delete(jobs).where(jobs.c.id == download))

    def forget_failed(self, before: datetime) -> None:
        """Forget the jobs that failed before then."""
        with writing(self.engine) as connection:
            connection.execute(delete(jobs).where((jobs.c.state == JobState.FAILED) & (jobs.c.ended_at < before)))

    def _change(self, job: DownloadJob, **values: Any) -> None:  # noqa: ANN401 - a column's value
        ours = (jobs.c.id == job.id) & (jobs.c.owner == job.owner) & (jobs.c.attempts == job.attempts)
        with writing(self.engine) as connection:
            connection.execute(update(jobs).where(ours & (jobs.c.state == JobState.RUNNING)).values(values))


def _jobs(connection: Connection, *wanted: Any) -> Iterator[DownloadJob]:  # noqa: ANN401 - any condition
    for row in connection.execute(select(jobs).where(*wanted).order_by(jobs.c.number, jobs.c.id)).mappings():
        yield job_from(dict(row))


def _waiting(found: Sequence[DownloadJob], now: datetime) -> list[DownloadJob]:
    return [job for job in found if job.state is JobState.QUEUED or _is_abandoned(job, now)]


def _is_abandoned(job: DownloadJob, now: datetime) -> bool:
    return job.state is JobState.RUNNING and (job.beat_at is None or now - job.beat_at > STALE)


def _is_same_run(found: DownloadJob, job: DownloadJob) -> bool:
    return found.state is JobState.RUNNING and (found.owner, found.attempts) == (job.owner, job.attempts)


def _end(connection: Connection, job: DownloadJob, error: PortalError, now: datetime) -> None:
    ended = replace(job, state=JobState.FAILED, owner=None, error=error, ended_at=now)
    connection.execute(update(jobs).where(jobs.c.id == job.id).values(row_of(ended)))
