"""Applications for access: begun, received, moved on, read. What a step brings about is in the same transaction."""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, is_dataclass, replace
from types import MappingProxyType
from typing import Any

from portal.desk.access import identify
from portal.desk.opening import CONSEQUENCES
from portal.desk.services import Services
from portal.desk.upkeep import remove_ended
from portal.errors import Fault, NotFoundError, PolicyRefusal
from portal.fingerprints import fingerprint
from portal.ids import ApplicationId, PersonId
from portal.ledger import Entry
from portal.policy.model import Tier
from portal.policy.people import Person
from portal.registry import Audit
from portal.vetting.application import Application, Draft, ReasonedRequest, State
from portal.vetting.notices import Notice
from portal.vetting.steps import Content, Step, begin, may_read, receive, role_of, take
from portal.vetting.table import Act, NextStep, Role, next_step, open_to, row_for

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_LONGEST_TIMELINE = 10_000
_OVER = (State.ENDED, State.REVOKED)


@dataclass(frozen=True, slots=True)
class ApplicationView:
    """An application as somebody concerned sees it: whose turn it is, and what they themselves can do."""

    application: Application
    next: NextStep | None
    open: tuple[Act, ...]
    overdue: bool


def start_application(services: Services, person: PersonId, draft: Draft) -> Application:
    """Begin an application for publicly accessible data (Art. 40(12))."""
    applicant = identify(services, person)
    if applicant.tier not in {Tier.PUBLIC, Tier.REGISTERED, Tier.VETTED}:
        raise PolicyRefusal(_refused(f"A {applicant.tier} does not apply for access.", "Researchers apply."))
    return _add(services, applicant, begin(_fresh_id(), applicant.id, draft, services.clock()))


def import_request(services: Services, person: PersonId, request: ReasonedRequest) -> Application:
    """Receive a reasoned request (Art. 40(4)), by a steward. Raises `UsageError` where it was received before."""
    steward = _steward(services, person)
    return _add(services, steward, receive(_fresh_id(), request))


def copy_application(services: Services, person: PersonId, application: ApplicationId) -> Application:
    """Begin a new application with the words of one that is over."""
    asker, found = _concerned(services, person, application)
    role = role_of(found, asker)
    if role is None or row_for(found, role, Act.COPY) is None:
        raise PolicyRefusal(_refused(f"An application that is {found.state} is not copied.", "Begin a new one."))
    return start_application(services, person, found.draft)


def act(  # noqa: PLR0913 - one for each fact of a step
    services: Services,
    person: PersonId,
    application: ApplicationId,
    what: Act,
    *,
    words: str = "",
    content: Content = None,
    seen: int | None = None,
) -> Application:
    """Do one step, and return the application after it.

    `seen` is the version that the person decided on. Raises `NotFoundError` where it does not concern them,
    `PolicyRefusal` where it is not theirs to do, or somebody was first, `UsageError` where something is missing.
    """
    asker, found = _concerned(services, person, application)
    role = role_of(found, asker)
    if role is None:
        raise PolicyRefusal(_refused(f"A {asker.tier} reads applications, and changes none.", "Ask a steward."))
    step = Step(asker.id, role, what, services.clock(), words, content)
    return carry_out(services, application, step, seen)


def carry_out(services: Services, application: ApplicationId, step: Step, seen: int | None = None) -> Application:
    """Do a step with all that it brings about, or nothing of it; then remove what rested on an access that ended."""
    audit = Audit(step.by, step.at)
    told = {"act": step.act, "role": step.role, "words": step.words, "content": _in_ledger(step.content)}
    consequence = CONSEQUENCES.get(step.act)
    with services.registry.together() as registry:
        before = registry.applications.find(application)
        after = registry.applications.step(
            application, seen, lambda found: take(found, step), {**told, "members": before.draft.members}, audit=audit
        )
        if consequence:
            consequence(replace(services, registry=registry), before, after, step)
    if after.state in _OVER and after.project:
        services.spool.remove_project(after.project)
        remove_ended(services)
    return after


