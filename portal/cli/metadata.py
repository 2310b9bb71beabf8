"""`portal metadata`: a dataset's description, for other catalogues and for reference managers."""

from pathlib import Path

import click

from portal.catalogue.metadata import FORMS
from portal.cli.context import with_services
from portal.cli.files import written
from portal.cli.values import DATASET, FILE
from portal.desk.describing import describe
from portal.desk.services import Services
from portal.ids import DatasetName


@click.command
@click.argument("dataset", type=DATASET)
@click.option("--format", "form", type=click.Choice(tuple(FORMS)), default="croissant.json", show_default=True)
@click.option("--address", default="http://127.0.0.1:8501", show_default=True, help="Where your portal is reached.")
@click.option("--out", type=FILE, help="The file to write; left out: standard output.")
@with_services
def metadata(services: Services, dataset: DatasetName, form: str, address: str, out: Path | None) -> None:
    """Describe DATASET in its latest release: codebook, licence, citation and errata, and no value of the data."""
    text = FORMS[form].text(describe(services, dataset, address))
    with written(out) as sink:
        sink.write(text.encode())
