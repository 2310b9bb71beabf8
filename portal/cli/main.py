"""The `portal` command itself: its options, its groups and how it ends."""

from pathlib import Path

import click

import portal
from portal.cli.access import access
from portal.cli.applications import applications
from portal.cli.check import check, schema
from portal.cli.demo import demo, serve
from portal.cli.doctor import doctor
from portal.cli.download import download
from portal.cli.endings import Ending
from portal.cli.grants import grants
from portal.cli.keys import keys
from portal.cli.ledger import ledger
from portal.cli.metadata import metadata
from portal.cli.people import people
from portal.cli.projects import projects
from portal.cli.publish import publish, simulate
from portal.cli.queries import queries
from portal.cli.releases import diff, rejected, releases, retire, withdraw
from portal.cli.risk import risk
from portal.cli.statements import explain, query
from portal.cli.tokens import tokens
from portal.cli.workspaces import workspaces

COMMANDS = (
    check, schema, publish, simulate, releases, diff, rejected, withdraw, retire, risk, demo, serve, query, queries,
    explain, access, download, metadata, workspaces, people, projects, applications, grants, tokens, keys, ledger,
    doctor,
)  # fmt: skip


@click.group(cls=Ending)
@click.option("--site", type=click.Path(file_okay=False, path_type=Path), help="The folder of the content folders.")
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="The folder of all that is written.")
@click.version_option(portal.__version__, prog_name="portal")
@click.pass_context
def main(context: click.Context, site: Path | None, home: Path | None) -> None:
    """Query a platform's anonymised extracts under an access policy.

    Settings come from these options, PORTAL_* variables and portal.toml, in that order.

    Exit codes: 0 done, 1 faults found, 2 usage, 3 refused, 4 limit reached, 5 engine failure.
    """
    context.obj = {name: value for name, value in (("site", site), ("home", home)) if value is not None}


for command in COMMANDS:
    main.add_command(command)
