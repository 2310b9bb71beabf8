"""`portal download`: a file to take away, made and fetched under the same rules as on a page."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import click

from portal.cli.context import with_services
from portal.cli.files import written
from portal.cli.printing import json_option, progress_bar, show
from portal.cli.statements import read_statement
from portal.cli.values import FILE, asker_options, parameters_option
from portal.desk.answers import Asker
from portal.desk.downloads import open_download
from portal.desk.making import make_download
from portal.desk.services import Services
from portal.desk.statements import Running


@click.command
@click.argument("sql")
@asker_options
@parameters_option
@click.option(
    "--format", "file_format", type=click.Choice(("parquet", "csv", "arrow")), default="parquet", show_default=True
)
@click.option("--out", type=FILE, required=True, help="The file to write; its manifest comes beside it.")
@json_option
@with_services
def download(  # noqa: PLR0913 - one for each option
    services: Services, sql: str, *, asker: Asker, parameters: Mapping[str, str], file_format: str, out: Path
) -> None:
    """Answer SQL, or a saved query named as @topic/name, into a file that may leave the portal."""
    with progress_bar() as report:
        statement = read_statement(services, asker, sql, parameters)
        made = make_download(services, asker, statement, file_format, Running(progress=report))
    record, path = open_download(services, asker, made.id)
    for origin, target in ((_manifest(path), _manifest(out)), (path, out)):
        with origin.open("rb") as source, written(target) as sink:
            shutil.copyfileobj(source, sink)
    facts = {"id": record.id, "rows": record.rows, "bytes": record.bytes, "sha256": record.sha256}
    show(facts, f"{record.rows:,} rows, {record.bytes:,} bytes, sha256 {record.sha256}. Receipt {record.receipt_id}.")


def _manifest(path: Path) -> Path:
    return path.with_name(f"{path.name}.manifest.json")
