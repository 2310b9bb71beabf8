"""`portal grants`: which project may use which dataset, from when until when, and what is taken away from it."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

import click

from portal.cli.context import by_operator, with_services
from portal.cli.printing import json_option, say, show_records
from portal.cli.values import DATASET, DAY, PROJECT
from portal.desk.granting import end_grant, give_grant, withdraw_dataset
from portal.desk.services import Services
from portal.ids import DatasetName, ProjectId
from portal.policy.people import Grant, Narrowing


@click.group
def grants() -> None:
    """List, give, revoke and withdraw grants."""


@grants.command("list")
@click.option("--project", type=PROJECT, help="Of this project only.")
@json_option
@with_services
def list_grants(services: Services, project: ProjectId | None) -> None:
    """List every grant that was ever given."""
    owners = [project] if project else [each.id for each in services.registry.projects()]
    show_records([_record(grant) for owner in owners for grant in services.registry.grants_of(owner)])


@grants.command
@click.argument("dataset", type=DATASET)
@click.argument("project", type=PROJECT)
@click.option("--from", "starts", type=DAY, required=True, help="First day of the grant.")
@click.option("--until", "ends", type=DAY, required=True, help="Last day of the grant.")
@click.option("--hide", "hidden", multiple=True, metavar="COLUMN", help="A column that reads NULL, once for each.")
@click.option("--rows", metavar="RULE", help="A row rule that must hold besides the policy's.")
@click.option("--data-from", "since", type=DAY, help="First day of the data.")
@click.option("--data-until", "until", type=DAY, help="Last day of the data.")
@with_services
def give(  # noqa: PLR0913 - one for each option
    services: Services,
    dataset: DatasetName,
    project: ProjectId,
    *,
    starts: date,
    ends: date,
    hidden: Sequence[str],
    rows: str | None,
    since: date | None,
    until: date | None,
) -> None:
    """Grant DATASET to PROJECT; a grant can only take away from what the policy allows."""
    narrowing = Narrowing(frozenset(hidden), rows, since, until)
    give_grant(services, Grant(dataset, project, starts, ends, narrowing), by_operator(services))
    say(f"{dataset} is granted to {project} from {starts} to {ends}.")


@grants.command
@click.argument("dataset", type=DATASET)
@click.argument("project", type=PROJECT)
@with_services
def revoke(services: Services, dataset: DatasetName, project: ProjectId) -> None:
    """End every grant of DATASET to PROJECT at once, and remove the governed copies that rested on it."""
    end_grant(services, dataset, project, by_operator(services))
    say(f"{dataset} is no longer granted to {project}.")


@grants.command
@click.argument("dataset", type=DATASET)
@with_services
def withdraw(services: Services, dataset: DatasetName) -> None:
    """End every grant of DATASET in every project at once, and draft what the Coordinators must be told."""
    ended = withdraw_dataset(services, dataset, by_operator(services))
    say(f"{dataset} is withdrawn from {len(ended)} projects.")


def _record(grant: Grant) -> dict[str, object]:
    narrowed = {name: value for name, value in asdict(grant.narrowing).items() if value}
    return {
        "dataset": grant.dataset,
        "project": grant.project,
        "starts": grant.starts,
        "ends": grant.ends,
        "narrowed": ", ".join(f"{name}: {_in_words(value)}" for name, value in narrowed.items()),
        "revoked": grant.revoked_at,
    }


def _in_words(value: object) -> str:
    return ", ".join(sorted(value)) if isinstance(value, frozenset) else str(value)
