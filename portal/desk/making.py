"""The queue of downloads, worked off: each job once, by one worker, from its start to a whole file or a clear fault."""

import logging
import secrets
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from os import getpid
from pathlib import Path
from threading import Event, Thread
from traceback import format_tb

from portal.desk.access import OPEN_PREFIX
from portal.desk.admission import order
from portal.desk.answers import Asker
from portal.desk.citing import manifest_of
from portal.desk.download_rights import right_to_download
from portal.desk.downloads import download_status, request_download
from portal.desk.services import Services
from portal.desk.statements import UNWATCHED, Running, run_statement
from portal.engines.port import CancelSignal
from portal.errors import Cancelled, EngineFailure, Fault, LimitReached, PortalError
from portal.ids import DownloadId
from portal.ledger import Action
from portal.registry import Audit, DownloadJob, DownloadRecord
from portal.registry.queue import MOST_ATTEMPTS
from portal.sql import parse
from portal.sql.plan import Statement
from portal.workspaces.export import export_answer, remove_export

LOOK_EVERY = 0.3
"""Seconds between two looks at whether a job is still wanted."""
_LOG = logging.getLogger(__name__)
_PASSING = frozenset({"PORTAL_BUSY", "RECORDS_BUSY"})
"""What is over in a while: the job waits for another turn."""
_ANSWERED = 0.8
"""The share of a job that is done when its answer is there."""
_STOPPED = Fault("CANCELLED", "The download was stopped, as was asked.", fix="Make it again.")


def make_download(
    services: Services, asker: Asker, statement: Statement, file_format: str, running: Running = UNWATCHED
) -> DownloadRecord:
    """Queue a download and see it through: in this thread, unless another worker takes it.

    Never cut silently: an answer too long is refused. Raises any error of the closed family.
    """
    asked, owner = request_download(services, asker, statement, file_format), worker_name()
    try:
        while not (status := download_status(services, asker, asked.id)).is_over:
            if not run_next(services, owner, running, only=asked.id):
                _wait(services, asker, asked.id, running)
    except BaseException:
        services.queue.cancel(asked.id, services.clock())
        raise
    if status.record is None:
        raise status.error or EngineFailure(Fault("DOWNLOAD_FAILED", "The file was not made.", fix="Try again."))
    return status.record


def run_next(
    services: Services,
    owner: str,
    running: Running = UNWATCHED,
    closing: CancelSignal | None = None,
    only: DownloadId | None = None,
) -> bool:
    """Work on the job whose turn it is, or `only` that one; return false where there is none.

    Once `closing` is set, the job is put back for whoever comes next.
    """
    job = services.queue.claim(owner, services.clock(), turns, only)
    if job is None:
        return False
    with _kept_alive(services, job, running, closing) as watched:
        _see_through(services, job, watched, closing)
    return True


def turns(waiting: Sequence[DownloadJob], running: Sequence[DownloadJob]) -> list[DownloadJob]:
    """Return the jobs that may begin, in the order of their turns.

    One of each person runs at a time, so that nobody's downloads take the places of their own statements.
    """
    busy = {job.person for job in running}
    return [job for job in order(waiting, running) if job.person not in busy]


def worker_name() -> str:
    """Return a name that no other worker has."""
    return f"{socket.gethostname()}-{getpid()}-{secrets.token_hex(4)}"


def _see_through(services: Services, job: DownloadJob, watched: Running, closing: CancelSignal | None) -> None:
    folder = services.downloads / _folder(job)
    path = folder / f"{job.id}-{job.attempts}.{job.format}"
    try:
        for left in folder.glob(f"*{job.id}-*") if job.attempts > 1 else ():
            left.unlink(missing_ok=True)
        if services.registry.download(job.id) is None:  # else its last worker ended between record and queue
            record = _make(services, job, path, watched)
            services.registry.add_download(record, audit=Audit(job.person, record.created_at))
        services.queue.remove(job.id)
    except PortalError as error:
        remove_export(path)
        _end(services, job, error, closing)
    except Exception as error:  # noqa: BLE001 - whatever it is, the job ends and its worker goes on
        remove_export(path)
        _end(services, job, _incident(error), closing)
    except BaseException:  # the process is told to end
        remove_export(path)
        services.queue.fail(job, Cancelled(_STOPPED), services.clock())
        raise


