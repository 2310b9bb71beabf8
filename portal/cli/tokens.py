"""`portal tokens`: keys for programs, each for one person and one project."""

from dataclasses import asdict
from datetime import timedelta

import click

from portal.cli.context import by_operator, with_services
from portal.cli.printing import json_option, say, show, show_records
from portal.cli.values import PERSON, asker_options
from portal.desk.access import identify, project_of
from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.errors import Fault, UsageError
from portal.ids import PersonId


@click.group
def tokens() -> None:
    """Issue, list and revoke bearer tokens for the API."""


@tokens.command
@asker_options
@click.option("--name", required=True, help="What the token is for.")
@click.option("--days", type=click.IntRange(1, 366), default=90, show_default=True)
@json_option
@with_services
def issue(services: Services, *, asker: Asker, name: str, days: int) -> None:
    """Issue a token. Its secret is shown this once, and kept nowhere."""
    person, project = identify(services, asker.person), project_of(services, asker)
    if project is None:
        raise UsageError(Fault("PROJECT_MISSING", "A token is for one project.", fix="Name it by --project."))
    audit = by_operator(services)
    token, secret = services.registry.issue_token(
        person.id, project.id, name, audit.at + timedelta(days=days), audit=audit
    )
    show({"id": token.id, "secret": secret, "expires_at": token.expires_at}, secret)
    say(f"Token {token.id} is good until {token.expires_at:%Y-%m-%d}; keep the secret, it is not shown again.")


@tokens.command("list")
@click.option("--as", "person", type=PERSON, required=True, help="Whose tokens.")
@json_option
@with_services
def list_tokens(services: Services, person: PersonId) -> None:
    """List the tokens that somebody was ever given, without their secrets."""
    show_records([asdict(token) for token in services.registry.tokens_of(person)])


@tokens.command
@click.argument("token")
@with_services
def revoke(services: Services, token: str) -> None:
    """End a token at once, by its id."""
    services.registry.revoke_token(token, audit=by_operator(services))
    say(f"Token {token} is revoked.")
