"""A release: one immutable publication of a dataset, described by its manifest."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Literal, Protocol

from pydantic import Field

from portal.catalogue.dataset import ColumnType, Identifier
from portal.content import Content
from portal.fingerprints import fingerprint
from portal.ids import Fingerprint

_JOINED = "+"


class ColumnStatistics(Content):
    """What a file's column holds; `minimum` and `maximum` as text, None where every value is null."""

    nulls: int
    minimum: str | None = None
    maximum: str | None = None


class ReleaseFile(Content):
    """One Parquet file of a release. `path` is relative to the release's folder."""

    path: str
    rows: int
    bytes: int
    sha256: str
    statistics: dict[str, ColumnStatistics]

    @property
    def relative(self) -> PurePosixPath:
        """The path as a path."""
        return PurePosixPath(self.path)


class SourceFile(Content):
    """One source that was read: its name only (never a path), and what it was."""

    name: str
    shape: str
    rows: int
    bytes: int
    sha256: str


class RejectedRow(Content):
    """A row that could not be published; `row` counts from 1 below the header, `kind` tells of its value."""

    source: str
    row: int
    column: str
    rule: str
    kind: str


class Rejections(Content):
    """`rejected.json`: every reason with its count, and the first rows in the order of the sources."""

    counts: dict[str, int]
    rows: tuple[RejectedRow, ...]


class Ending(Content):
    """`ended.json` in the place of a release that is served no more: its tombstone.

    `because` is for everyone who may know of the dataset.
    """

    kind: Literal["withdrawn", "retired"]
    at: datetime
    because: str


class Manifest(Content):
    """`manifest.json` beside the files of a release.

    The platform's own record: it holds statistics of raw columns and is never shown to a researcher as it stands.
    """

    dataset: Identifier
    number: int
    created_at: datetime
    tool_version: str
    synthetic: bool
    columns: dict[str, ColumnType]
    rows: int
    rejected_rows: int
    rejected: dict[str, int] = Field(default_factory=dict, description="Rejected rows by `column: reason`.")
    recipe_sha256: str
    pseudonym_key: str = Field("", description="Names the key of the pseudonyms: releases of one name join.")
    sources: tuple[SourceFile, ...]
    files: tuple[ReleaseFile, ...]

    @property
    def fingerprint(self) -> Fingerprint:
        """Names this release by everything that its manifest says."""
        return fingerprint(self.model_dump(mode="json"))

    @property
    def place(self) -> str:
        """Names the release in a path."""
        return _place_of(self.dataset, self.number)

    def public_facts(self) -> dict[str, Any]:
        """What anyone who may know of the dataset may know of the release."""
        return {
            "dataset": self.dataset,
            "number": self.number,
            "created_at": self.created_at.isoformat(),
            "synthetic": self.synthetic,
            "columns": dict(self.columns),
        }


@dataclass(frozen=True, slots=True)
class ReleasePair:
    """The releases of two datasets that are joined, in order of their datasets' names."""

    first: Manifest
    second: Manifest

    @property
    def fingerprint(self) -> Fingerprint:
        """Names both by everything that their manifests say."""
        return fingerprint([self.first.fingerprint, self.second.fingerprint])

    @property
    def place(self) -> str:
        """Names both in a path."""
        return _JOINED.join((self.first.place, self.second.place))


def is_made_of(place: str, dataset: str, number: int) -> bool:
    """Say whether what is kept at this place is of a release, alone or joined."""
    return _place_of(dataset, number) in place.split(_JOINED)


def _place_of(dataset: str, number: int) -> str:
    return f"{dataset}-{number:06d}"


class Placed(Protocol):
    """A release, or two that are joined, for which something is kept."""

    @property
    def place(self) -> str:
        """Its name in a path."""
        ...
