"""Whether an answer may leave as a file. Asked when a download is queued, when it is made, and at every fetch."""

from collections.abc import Iterable

from portal.desk.access import decide_for
from portal.desk.answers import Asker, SourceUse
from portal.desk.ending import refuse_withdrawn, sources_of
from portal.desk.preparing import permits_for
from portal.desk.services import Services
from portal.desk.standing import changed_since
from portal.errors import Fault, NotFoundError, PolicyRefusal, UsageError
from portal.ids import DatasetName
from portal.policy.decision import Permit
from portal.policy.model import Download
from portal.registry import DownloadRecord

_OF_NO_DATASET = Download()
"""The right to download the answer of a statement that reads no dataset."""


def right_to_download(services: Services, asker: Asker, names: Iterable[DatasetName], file_format: str) -> Download:
    """Return the strictest right over these datasets; a dataset that is closed altogether is refused as unknown."""
    decisions = decide_for(services, asker, names)
    permits = permits_for(decisions)
    if closed := sorted(set(names) - set(permits)):
        raise NotFoundError(Fault("NO_SUCH_DATASET", f"There is no dataset open to you named {', '.join(closed)}."))
    rights = [_check_right(name, permit, file_format) for name, permit in permits.items()]
    if not rights and file_format not in _OF_NO_DATASET.formats:
        raise UsageError(Fault("DOWNLOAD_FORMAT", "There is no such format.", fix="Choose parquet or csv."))
    return min(rights, key=lambda right: right.max_rows, default=_OF_NO_DATASET)


def refuse_outdated(services: Services, asker: Asker, record: DownloadRecord) -> None:
    """Refuse a file that would not be made again as it was, or that is of a release that was withdrawn."""
    refuse_withdrawn(services, sources_of(record))
    sources = [SourceUse.from_record(use) for use in record.receipt["sources"]]
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
