"""`portal workspaces`: governed copies, ahead of their first use and after their last."""

import click

from portal.cli.context import with_services
from portal.cli.printing import json_option, progress_bar, show_records
from portal.cli.values import asker_options
from portal.desk.answers import Asker
from portal.desk.copies import KeptCopy, kept_copies
from portal.desk.services import Services
from portal.desk.upkeep import build_workspaces, remove_ended
from portal.desk.vetting import expire_applications


@click.group
def workspaces() -> None:
    """Build, list and remove governed copies."""


@workspaces.command
@asker_options
@json_option
@with_services
def build(services: Services, *, asker: Asker) -> None:
    """Build every governed copy that somebody's project may query row by row."""
    with progress_bar() as report:
        copies = build_workspaces(services, asker, report)
    show_records([{"dataset": copy.dataset, "release": copy.release, "rows": copy.rows} for copy in copies])


@workspaces.command("list")
@json_option
@with_services
def list_kept(services: Services) -> None:
    """List the governed copies that are on disk or that a grant asks for, and how far each is."""
    show_records([_record(copy) for copy in kept_copies(services)])


@workspaces.command
@json_option
@with_services
def prune(services: Services) -> None:
    """Remove copies without a living grant, and answers and downloads past their days; end what is over by its date."""
    expire_applications(services)
    show_records([{"project": copy.project, "dataset": copy.dataset} for copy in remove_ended(services)])


def _record(copy: KeptCopy) -> dict[str, str | int | None]:
    files = f"{copy.ready} of {copy.files}" if copy.files else ""
    return {"project": copy.project, "dataset": copy.dataset, "state": copy.state, "files": files, "rows": copy.rows}
