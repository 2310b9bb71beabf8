"""What a governed copy is made of: pure. One governed file for each release file, named by what it was made from.

The name covers the release file's checksum, every mask and every row rule that can touch the file, and the project
where its key is used. So a moved embargo, a changed policy or a new release rebuilds exactly the files that it touches.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum

from portal.catalogue.dataset import Dataset
from portal.catalogue.release import Manifest, ReleaseFile
from portal.fingerprints import fingerprint
from portal.ids import Fingerprint, ProjectId
from portal.policy.decision import Obligations, RowRule
from portal.policy.masks import Masked, mask_column, quote
from portal.sql.plan import TableSchema

FORMAT = 1
"""Raised when the making of governed files changes, so that none of an older making is used."""


class Making(Enum):
    """How a governed file comes to be."""

    LINK = "link"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class GovernedFile:
    """One file of a governed copy: from which release file, how, and by which SQL over the relation `source`."""

    name: Fingerprint
    origin: ReleaseFile
    making: Making
    select: str


def governed_schema(dataset: Dataset, obligations: Obligations) -> TableSchema:
    """Return the names and types that a researcher meets."""
    masked = _masks(dataset, obligations, key=b"")
    return TableSchema(dataset.name, {name: column.type for name, column in masked.items()})


def plan_copy(
    dataset: Dataset, manifest: Manifest, obligations: Obligations, project: ProjectId, key: bytes
) -> tuple[GovernedFile, ...]:
    """Return the files of the governed copy; never none, so that an empty copy still has its columns."""
    masks = _masks(dataset, obligations, key)
    files = tuple(_plan_files(dataset, manifest, obligations, project, masks))
    return files or (_governed_file(manifest.files[0], masks, ("false",), project),)


def _plan_files(
    dataset: Dataset, manifest: Manifest, obligations: Obligations, project: ProjectId, masks: dict[str, Masked]
) -> Iterator[GovernedFile]:
    untouched = all(duty.show for duty in obligations.columns.values()) and [*manifest.columns] == [*dataset.columns]
    for file in manifest.files:
        verdicts = {rule: _verdict(rule, file) for rule in obligations.rows}
        if False in verdicts.values():
            continue
        predicates = tuple(rule.predicate for rule, verdict in verdicts.items() if verdict is None)
        if untouched and not predicates:
            yield GovernedFile(fingerprint({"format": FORMAT, "link": file.sha256}), file, Making.LINK, "")
        else:
            yield _governed_file(file, masks, predicates, project)


def _governed_file(
    file: ReleaseFile, masks: dict[str, Masked], predicates: tuple[str, ...], project: ProjectId
) -> GovernedFile:
    columns = ", ".join(f"{masked.sql} AS {quote(name)}" for name, masked in masks.items())
    where = f" WHERE {' AND '.join(predicates)}" if predicates else ""
    select = f"SELECT {columns} FROM source{where}"  # noqa: S608 - built from checked content only
    name = fingerprint({"format": FORMAT, "file": file.sha256, "select": select, "project": project})
    return GovernedFile(name, file, Making.COPY, select)


def _masks(dataset: Dataset, obligations: Obligations, key: bytes) -> dict[str, Masked]:
    return {
        name: mask_column(name, column.type, obligations.columns[name], key) for name, column in dataset.columns.items()
    }


def _verdict(rule: RowRule, file: ReleaseFile) -> bool | None:
    """Say whether the file's statistics show that all (true) or none (false) of its rows keep the rule."""
    if rule.bound is None or rule.bound.column not in file.statistics:
        return None
    statistics = file.statistics[rule.bound.column]
    if statistics.nulls or statistics.minimum is None or statistics.maximum is None:
        return None
    return rule.bound.holds_for(_day(statistics.minimum), _day(statistics.maximum))


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])
