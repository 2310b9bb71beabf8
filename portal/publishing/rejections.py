"""The rows that could not be published, as a steward looks them up in the source: never what stood there."""

from collections.abc import Iterator
from pathlib import Path

from portal.catalogue.dataset import Dataset
from portal.catalogue.release import Rejections
from portal.errors import ContentError, Fault
from portal.ids import DatasetName
from portal.publishing.recipe import STOPS

REJECTIONS = "rejected.json"
"""Beside a release's manifest; and in the dataset's folder for the last publication that such rows stopped."""
MOST_LISTED = 10_000
"""Rows that are listed one by one; all are counted."""


def check_rejections(dataset: Dataset, found: Rejections, rows: int) -> None:
    """Raise `ContentError` where rejected rows stop a release."""
    stopping = {reason for reason in found.counts if f": {STOPS}" in reason}
    if stopping or sum(found.counts.values()) > dataset.recipe.rejected_share * rows:
        raise ContentError.from_faults(_faults(dataset, found, rows))


def read_rejections(path: Path, dataset: DatasetName) -> Rejections:
    """Read a report. Raises `ContentError` where there is none that can be read."""
    try:
        return Rejections.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        message = f"There is no report of rejected rows of {dataset!r}."
        raise ContentError(
            Fault("NO_REJECTIONS", message, fix="No row of it was rejected; or publish again.")
        ) from None


def _faults(dataset: Dataset, found: Rejections, rows: int) -> Iterator[Fault]:
    first = {f"{row.column}: {row.rule}": row for row in reversed(found.rows)}
    for reason, count in found.counts.items():
        column = reason.partition(":")[0]
        is_stop = f": {STOPS}" in reason
        where = f" (first: {first[reason].kind} in row {first[reason].row:,} of {first[reason].source!r})"
        yield Fault(
            "PERSONAL_VALUES" if is_stop else "ROWS_REJECTED",
            f"{count:,} of {rows:,} rows cannot be published; column {reason}{where if reason in first else ''}.",
            rule=f"columns.{column}.admits" if is_stop else f"recipe.rejected_share: {dataset.recipe.rejected_share:g}",
            fix=_MEND_TEXT if is_stop else _MEND,
            dataset=dataset.name,
        )


_MEND = "Mend the source, or describe its values in the codebook and the recipe; `portal rejected` lists the rows."
_MEND_TEXT = (
    "Leave the column out, pseudonymise or redact it in the recipe; or state under `admits` why it may hold this. "
    "`portal rejected` lists the rows."
)
