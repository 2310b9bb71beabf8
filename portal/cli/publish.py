"""`portal publish` and `portal simulate`: from raw or made-up sources to a release."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from portal.catalogue.release import Manifest
from portal.cli.context import with_services
from portal.cli.printing import json_option, progress_bar, show_records
from portal.cli.values import DATASET
from portal.desk.publication import publish_release
from portal.desk.services import Services
from portal.ids import DatasetName
from portal.publishing.sources import source_named
from portal.simulation import SIMULATORS
from portal.simulation import simulate as write_sources


@click.command
@click.argument("dataset", type=DATASET)
@click.option(
    "--source",
    "sources",
    multiple=True,
    required=True,
    help="A file of CSV, JSON or Parquet, a zip of such files, or the URL of a database.",
)
@click.option("--synthetic", is_flag=True, help="The sources are made up, and the release must say so.")
@json_option
@with_services
def publish(services: Services, dataset: DatasetName, sources: Sequence[str], *, synthetic: bool) -> None:
    """Publish sources as the next release of DATASET, whole or not at all."""
    with progress_bar() as report:
        manifest = publish_release(
            services, dataset, [source_named(source) for source in sources], synthetic=synthetic, progress=report
        )
    show_records([_in_brief(manifest)])


@click.command
@click.argument("datasets", nargs=-1, type=DATASET)
@click.option("--scale", type=float, default=1.0, show_default=True, help="1 is the size of the demonstration.")
@click.option("--seed", type=int, default=2026, show_default=True, help="The same seed makes the same data.")
@json_option
@with_services
def simulate(services: Services, datasets: Sequence[DatasetName], scale: float, seed: int) -> None:
    """Make up calibrated sources of DATASETS (all that can be), and publish them, labelled as synthetic."""
    names = datasets or [DatasetName(name) for name in SIMULATORS if name in services.site.datasets]
    show_records([_in_brief(publish_simulation(services, name, scale, seed)) for name in names])


def publish_simulation(services: Services, dataset: DatasetName, scale: float = 1.0, seed: int = 2026) -> Manifest:
    """Make up a dataset's sources where nobody will meet them, and publish them."""
    with TemporaryDirectory() as folder, progress_bar() as report:
        sources = write_sources(dataset, Path(folder), scale, seed)
        return publish_release(services, dataset, sources, synthetic=True, progress=report)


def _in_brief(manifest: Manifest) -> dict[str, object]:
    return {
        "dataset": manifest.dataset,
        "release": manifest.number,
        "rows": manifest.rows,
        "rejected": manifest.rejected_rows,
        "synthetic": manifest.synthetic,
        "files": len(manifest.files),
        "bytes": sum(file.bytes for file in manifest.files),
    }
