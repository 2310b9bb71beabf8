"""Measures a release before it appears, lays its risk report beside it, and refuses it where it risks too much."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from portal.catalogue.dataset import Dataset
from portal.catalogue.release import Manifest
from portal.errors import ContentError, Fault, NotFoundError
from portal.publishing.risk.loss import Removal, total
from portal.publishing.risk.measure import measure
from portal.publishing.risk.page import page_of
from portal.publishing.risk.report import RiskReport
from portal.publishing.risk.thresholds import missed

REPORT, PAGE = "risk.json", "risk.html"


def assess(dataset: Dataset, manifest: Manifest, folder: Path, removals: Sequence[Removal]) -> tuple[Path, Path]:
    """Write the risk report of the files in `folder`, and return its two files.

    Raises `ContentError` that names the classes where the release misses what the dataset declares.
    """
    report = measure(dataset, manifest, [folder / file.relative for file in manifest.files], total(removals))
    if faults := tuple(missed(report)):
        raise ContentError(*faults)
    data, page = folder / REPORT, folder / PAGE
    data.write_text(report.model_dump_json(indent=1, by_alias=True), encoding="utf-8")
    page.write_text(page_of(report, dataset.title), encoding="utf-8")
    return data, page


def read_report(folder: Path, manifest: Manifest) -> RiskReport:
    """Read a release's report. Raises `NotFoundError` where it was published without, `ContentError` if damaged."""
    try:
        return RiskReport.model_validate_json((folder / REPORT).read_bytes())
    except FileNotFoundError as error:
        raise NotFoundError(_no_report(manifest)) from error
    except (OSError, ValidationError) as error:
        raise ContentError(_unreadable(manifest)) from error


def _no_report(manifest: Manifest) -> Fault:
    return Fault(
        "NO_RISK_REPORT",
        f"Release {manifest.number} of {manifest.dataset!r} was published without a risk report.",
        fix="Publish the dataset anew; each new release has one.",
        dataset=manifest.dataset,
    )


def _unreadable(manifest: Manifest) -> Fault:
    return Fault(
        "RISK_REPORT_UNREADABLE",
        f"The risk report of release {manifest.number} of {manifest.dataset!r} cannot be read.",
        rule="a release never changes once it is published",
        fix="Restore it from a backup, or publish the dataset anew.",
        dataset=manifest.dataset,
    )
