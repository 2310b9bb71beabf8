"""`portal publish` and `portal simulate`: from raw or made-up sources to a release."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from portal.catalogue.release import Manifest
from portal.cli.context import with_services
from portal.cli.files import written
from portal.cli.printing import json_option, progress_bar, show_records
from portal.cli.values import DATASET
from portal.desk.publication import publish_release
from portal.desk.services import Services
from portal.ids import DatasetName
from portal.publishing.sources import source_named
from portal.simulation import SIMULATORS
from portal.simulation import simulate as write_sources
from portal.simulation.marginals import Marginal, compare, in_markdown


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
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="Write what was made up against the real figures."
)
@json_option
@with_services
def simulate(services: Services, datasets: Sequence[DatasetName], scale: float, seed: int, report: Path | None) -> None:
    """Make up calibrated sources of DATASETS (all that can be), and publish them, labelled as synthetic."""
    names = datasets or [DatasetName(name) for name in SIMULATORS if name in services.site.datasets]
    made: list[Manifest] = []
    compared: dict[str, Sequence[Marginal]] = {}
    for name in names:
        with made_up(name, scale, seed) as sources:
            made.append(_publish_made_up(services, name, sources))
            if report is not None:
                compared[name] = compare(name, sources)
    show_records([_in_brief(manifest) for manifest in made])
    if report is not None:
        with written(report) as file:
            file.write(in_markdown(compared).encode())


def publish_simulation(services: Services, dataset: DatasetName) -> Manifest:
    """Make up a dataset's sources at the size of the demonstration, and publish them."""
    with made_up(dataset) as sources:
        return _publish_made_up(services, dataset, sources)


@contextmanager
def made_up(dataset: DatasetName, scale: float = 1.0, seed: int = 2026) -> Iterator[Sequence[Path]]:
    """Give made-up sources where nobody will meet them, and take them away afterwards."""
    with TemporaryDirectory() as folder:
        yield write_sources(dataset, Path(folder), scale, seed)


def _publish_made_up(services: Services, dataset: DatasetName, sources: Sequence[Path]) -> Manifest:
    with progress_bar() as report:
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
