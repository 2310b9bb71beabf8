"""`portal applications`: access asked for, decided on, opened and ended, each step by the person whose step it is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import wraps
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import click

from portal.cli.context import with_services
from portal.cli.printing import json_option, say, show, show_records
from portal.cli.values import DAY, PERSON, PROJECT
from portal.content import Content
from portal.desk import vetting
from portal.desk.services import Services
from portal.errors import ContentError, Fault
from portal.ids import ApplicationId, DatasetName, PersonId, ProjectId
from portal.policy.people import Narrowing
from portal.site.yaml_files import read_model
from portal.vetting.application import Application, Condition, Draft, Ground, ReasonedRequest
from portal.vetting.permissions import permissions_page
from portal.vetting.steps import Asked, Found, Opening, Settled
from portal.vetting.steps import Content as StepContent
from portal.vetting.table import Act
from portal.vetting.undertakings import UNDERTAKINGS

Model = TypeVar("Model", bound=Content)
Returned = TypeVar("Returned")
READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)
APPLICATION = click.argument("application", type=str)
BY = click.option("--as", "person", type=PERSON, required=True, help="Who does it.")
WORDS = click.option("--because", "words", default="", help="The reasons, or the answer, in words.")
SEEN = click.option("--seen", type=int, help="The version that was decided on; refused where it is another by now.")


class Narrowings(Content):
    """What the grants of a project take away, by dataset."""

    datasets: Mapping[DatasetName, Narrowing]


@click.group
def applications() -> None:
    """Apply for access, decide on it, open it and end it."""


@dataclass(frozen=True, slots=True)
class Given:
    """What every step is given."""

    application: ApplicationId
    person: PersonId
    words: str
    seen: int | None


def step_options(command: Callable[..., Returned]) -> Callable[..., Returned]:
    """Give a command what every step takes, handed over as one `Given`."""

    @wraps(command)
    def run(
        *arguments: Any,  # noqa: ANN401 - whatever the command takes
        application: ApplicationId,
        person: PersonId,
        words: str,
        seen: int | None,
        **options: Any,  # noqa: ANN401 - whatever the command takes
    ) -> Returned:
        return command(*arguments, given=Given(application, person, words, seen), **options)

    return APPLICATION(BY(WORDS(SEEN(run))))


@applications.command("list")
@BY
@json_option
@with_services
def list_applications(services: Services, person: PersonId) -> None:
    """List the applications that concern you, and whose turn it is."""
    show_records([_record(view) for view in vetting.applications_for(services, person)])


@applications.command("show")
@APPLICATION
@BY
@json_option
@with_services
def show_application(services: Services, application: ApplicationId, person: PersonId) -> None:
    """Show an application: what it asks for, whose turn it is, and what you can do."""
    view = vetting.view_application(services, person, application)
    facts = {**_record(view), "you can": list(view.open), **view.application.model_dump(mode="json")}
    show(facts, "\n".join(f"{name}: {_in_words(value)}" for name, value in facts.items()))


@applications.command
@APPLICATION
@BY
@json_option
@with_services
def timeline(services: Services, application: ApplicationId, person: PersonId) -> None:
    """Show every step of an application, oldest first."""
    show_records(
        [
            {
                "at": f"{entry.at:%Y-%m-%d %H:%M:%S}",
                "who": entry.actor or "portal",
                "what": entry.details.get("act", entry.action),
                "state": entry.details.get("to", ""),
                "words": entry.details.get("words", ""),
            }
            for entry in vetting.timeline(services, person, application)
        ]
    )


@applications.command
@click.argument("file", type=READABLE)
@BY
@json_option
@with_services
def draft(services: Services, file: Path, person: PersonId) -> None:
    """Begin an application for publicly accessible data from a YAML or JSON file."""
    _say_new(vetting.start_application(services, person, _read(file, Draft)))


@applications.command("import")
@click.argument("file", type=READABLE)
@BY
@json_option
@with_services
def import_request(services: Services, file: Path, person: PersonId) -> None:
    """Receive a reasoned request from a YAML or JSON file, as a steward."""
    _say_new(vetting.import_request(services, person, _read(file, ReasonedRequest)))


@applications.command
@APPLICATION
@BY
@json_option
@with_services
def copy(services: Services, application: ApplicationId, person: PersonId) -> None:
    """Begin a new application with the words of one that is over."""
    _say_new(vetting.copy_application(services, person, application))


@applications.command
@click.argument(
    "what", type=click.Choice(["submit", "withdraw", "ask", "answer", "approve", "refuse", "end", "revoke"])
)
@step_options
@with_services
def step(services: Services, what: str, given: Given) -> None:
    """Do WHAT with an application; `portal applications show` says what you can do."""
    _act(services, given, Act(what))


@applications.command
@click.argument("file", type=READABLE)
@step_options
@with_services
def edit(services: Services, file: Path, given: Given) -> None:
    """Put another draft in the place of an application's, from a YAML or JSON file."""
    _act(services, given, Act.EDIT, _read(file, Draft))


