"""`portal risk`: what a release risks, for its steward."""

from pathlib import Path

import click

from portal.cli.context import with_services
from portal.cli.files import written
from portal.cli.printing import json_option, show, table
from portal.cli.values import DATASET
from portal.desk.risk import report_of
from portal.desk.services import Services
from portal.ids import DatasetName
from portal.publishing.risk.page import page_of
from portal.publishing.risk.report import RiskReport


@click.command
@click.argument("dataset", type=DATASET)
@click.argument("release", type=click.IntRange(1), required=False)
@click.option("--html", type=click.Path(path_type=Path), help="Write the report as a page with plots.")
@json_option
@with_services
def risk(services: Services, dataset: DatasetName, release: int | None, html: Path | None) -> None:
    """Show what RELEASE of DATASET risks, the latest where none is named. It names classes: for stewards."""
    report = report_of(services, dataset, release)
    if html is not None:
        described = services.site.datasets.get(dataset)
        with written(html) as stream:
            stream.write(page_of(report, described.title if described else dataset).encode())
    show(report.model_dump(mode="json", by_alias=True), _in_text(report))


def _in_text(report: RiskReport) -> str:
    parts = [f"Release {report.release} of {report.dataset}.", *report.in_words()]
    if report.quasi_identifiers and report.units:
        parts += ["", *_figures(report), "", "The smallest classes, in generalised values:"]
        parts += [f"  {one}: {one.units:,} {report.unit}, {one.rows:,} rows" for one in report.smallest]
    if report.losses:
        rows = [(loss.source_column, loss.column, f"{loss.share:.0%}", loss.emptied) for loss in report.losses]
        parts += ["", table(("source column", "published as", "information lost", "emptied"), rows)]
    return "\n".join(parts)


def _figures(report: RiskReport) -> list[str]:
    rows = [(name, f"{figure:.4g}") for name, figure in report.measured.items()]
    rows += [("classes", f"{report.classes:,}"), ("alone in some class", f"{report.alone:,} {report.unit}")]
    return [table(("figure", "measured"), rows)]
