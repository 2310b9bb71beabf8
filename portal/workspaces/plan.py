"""What a governed copy is made of: pure. One governed file for each release file, named by what it was made from.

Neither the order of rows nor the way that files are cut may tell of what is masked. A release is sorted by raw values,
ties by their hash, which anybody can compute; so a masked copy is sorted anew, by what it shows. And a release is cut
by month; so where a date is masked more coarsely, the copy is one file.

The name covers the release files' checksums, every mask and every row rule that can touch the file, and the project
where its key is used. So a moved embargo, a changed policy or a new release rebuilds exactly the files that it touches.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum

from portal.catalogue.dataset import Dataset
from portal.catalogue.release import Manifest, ReleaseFile
from portal.fingerprints import fingerprint
from portal.ids import Fingerprint, ProjectId
from portal.policy.decision import Obligations, RowRule
from portal.policy.masks import TIMES, Masked, mask_column, quote
from portal.sql.plan import TableSchema

FORMAT = 2
"""Raised when the making of governed files changes, so that none of an older making is used."""
_AS_FINE_AS_FILES = ("day", "month")
"""Grids of dates that tell the month, as the files of a release do."""


class Making(Enum):
    """How a governed file comes to be."""

    LINK = "link"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class GovernedFile:
    """One file of a governed copy: from which release file, how, and by which SQL over the relation `source`."""

    name: Fingerprint
    origins: tuple[ReleaseFile, ...]
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
    return files or (_governed_file(manifest.files[:1], _select(dataset, obligations, masks, ("false",)), project),)


def _plan_files(
    dataset: Dataset, manifest: Manifest, obligations: Obligations, project: ProjectId, masks: dict[str, Masked]
) -> Iterator[GovernedFile]:
    untouched = not _is_masked(obligations) and [*manifest.columns] == [*dataset.columns]
    for files in _made_together(dataset, manifest, obligations):
        kept = tuple(file for file in files if all(_verdict(rule, file) is not False for rule in obligations.rows))
        predicates = tuple(
            rule.predicate for rule in obligations.rows if any(_verdict(rule, file) is None for file in kept)
        )
        if untouched and kept and not predicates:
            yield GovernedFile(fingerprint({"format": FORMAT, "link": kept[0].sha256}), kept, Making.LINK, "")
        elif kept:
            yield _governed_file(kept, _select(dataset, obligations, masks, predicates), project)


def _made_together(dataset: Dataset, manifest: Manifest, obligations: Obligations) -> Iterable[tuple[ReleaseFile, ...]]:
    """Return the release files by the governed file that each goes into: its own, unless that would tell a date."""
    dates = [obligations.columns[name] for name, column in dataset.columns.items() if column.type in TIMES]
    if all(duty.show or duty.truncate in _AS_FINE_AS_FILES for duty in dates):
        return [(file,) for file in manifest.files]
    return [manifest.files]


def _governed_file(files: tuple[ReleaseFile, ...], select: str, project: ProjectId) -> GovernedFile:
    checksums = [file.sha256 for file in files]
    name = fingerprint({"format": FORMAT, "files": checksums, "select": select, "project": project})
    return GovernedFile(name, files, Making.COPY, select)


def _select(dataset: Dataset, obligations: Obligations, masks: dict[str, Masked], predicates: tuple[str, ...]) -> str:
    columns = ", ".join(f"{masked.sql} AS {quote(name)}" for name, masked in masks.items())
    where = f" WHERE {' AND '.join(predicates)}" if predicates else ""
    select = f"SELECT {columns} FROM source{where}"  # noqa: S608 - built from checked content only
    if not _is_masked(obligations):
        return select
    shown = f"hash({', '.join(map(quote, masks))})"
    order = ", ".join([*map(quote, dataset.layout.sort), shown])
    return f"SELECT * FROM ({select}) ORDER BY {order}"  # noqa: S608 - built from checked content only


def _is_masked(obligations: Obligations) -> bool:
    return not all(duty.show for duty in obligations.columns.values())


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
