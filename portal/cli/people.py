"""`portal people`: who may sign in."""

import click

from portal.cli.context import by_operator, with_services
from portal.cli.printing import json_option, say, show_records
from portal.cli.values import PERSON
from portal.desk.services import Services
from portal.ids import PersonId
from portal.policy.model import Tier
from portal.policy.people import Person


@click.group
def people() -> None:
    """List, admit and put out people."""


@people.command("list")
@json_option
@with_services
def list_people(services: Services) -> None:
    """List everybody."""
    show_records(
        [
            {"id": person.id, "name": person.name, "tier": person.tier, "active": person.active}
            for person in services.registry.people()
        ]
    )


@people.command
@click.argument("person", type=PERSON)
@click.option("--name", required=True, help="How the person is called.")
@click.option("--tier", type=click.Choice([tier.value for tier in Tier]), required=True)
@with_services
def add(services: Services, person: PersonId, name: str, tier: str) -> None:
    """Admit somebody."""
    services.registry.add_person(Person(person, name, Tier(tier)), audit=by_operator(services))
    say(f"{person} is admitted.")


@people.command
@click.argument("person", type=PERSON)
@with_services
def deactivate(services: Services, person: PersonId) -> None:
    """Admit somebody no longer; sessions and tokens end at once."""
    services.registry.set_active(person, active=False, audit=by_operator(services))
    say(f"{person} is no longer admitted.")


@people.command
@click.argument("person", type=PERSON)
@with_services
def activate(services: Services, person: PersonId) -> None:
    """Admit somebody again."""
    services.registry.set_active(person, active=True, audit=by_operator(services))
    say(f"{person} is admitted again.")
