"""Files that leave the portal: made whole beside their manifest, fetched only while the policy still allows it."""

import secrets
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from portal.desk.access import decide_for, identify, project_of, workspace_of
from portal.desk.answers import Answer, Asker, DownloadTicket, SourceUse
from portal.desk.citing import manifest_of
from portal.desk.preparing import permits_for
from portal.desk.services import Services
from portal.desk.standing import changed_since
from portal.desk.statements import UNWATCHED, Running, run_statement
from portal.errors import Fault, LimitReached, NotFoundError, PolicyRefusal, UsageError
from portal.ids import DatasetName, DownloadId
from portal.ledger import Action
from portal.policy.decision import Permit
from portal.policy.model import Download
from portal.registry import Audit, DownloadRecord
from portal.sql import parse
from portal.sql.plan import Statement
from portal.workspaces.export import export_answer

_OF_NO_DATASET = Download()
"""The right to download the answer of a statement that reads no dataset."""


def make_download(
    services: Services, asker: Asker, statement: Statement, file_format: str, running: Running = UNWATCHED
) -> DownloadTicket:
    """Answer a statement into a file that its asker may fetch. Never cut silently: an answer too long is refused."""
    right = _right_to_download(services, asker, parse(statement.text).datasets, file_format)
    answer = run_statement(services, asker, statement, Running(right.max_rows, running.cancel, running.progress))
    if not answer.receipt.complete:
        raise LimitReached(
            Fault(
                "DOWNLOAD_ROWS",
                f"The answer has more rows than the {answer.receipt.rows:,} that one download may hold.",
                rule="download.max_rows",
                fix="Filter, aggregate, or add a LIMIT and download in parts.",
            )
        )
    return _keep(services, asker, answer, file_format)


def open_download(services: Services, asker: Asker, download: DownloadId) -> tuple[DownloadRecord, Path]:
    """Return a file to hand out. The policy is asked again, and the ledger told, at every fetch."""
    record = _record_of(services, asker, download)
    path = Path(record.path)
    if services.clock() >= record.expires_at or not path.exists():
        raise NotFoundError(Fault("DOWNLOAD_EXPIRED", "This download has expired.", fix="Make it again."))
    names = [DatasetName(source["dataset"]) for source in record.receipt["sources"]]
    _right_to_download(services, asker, names, record.format)
    _refuse_outdated(services, asker, record)
    services.ledger.record(
        Action.DOWNLOAD_FETCHED,
        actor=asker.person,
        project=asker.project,
        subject=record.id,
        details={"sha256": record.sha256},
    )
    return record, path


def my_downloads(services: Services, asker: Asker) -> tuple[DownloadRecord, ...]:
    """Return the asker's own downloads in this project, newest first."""
    identify(services, asker.person)
    project = project_of(services, asker)
    records = services.registry.downloads_of(project.id) if project else ()
    return tuple(record for record in records if record.person == asker.person)


def _record_of(services: Services, asker: Asker, download: DownloadId) -> DownloadRecord:
    identify(services, asker.person)
    record = services.registry.download(download)
    if record is None or (record.person, record.project) != (asker.person, asker.project):
        raise NotFoundError(Fault("NO_SUCH_DOWNLOAD", "You have no such download in this project."))
    return record


def _right_to_download(services: Services, asker: Asker, names: Iterable[DatasetName], file_format: str) -> Download:
    """Return the strictest right over these datasets; a dataset that is closed altogether is refused as unknown."""
    decisions = decide_for(services, asker, names)
    permits = permits_for(decisions)
    if closed := sorted(set(names) - set(permits)):
        raise NotFoundError(Fault("NO_SUCH_DATASET", f"There is no dataset open to you named {', '.join(closed)}."))
    rights = [_check_right(name, permit, file_format) for name, permit in permits.items()]
    if not rights and file_format not in _OF_NO_DATASET.formats:
        raise UsageError(Fault("DOWNLOAD_FORMAT", "There is no such format.", fix="Choose parquet or csv."))
    return min(rights, key=lambda right: right.max_rows, default=_OF_NO_DATASET)


def _refuse_outdated(services: Services, asker: Asker, record: DownloadRecord) -> None:
    """Refuse a file that would not be made again as it was."""
    sources = [SourceUse(**{**use, "obligations": tuple(use["obligations"])}) for use in record.receipt["sources"]]
    if changed := changed_since(services, asker, sources, record.created_at):
        raise PolicyRefusal(
            Fault(
                "DOWNLOAD_OUTDATED",
                f"What may be seen of {', '.join(sorted(changed))} has changed since this file was made.",
                rule="download",
                fix="Make the download again.",
            )
        )


def _check_right(name: DatasetName, permit: Permit, file_format: str) -> Download:
    right = permit.obligations.download
    if right is None or file_format not in right.formats:
        allowed = f"allows {' or '.join(right.formats)}" if right else "allows no download"
        raise PolicyRefusal(
            Fault(
                "DOWNLOAD_NOT_ALLOWED",
                f"{name} may not be downloaded as {file_format}; the policy {allowed}.",
                rule="download.formats",
                dataset=name,
                fix="Work with the answer in the portal, or ask the data steward.",
            )
        )
    if right.review != "none":
        raise PolicyRefusal(
            Fault(
                "DOWNLOAD_NEEDS_REVIEW",
                f"Downloads of {name} need a review, which this portal cannot hold yet; so it refuses.",
                rule="download.review",
                dataset=name,
                fix="Ask the data steward.",
            )
        )
    return right


def _keep(services: Services, asker: Asker, answer: Answer, file_format: str) -> DownloadTicket:
    identifier, now = DownloadId(secrets.token_hex(16)), services.clock()
    workspace = workspace_of(identify(services, asker.person), project_of(services, asker))
    names = "-".join(source.dataset for source in answer.receipt.sources) or "answer"
    exported = export_answer(
        answer.spool,
        services.downloads / workspace / f"{identifier}.{file_format}",
        file_format,
        manifest_of(services, answer),
    )
    record = DownloadRecord(
        id=identifier,
        person=asker.person,
        project=asker.project,
        receipt_id=answer.receipt.id,
        receipt=answer.receipt.as_record(),
        format=file_format,
        rows=answer.receipt.rows,
        bytes=exported.bytes,
        sha256=exported.sha256,
        filename=f"{names}-{answer.receipt.fingerprint[:12]}.{file_format}",
        path=str(exported.path.resolve()),
        created_at=now,
        expires_at=now + timedelta(days=services.result_days),
    )
    services.registry.add_download(record, audit=Audit(asker.person, now))
    return DownloadTicket(
        id=identifier,
        receipt=answer.receipt,
        format=file_format,
        rows=record.rows,
        bytes=record.bytes,
        sha256=record.sha256,
        filename=record.filename,
        expires_at=record.expires_at,
    )
