"""Files that leave the portal, as their asker meets them: asked for, watched, stopped, fetched.

A file is made by whoever works on the queue (`portal.desk.making`), and fetched only while the policy still allows it.
"""

import secrets
from datetime import timedelta
from pathlib import Path

from portal.desk.access import identify, project_of
from portal.desk.admission import order
from portal.desk.answers import Asker, DownloadStatus
from portal.desk.download_rights import refuse_outdated, right_to_download
from portal.desk.preparing import prepare, recordable
from portal.desk.services import Services
from portal.errors import EngineFailure, Fault, NotFoundError, PortalError
from portal.ids import DatasetName, DownloadId
from portal.ledger import Action
from portal.registry import DownloadJob, DownloadRecord, JobState
from portal.sql import parse
from portal.sql.plan import Statement

MOST_WAITING = 20
"""Downloads of one person that may wait in the queue."""
ONE_FETCH = timedelta(minutes=1)
"""Ranges of a file that one person fetches within this time are one fetch to the ledger."""


def request_download(services: Services, asker: Asker, statement: Statement, file_format: str) -> DownloadStatus:
    """Queue a statement whose whole answer becomes a file; refuse at once what would be refused later."""
    try:
        right_to_download(services, asker, parse(statement.text).datasets, file_format)
        prepare(services, asker, statement)
    except PortalError as error:
        _tell_refused(services, asker, statement, error)
        raise
    job = DownloadJob(
        id=DownloadId(secrets.token_hex(16)),
        person=asker.person,
        project=asker.project,
        statement=statement.text,
        parameters=statement.parameters,
        format=file_format,
        created_at=services.clock(),
    )
    services.queue.add(job, MOST_WAITING)
    return download_status(services, asker, job.id)


def download_status(services: Services, asker: Asker, download: DownloadId) -> DownloadStatus:
    """Say how far one of the asker's own downloads is. Raises `NotFoundError`."""
    identify(services, asker.person)
    # The job first: it leaves the queue only once there is a record.
    job, record = services.queue.job(download), services.registry.download(download)
    if record and _is_of(asker, record):
        return _status_of_record(services, record)
    if job and _is_of(asker, job):
        return _status_of_job(services, job)
    raise NotFoundError(Fault("NO_SUCH_DOWNLOAD", "You have no such download in this project."))


def my_downloads(services: Services, asker: Asker) -> tuple[DownloadStatus, ...]:
    """Return the asker's own downloads in this project, newest first."""
    identify(services, asker.person)
    project_of(services, asker)
    queued, records = services.queue.jobs_of(asker.person), services.registry.downloads_of(asker.project)
    made = {record.id: _status_of_record(services, record) for record in records if _is_of(asker, record)}
    others = [_status_of_job(services, job) for job in queued if _is_of(asker, job) and job.id not in made]
    return tuple(sorted([*made.values(), *others], key=lambda status: status.created_at, reverse=True))


def cancel_download(services: Services, asker: Asker, download: DownloadId) -> DownloadStatus:
    """Stop a download that is not made yet; one that is over stays as it is. Raises `NotFoundError`."""
    download_status(services, asker, download)
    services.queue.cancel(download, services.clock())
    return download_status(services, asker, download)


def find_download(services: Services, asker: Asker, download: DownloadId) -> tuple[DownloadRecord, Path]:
    """Return a file that may be handed out: the policy is asked again, as it stands now."""
    status = download_status(services, asker, download)
    if status.record is None:
        fix = "Wait until it is ready." if status.error is None else "See why it failed, and make it again."
        raise NotFoundError(Fault("DOWNLOAD_NOT_READY", "There is no file of this download.", fix=fix))
    if status.state == "expired":
        raise NotFoundError(Fault("DOWNLOAD_EXPIRED", "This download has expired.", fix="Make it again."))
    record, path = status.record, Path(status.record.path)
    names = [DatasetName(source["dataset"]) for source in record.receipt["sources"]]
    right_to_download(services, asker, names, record.format)
    refuse_outdated(services, asker, record)
    if path.stat().st_size != record.bytes:
        message = "The file is no longer as it was made, so it is not handed out."
        raise EngineFailure(Fault("DOWNLOAD_DAMAGED", message, rule="checksum", fix="Make the download again."))
    return record, path


def tell_fetched(services: Services, asker: Asker, record: DownloadRecord, *, part: bool = False) -> None:
    """Tell the ledger that a file, or `part` of it, is handed out."""
    fetched, since = Action.DOWNLOAD_FETCHED, services.clock() - ONE_FETCH
    if part and services.ledger.search(actor=asker.person, subject=record.id, action=fetched, since=since, limit=1):
        return
    services.ledger.record(
        fetched, actor=asker.person, project=asker.project, subject=record.id, details={"sha256": record.sha256}
    )


def open_download(services: Services, asker: Asker, download: DownloadId) -> tuple[DownloadRecord, Path]:
    """Return a file to hand out. The policy is asked again, and the ledger told, at every fetch."""
    record, path = find_download(services, asker, download)
    tell_fetched(services, asker, record)
    return record, path


def _is_of(asker: Asker, made: DownloadJob | DownloadRecord) -> bool:
    return (made.person, made.project) == (asker.person, asker.project)


def _status_of_record(services: Services, record: DownloadRecord) -> DownloadStatus:
    is_there = services.clock() < record.expires_at and Path(record.path).exists()
    return DownloadStatus(
        id=record.id,
        state="ready" if is_there else "expired",
        statement=record.receipt["statement"],
        format=record.format,
        created_at=record.created_at,
        share=1.0,
        record=record,
    )


def _status_of_job(services: Services, job: DownloadJob) -> DownloadStatus:
    before = 0
    if job.state is JobState.QUEUED:
        live = services.queue.live()
        queued, running = (
            [each for each in live if each.state is state] for state in (JobState.QUEUED, JobState.RUNNING)
        )
        turns = [each.id for each in order(queued, running)]
        before = turns.index(job.id) if job.id in turns else 0
    return DownloadStatus(
        id=job.id,
        state=job.state.value,
        statement=job.statement,
        format=job.format,
        created_at=job.created_at,
        share=job.share,
        words=f"Waiting for a turn: {before} before you" if job.state is JobState.QUEUED else job.words,
        before=before,
        error=job.error,
    )


def _tell_refused(services: Services, asker: Asker, statement: Statement, error: PortalError) -> None:
    services.ledger.record(
        Action.DOWNLOAD_REFUSED,
        actor=asker.person,
        project=asker.project,
        details={"statement": recordable(statement.text), "codes": [fault.code for fault in error.faults]},
    )