def view_application(services: Services, person: PersonId, application: ApplicationId) -> ApplicationView:
    """Return an application that concerns the person. Raises `NotFoundError`."""
    asker, found = _concerned(services, person, application)
    return _view(services, asker, found)


def applications_for(services: Services, person: PersonId) -> tuple[ApplicationView, ...]:
    """Return the applications that concern the person: their own, or all to staff, oldest first."""
    asker = identify(services, person)
    found = (each for each in services.registry.applications.all() if may_read(each, asker))
    return tuple(_view(services, asker, each) for each in found)


def timeline(services: Services, person: PersonId, application: ApplicationId) -> tuple[Entry, ...]:
    """Return every step of an application, oldest first, to everyone whom it concerns."""
    _concerned(services, person, application)
    return tuple(reversed(services.ledger.search(subject=application, limit=_LONGEST_TIMELINE)))


def notices_for(services: Services, person: PersonId) -> tuple[Notice, ...]:
    """Return what the Coordinators were and must be told, to stewards and auditors."""
    if identify(services, person).tier not in {Tier.STEWARD, Tier.AUDITOR}:
        raise PolicyRefusal(_refused("Notices are the stewards' work.", "Ask a data steward."))
    return services.registry.applications.notices()


def mark_notice_sent(services: Services, person: PersonId, number: int) -> Notice:
    """Write down that a notice was sent. Raises `NotFoundError`."""
    steward = _steward(services, person)
    return services.registry.applications.mark_sent(number, audit=Audit(steward.id, services.clock()))


def expire_applications(services: Services) -> tuple[Application, ...]:
    """End, as the portal, every access whose last day is over; return what ended."""
    step, ended = Step(None, Role.PORTAL, Act.EXPIRE, services.clock()), list[Application]()
    for found in services.registry.applications.all():
        if row_for(found, Role.PORTAL, Act.EXPIRE) and step.at.date() > found.draft.ends:
            with suppress(PolicyRefusal):  # another process, or a person, was first
                ended.append(carry_out(services, found.id, step, found.version))
    return tuple(ended)


def _add(services: Services, person: Person, application: Application) -> Application:
    details = {
        "act": "begin" if application.reference is None else "receive",
        "way": application.way,
        "to": application.state,
        "reference": application.reference,
        "content": _in_ledger(application.draft),
    }
    services.registry.applications.add(application, details, audit=Audit(person.id, services.clock()))
    return application


def _concerned(services: Services, person: PersonId, application: ApplicationId) -> tuple[Person, Application]:
    """Return both; an application that does not concern the person reads as one that does not exist."""
    asker, found = identify(services, person), services.registry.applications.find(application)
    if not may_read(found, asker):
        raise NotFoundError(
            Fault("NO_SUCH_APPLICATION", "You have no such application.", fix="List yours, and name one of them.")
        )
    return asker, found


def _steward(services: Services, person: PersonId) -> Person:
    found = identify(services, person)
    if found.tier is not Tier.STEWARD:
        raise PolicyRefusal(_refused("This is a data steward's work.", "Ask a data steward."))
    return found


def _view(services: Services, asker: Person, application: Application) -> ApplicationView:
    role, next_ = role_of(application, asker), next_step(application, services.calendar)
    acts = tuple(row.act for row in open_to(application, role)) if role else ()
    overdue = next_ is not None and services.clock().date() > next_.due
    return ApplicationView(application, next_, acts, overdue)


def _in_ledger(content: Content) -> Any:  # noqa: ANN401 - JSON
    """Return what went with a step as the ledger has it; of a long draft what it asks for, and its fingerprint."""
    if isinstance(content, Draft):
        whole = content.model_dump(mode="json")
        asked = {name: whole[name] for name in ("title", "starts", "ends", "members")}
        data = [{"dataset": name} for name in content.datasets]  # as in receipts, so that a search finds both
        return {**asked, "data": data, "fingerprint": fingerprint(whole)}
    return asdict(content) if is_dataclass(content) else content


def _fresh_id() -> ApplicationId:
    return ApplicationId(f"application-{secrets.token_hex(5)}")


def _refused(message: str, fix: str) -> Fault:
    return Fault("NOT_YOURS", message, rule="vetting", fix=fix)