def _make(services: Services, job: DownloadJob, path: Path, watched: Running) -> DownloadRecord:
    """Answer the statement into a file; whether its asker may have it is decided as of now."""
    asker, statement = Asker(job.person, job.project), Statement(job.statement, job.parameters)
    right = right_to_download(services, asker, parse(statement.text).datasets, job.format)
    answer = run_statement(
        services,
        asker,
        statement,
        Running(
            right.max_rows,
            watched.cancel,
            lambda share, words: _tell(watched, _ANSWERED * share, words),
            services.result_bytes,
        ),
    )
    if not answer.receipt.complete:
        raise LimitReached(
            Fault(
                "DOWNLOAD_ROWS",
                f"The answer has more rows than the {answer.receipt.rows:,} that one download may hold.",
                rule="download.max_rows",
                fix="Filter, aggregate, or add a LIMIT and download in parts.",
            )
        )
    exported = export_answer(
        answer.spool,
        path,
        job.format,
        manifest_of(services, answer),
        lambda share, words: _tell(watched, _ANSWERED + (1 - _ANSWERED) * share, words),
    )
    names, now = "-".join(source.dataset for source in answer.receipt.sources) or "answer", services.clock()
    return DownloadRecord(
        id=job.id,
        person=job.person,
        project=job.project,
        receipt_id=answer.receipt.id,
        receipt=answer.receipt.as_record(),
        format=job.format,
        rows=answer.receipt.rows,
        bytes=exported.bytes,
        sha256=exported.sha256,
        filename=f"{names}-{answer.receipt.fingerprint[:12]}.{job.format}",
        path=str(exported.path.resolve()),
        created_at=now,
        expires_at=now + timedelta(days=services.result_days),
    )


def _end(services: Services, job: DownloadJob, error: PortalError, closing: CancelSignal | None) -> None:
    """End a job that did not come to its file, or let it wait for another turn."""
    is_passing = any(fault.code in _PASSING for fault in error.faults) and job.attempts < MOST_ATTEMPTS
    if closing and closing.is_set() and isinstance(error, Cancelled):
        services.queue.put_back(job, counted=False)
    elif is_passing:
        services.queue.put_back(job, counted=True)
    else:
        services.queue.fail(job, error, services.clock())
        services.ledger.record(
            Action.DOWNLOAD_FAILED,
            actor=job.person,
            project=job.project,
            subject=job.id,
            details={"codes": [fault.code for fault in error.faults]},
        )


def _incident(error: Exception) -> EngineFailure:
    """Log the kind of an error that nobody foresaw, and its place, but no message: that may hold a value."""
    incident, place = secrets.token_hex(4), "".join(format_tb(error.__traceback__))
    _LOG.error("incident %s: a download failed: %s\n%s", incident, type(error).__name__, place)
    fix = f"Try again; if it stays, give the operator the incident number {incident}."
    return EngineFailure(Fault("INTERNAL", "Something went wrong on our side.", fix=fix))


@contextmanager
def _kept_alive(
    services: Services, job: DownloadJob, running: Running, closing: CancelSignal | None
) -> Iterator[Running]:
    """Say every while that the job goes on; give signals by which its work ends once it is no longer wanted."""
    stop, done, note = Event(), Event(), deque([(0.0, "Begun")], maxlen=1)
    signals = [signal for signal in (running.cancel, closing) if signal]

    def keep() -> None:
        while not done.wait(LOOK_EVERY):
            with suppress(PortalError):  # the records are busy: next time
                if any(signal.is_set() for signal in signals) or not services.queue.beat(
                    job, services.clock(), *note[-1]
                ):
                    stop.set()

    def tell(share: float, words: str) -> None:
        if stop.is_set():
            raise Cancelled(_STOPPED)
        note.append((share, words))
        _tell(running, share, words)

    keeper = Thread(target=keep, name=f"keeper of {job.id}", daemon=True)
    keeper.start()
    try:
        yield Running(None, stop, tell)
    finally:
        done.set()
        keeper.join()


def _wait(services: Services, asker: Asker, download: DownloadId, running: Running) -> None:
    """Wait a while for the worker that has the job."""
    status = download_status(services, asker, download)
    _tell(running, status.share, status.words)
    if running.cancel and running.cancel.is_set():
        services.queue.cancel(download, services.clock())
    time.sleep(LOOK_EVERY)


def _tell(running: Running, share: float, words: str) -> None:
    if running.progress:
        running.progress(share, words)


def _folder(job: DownloadJob) -> str:
    return job.project or OPEN_PREFIX
