"""`portal projects`: research projects, from reasoned requests or registrations."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

import click

from portal.cli.context import by_operator, with_services
from portal.cli.printing import json_option, say, show, show_records
from portal.cli.values import DAY, PERSON, PROJECT
from portal.desk.services import Services
from portal.errors import Fault, NotFoundError
from portal.ids import PersonId, ProjectId
from portal.policy.people import Project


@click.group
def projects() -> None:
    """List, show and open projects."""


@projects.command("list")
@json_option
@with_services
def list_projects(services: Services) -> None:
    """List all projects."""
    show_records(
        [
            {"id": project.id, "title": project.title, "starts": project.starts, "ends": project.ends}
            for project in services.registry.projects()
        ]
    )


@projects.command("show")
@click.argument("project", type=PROJECT)
@json_option
@with_services
def show_project(services: Services, project: ProjectId) -> None:
    """Show a project with its members and its grants."""
    found = services.registry.project(project)
    if found is None:
        raise NotFoundError(
            Fault("NO_SUCH_PROJECT", f"There is no project {project!r}.", fix="See `portal projects list`.")
        )
    facts = {**asdict(found), "grants": [asdict(grant) for grant in services.registry.grants_of(project)]}
    lines = [f"{name}: {_in_words(value)}" for name, value in facts.items() if name != "grants"]
    lines += [f"grant: {grant['dataset']}, {grant['starts']} to {grant['ends']}" for grant in facts["grants"]]
    show(facts, "\n".join(lines))


@projects.command("open")
@click.argument("project", type=PROJECT)
@click.option("--title", required=True)
@click.option("--purpose", required=True, help="What is to be found out.")
@click.option("--from", "starts", type=DAY, required=True, help="First day.")
@click.option("--until", "ends", type=DAY, required=True, help="Last day.")
@click.option("--member", "members", type=PERSON, multiple=True, help="Once for each person.")
@click.option("--state", "states", multiple=True, help="A Member State under study, once for each.")
@click.option("--undertaking", "undertakings", multiple=True, help="What the project has undertaken, once for each.")
@click.option("--request", help="The reasoned request's reference (DSA Art. 40(4)).")
@with_services
def open_project(  # noqa: PLR0913 - one for each option
    services: Services,
    project: ProjectId,
    *,
    title: str,
    purpose: str,
    starts: date,
    ends: date,
    members: Sequence[PersonId],
    states: Sequence[str],
    undertakings: Sequence[str],
    request: str | None,
) -> None:
    """Open a project with its members."""
    services.registry.add_project(
        Project(
            id=project,
            title=title,
            purpose=purpose,
            starts=starts,
            ends=ends,
            members=frozenset(members),
            member_states=tuple(states),
            undertakings=frozenset(undertakings),
            reasoned_request=request,
        ),
        audit=by_operator(services),
    )
    say(f"{project} is open.")


def _in_words(value: object) -> str:
    return ", ".join(sorted(map(str, value))) if isinstance(value, frozenset | tuple) else str(value)