@applications.command
@click.argument("undertaking", type=click.Choice([each.key for each in UNDERTAKINGS]))
@step_options
@with_services
def undertake(services: Services, undertaking: str, given: Given) -> None:
    """Give an undertaking, for yourself."""
    click.echo(next(each.text for each in UNDERTAKINGS if each.key == undertaking))
    _act(services, given, Act.UNDERTAKE, undertaking)


@applications.command
@click.argument("condition", type=click.Choice([each.value for each in Condition]))
@click.option("--met/--not-met", required=True, help="Whether it is met.")
@step_options
@with_services
def find(services: Services, condition: str, *, met: bool, given: Given) -> None:
    """Say, as a reviewer, whether a condition is met; conditions go by their letter in Art. 40(8)."""
    _act(services, given, Act.FIND, Found(Condition(condition), met))


@applications.command
@click.argument("ground", type=click.Choice([each.value for each in Ground]))
@click.option("--alternative", "alternatives", multiple=True, required=True, help="What could be given instead.")
@step_options
@with_services
def amend(services: Services, ground: str, alternatives: Sequence[str], given: Given) -> None:
    """Ask the Coordinator to amend its request, on one of the two grounds of Art. 40(5)."""
    _act(services, given, Act.AMEND, Asked(Ground(ground), tuple(alternatives)))


@applications.command
@click.option("--accepted/--declined", required=True, help="What the Coordinator decided.")
@click.option("--request", type=READABLE, help="The amended request, as a YAML or JSON file.")
@step_options
@with_services
def settle(services: Services, accepted: bool, request: Path | None, given: Given) -> None:  # noqa: FBT001 - click's own signature
    """Write down what the Coordinator decided on an amendment."""
    amended = _read(request, ReasonedRequest).draft if request else None
    _act(services, given, Act.SETTLE, Settled(accepted, amended))


@applications.command
@click.argument("project", type=PROJECT)
@click.option("--narrow", type=READABLE, help="What the grants take away, by dataset, as a YAML or JSON file.")
@step_options
@with_services
def activate(services: Services, project: ProjectId, narrow: Path | None, given: Given) -> None:
    """Open PROJECT with its grants, where every condition holds."""
    narrowings = _read(narrow, Narrowings).datasets if narrow else {}
    _act(services, given, Act.ACTIVATE, Opening(project, narrowings))


@applications.command
@click.option("--until", type=DAY, required=True, help="The last day that is asked for.")
@step_options
@with_services
def renew(services: Services, until: date, given: Given) -> None:
    """Ask for an access to last longer."""
    _act(services, given, Act.RENEW, until)


@applications.command("table")
def show_table() -> None:
    """Print who may do what in which state, as docs/permissions.md has it."""
    click.echo(permissions_page(), nl=False)


@applications.command
@BY
@json_option
@with_services
def notices(services: Services, person: PersonId) -> None:
    """List what the Coordinators were and must be told, with the day on which it is due."""
    show_records(
        [
            {
                "number": notice.number,
                "due": notice.due,
                "sent": notice.sent_at,
                "application": notice.application,
                "event": notice.event,
                "text": notice.text,
            }
            for notice in vetting.notices_for(services, person)
        ]
    )


@applications.command
@click.argument("number", type=int)
@BY
@with_services
def sent(services: Services, number: int, person: PersonId) -> None:
    """Write down that a notice was sent."""
    vetting.mark_notice_sent(services, person, number)
    say(f"Notice {number} is sent.")


def _act(services: Services, given: Given, what: Act, content: StepContent = None) -> None:
    after = vetting.act(
        services, given.person, given.application, what, words=given.words, content=content, seen=given.seen
    )
    say(f"The application is {after.state}, at version {after.version}.")


def _say_new(application: Application) -> None:
    show({"id": application.id, "state": application.state}, application.id)
    say(f"The application is {application.state}.")


def _record(view: vetting.ApplicationView) -> dict[str, object]:
    return {
        "id": view.application.id,
        "way": view.application.way,
        "title": view.application.draft.title,
        "state": view.application.state,
        "version": view.application.version,
        "turn of": view.next and view.next.owner,
        "to": view.next and view.next.words,
        "due": view.next and view.next.due,
        "overdue": view.overdue,
    }


def _in_words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _read(file: Path, model: type[Model]) -> Model:
    """Read a YAML or JSON file. Raises `ContentError`, with every fault and its line."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ContentError(Fault("NO_TEXT", "The file is no text in UTF-8.", fix="Save it as UTF-8.")) from error
    found, _, faults = read_model(text, PurePosixPath(file.name), model)
    if found is None or faults:
        raise ContentError(
            *(Fault("DRAFT", each.message, line=each.line, fix="Mend the file, and give it again.") for each in faults)
        )
    return found
