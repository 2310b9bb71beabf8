"""What the desk hands out: values only, nothing that still has to be decided."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from portal.catalogue.dataset import Dataset, Erratum
from portal.errors import PortalError
from portal.fingerprints import canonical_json
from portal.ids import DatasetName, DownloadId, Fingerprint, PersonId, ProjectId, ReceiptId
from portal.policy.decision import Decision
from portal.policy.model import Limits
from portal.policy.uses import ColumnUses
from portal.registry import DownloadRecord
from portal.workspaces.spool import opened
from portal.workspaces.store import CopyState


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and for which project. Looked up anew at every use."""

    person: PersonId
    project: ProjectId | None


@dataclass(frozen=True, slots=True)
class SourceUse:
    """One dataset behind an answer: the release, and the policy as it stood."""

    dataset: DatasetName
    release: int
    policy: Fingerprint
    synthetic: bool
    obligations: tuple[str, ...]

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "SourceUse":
        """Read one source of a recorded receipt."""
        return cls(**{**record, "obligations": tuple(record["obligations"])})


@dataclass(frozen=True, slots=True)
class Receipt:
    """Enough to repeat an answer and to audit it.

    `errata` are those that came with it, as `dataset/id`; `rows` counts rows handed out; `complete` is false where a
    limit cut them; `withheld` says whether a figure of released cells is withheld, and is None where there are no such
    cells; `seconds` is the whole time of the run.
    """

    id: ReceiptId
    person: PersonId
    project: ProjectId | None
    statement: str
    parameters: Mapping[str, Any]
    sources: tuple[SourceUse, ...]
    errata: tuple[str, ...]
    rows: int
    complete: bool
    withheld: bool | None
    fingerprint: Fingerprint
    at: datetime
    seconds: float
    rows_left_this_week: int

    def as_record(self) -> dict[str, Any]:
        """Return the receipt as JSON-able values, as the ledger keeps it and the API hands it out."""
        record: dict[str, Any] = json.loads(canonical_json(asdict(self)))
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Receipt":
        """Read what `as_record` wrote."""
        sources = tuple(SourceUse.from_record(source) for source in record["sources"])
        return cls(**{**record, "sources": sources, "at": datetime.fromisoformat(record["at"])})


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, spooled as an Arrow file that only its project may open; `limits` are those that it ran under."""

    receipt: Receipt
    errata: tuple[tuple[DatasetName, Erratum], ...]
    spool: Path
    limits: Limits

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the answer's columns."""
        with opened(self.spool) as reader:
            return reader.schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the answer's batches from disk, in order."""
        with opened(self.spool) as reader:
            for index in range(reader.num_record_batches):
                yield reader.get_batch(index)

    def head(self, rows: int) -> pa.Table:
        """Return the first rows as a table."""
        kept: list[pa.RecordBatch] = []
        for batch in self.batches():
            kept.append(batch.slice(0, rows - sum(b.num_rows for b in kept)))
            if sum(b.num_rows for b in kept) >= rows:
                break
        return pa.Table.from_batches(kept, self.schema)

    def table(self) -> pa.Table:
        """Return the whole answer in memory."""
        return pa.Table.from_batches(list(self.batches()), self.schema)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What would happen to a statement, in policy terms, before it runs.

    `decisions` are in sentences, by dataset; `releases` has one for each block of cells that would be released;
    `columns` says what may be done with each column; `sql` is the regenerated text that would run.
    """

    sql: str
    parameters: tuple[str, ...]
    decisions: Mapping[DatasetName, tuple[str, ...]]
    releases: tuple[str, ...]
    columns: Mapping[DatasetName, tuple[ColumnUses, ...]]
    limits: Limits
    rows_left_this_week: int
    errata: tuple[tuple[DatasetName, Erratum], ...]


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A dataset as one person, in one project, meets it.

    `release` is the latest number, None where nothing is published; `copy` says how far the governed copy is, None
    where there is none to be. `damaged`: there is a release, and what describes it cannot be read.
    """

    dataset: Dataset
    decision: Decision
    release: int | None
    released_at: datetime | None
    copy: CopyState | None
    synthetic: bool
    damaged: bool = False

    @property
    def rows(self) -> int | None:
        """The rows of the governed copy, None where it is not whole yet."""
        return self.copy.rows if self.copy else None


@dataclass(frozen=True, slots=True)
class DownloadStatus:
    """How far a download is. `share` is between 0 and 1, `words` what is being done, `before` how many come first.

    `record` is there once the file is made, `error` where it was not.
    """

    id: DownloadId
    state: Literal["queued", "running", "ready", "failed", "expired"]
    statement: str
    format: str
    created_at: datetime
    share: float = 0.0
    words: str = ""
    before: int = 0
    record: DownloadRecord | None = None
    error: PortalError | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.state not in ("queued", "running")
