"""`portal check` and `portal schema`: what stewards need while they write."""

import json
from collections.abc import Mapping

import click

from portal.catalogue.dataset import Dataset
from portal.cli.context import with_settings
from portal.cli.printing import json_option, show
from portal.content import Content
from portal.policy.model import Policy
from portal.settings import Settings
from portal.site.commitments import Commitments
from portal.site.queries import FrontMatter
from portal.wiring import faults_of_site

MODELS: Mapping[str, type[Content]] = {
    "dataset": Dataset,
    "policy": Policy,
    "query": FrontMatter,
    "commitments": Commitments,
}


@click.command
@json_option
@with_settings
def check(settings: Settings) -> None:
    """Check datasets, policies and queries against each other and against what is published.

    Prints every fault as file:line: message, and ends with 1 where there is any.
    """
    faults = faults_of_site(settings)
    records = [{"file": fault.file, "line": fault.line, "message": fault.message} for fault in faults]
    show(records, "\n".join(map(str, faults)) or "No faults.")
    if faults:
        click.get_current_context().exit(1)


@click.command
@click.argument("kind", type=click.Choice(tuple(MODELS)))
def schema(kind: str) -> None:
    """Print the JSON Schema of a content file, for editors that complete and check YAML."""
    click.echo(json.dumps(MODELS[kind].model_json_schema(), indent=2))
