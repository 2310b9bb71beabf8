"""One step of an application: held against the table, checked, and carried out on a copy."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import TypeVar

from portal.errors import Fault, PolicyRefusal, UsageError
from portal.ids import ApplicationId, DatasetName, PersonId, ProjectId
from portal.policy.model import Tier
from portal.policy.people import Narrowing, Person
from portal.vetting.application import (
    ASKED,
    CONDITIONS,
    LONGEST_TEXT,
    Amendment,
    Application,
    Condition,
    Draft,
    Finding,
    Ground,
    ReasonedRequest,
    Signature,
    State,
    Way,
)
from portal.vetting.table import Act, Role, open_to, row_for
from portal.vetting.undertakings import UNDERTAKINGS

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Found:
    """What goes with `find`."""

    condition: Condition
    met: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What goes with `amend`: the ground, and what could be given instead."""

    ground: Ground
    alternatives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """What goes with `settle`: whether the Coordinator accepts the amendment, and what it asks for from then on."""

    accepted: bool
    draft: Draft | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """What goes with `activate`: the project's id, and what each grant takes away."""

    project: ProjectId
    narrowings: Mapping[DatasetName, Narrowing] = field(default_factory=dict)


Content = Draft | str | Found | Asked | Settled | Opening | date | None


@dataclass(frozen=True, slots=True)
class Step:
    """Who does what when, in which role, and with which words.

    `content` goes with the act: a `Draft` to edit, an undertaking's key, `Found`, `Asked`, `Settled`, `Opening`, or the
    last day that a renewal asks for.
    """

    by: PersonId | None
    role: Role
    act: Act
    at: datetime
    words: str = ""
    content: Content = None


_STAFF: Mapping[Tier, Role] = MappingProxyType({Tier.STEWARD: Role.STEWARD, Tier.REVIEWER: Role.REVIEWER})
_NEED_WORDS = frozenset(
    {Act.ASK, Act.ANSWER, Act.FIND, Act.APPROVE, Act.REFUSE, Act.AMEND, Act.SETTLE, Act.RENEW, Act.REVOKE, Act.END}
)


def role_of(application: Application, person: Person) -> Role | None:
    """Return what the person may act as: on their own application as applicant only, so that nobody decides on it."""
    return Role.APPLICANT if person.id in application.people else _STAFF.get(person.tier)


def may_read(application: Application, person: Person) -> bool:
    """Whether the person is concerned: one of its people, or staff."""
    return role_of(application, person) is not None or person.tier is Tier.AUDITOR


def begin(application: ApplicationId, by: PersonId, draft: Draft, at: datetime) -> Application:
    """Return a new application for publicly accessible data (Art. 40(12))."""
    return Application(
        id=application, way=Way.PUBLIC_DATA, state=State.DRAFT, version=1, since=at.date(), applicant=by, draft=draft
    )


def receive(application: ApplicationId, request: ReasonedRequest) -> Application:
    """Return the application that a reasoned request is (Art. 40(4)); its first member speaks for the others."""
    return Application(
        id=application,
        way=Way.VETTED,
        state=State.SUBMITTED,
        version=1,
        since=request.received,
        received=request.received,
        applicant=request.members[0],
        draft=request.draft,
        reference=request.id,
        modalities=request.modalities,
    )


def take(application: Application, step: Step) -> Application:
    """Return the application after the step.

    Raises `PolicyRefusal` where the table does not have it, `UsageError`, with every fault, where something is missing.
    """
    row = row_for(application, step.role, step.act)
    if row is None:
        raise PolicyRefusal(_not_open(application, step))
    if faults := tuple(_faults(application, step)):
        raise UsageError(*faults)
    effect = _EFFECTS.get(step.act)
    changed = effect(application, step) if effect else application
    moved = {"since": step.at.date()} if row.to is not row.state else {}
    return changed.model_copy(update={"state": row.to, "version": application.version + 1, **moved})


def missing_for_access(application: Application, today: date) -> Iterator[Fault]:
    """Yield every condition of access that does not hold."""
    if application.state not in {State.APPROVED, State.ACTIVE, State.RENEWING}:
        yield _fault("NOT_APPROVED", f"The application is {application.state}.", "It must be approved first.")
    if today > application.draft.ends:
        yield _fault("ACCESS_OVER", f"The access asked for ended on {application.draft.ends}.", "Ask for a new one.")
    for person in sorted(application.draft.members):
        for undertaking in UNDERTAKINGS:
            if not application.has_signed(person, undertaking.key, undertaking.version):
                message = f"{person} has not given the undertaking {undertaking.key!r}, version {undertaking.version}."
                yield _fault("UNDERTAKING_MISSING", message, f"{person} gives it on the page of the application.")


def _not_open(application: Application, step: Step) -> Fault:
    acts = ", ".join(row.act for row in open_to(application, step.role))
    message = f"The application is {application.state}; a {step.role} cannot {step.act} it now."
    fix = f"What a {step.role} can do now: {acts}." if acts else "See whose turn it is in its timeline."
    return _fault("STEP_NOT_OPEN", message, fix)


def _faults(application: Application, step: Step) -> Iterator[Fault]:
    if step.act in _NEED_WORDS and not step.words.strip():
        yield _fault("WORDS_MISSING", f"To {step.act} needs reasons in words.", "Say why, for those who read them.")
    if len(step.words) > LONGEST_TEXT:
        yield _fault("WORDS_TOO_LONG", f"A text may have {LONGEST_TEXT:,} characters.", "Say it shorter.")
    check = _CHECKS.get((step.act, application.state)) or _CHECKS.get((step.act, None))
    if check:
        yield from check(application, step)


def _check_submission(application: Application, step: Step) -> Iterator[Fault]:
    for condition in ASKED[application.way]:
        if condition not in application.draft.conditions:
            message = f"Nothing is said of condition ({condition}) of Art. 40(8): {CONDITIONS[condition]}."
            yield _fault("CONDITION_UNSAID", message, "Say in the draft how it is met.")
    if application.draft.ends < step.at.date():
        yield _fault("ACCESS_OVER", f"The access asked for ended on {application.draft.ends}.", "Give later days.")


def _check_findings(application: Application, _: Step) -> Iterator[Fault]:
    for condition in ASKED[application.way]:
        finding = application.finding(condition)
        if finding is None or not finding.met:
            found = "is not looked at" if finding is None else "is not met"
            message = f"Condition ({condition}) of Art. 40(8) {found}: {CONDITIONS[condition]}."
            yield _fault("CONDITION_OPEN", message, "Find it met, ask the applicant, or refuse.")


def _check_undertaking(_: Application, step: Step) -> Iterator[Fault]:
    if step.content not in {undertaking.key for undertaking in UNDERTAKINGS}:
        known = ", ".join(undertaking.key for undertaking in UNDERTAKINGS)
        yield _fault("NO_SUCH_UNDERTAKING", "There is no such undertaking.", f"There are: {known}.")


def _check_renewal(application: Application, step: Step) -> Iterator[Fault]:
    if _content(step, date) <= max(application.draft.ends, step.at.date()):
        message = f"A renewal must end after {application.draft.ends}, and after today."
        yield _fault("RENEWAL_DAYS", message, "Give a later last day.")


def _check_expiry(application: Application, step: Step) -> Iterator[Fault]:
    if step.at.date() <= application.draft.ends:
        yield _fault("NOT_OVER", f"The access runs until {application.draft.ends}.", "Wait, end or revoke it.")


_CHECKS: Mapping[tuple[Act, State | None], Callable[[Application, Step], Iterator[Fault]]] = MappingProxyType(
    {
        (Act.SUBMIT, None): _check_submission,
        (Act.APPROVE, State.SUBMITTED): _check_findings,
        (Act.UNDERTAKE, None): _check_undertaking,
        (Act.ACTIVATE, None): lambda application, step: missing_for_access(application, step.at.date()),
        (Act.RENEW, None): _check_renewal,
        (Act.EXPIRE, None): _check_expiry,
    }
)


def _edit(application: Application, step: Step) -> Application:
    """Put another draft in place; what was found of the older one is found of it no longer."""
    return application.model_copy(update={"draft": _content(step, Draft), "findings": ()})


def _undertake(application: Application, step: Step) -> Application:
    version = next(each.version for each in UNDERTAKINGS if each.key == step.content)
    signature = Signature(undertaking=_content(step, str), version=version, by=_person(step), at=step.at)
    return application.model_copy(update={"signatures": (*application.signatures, signature)})


def _find(application: Application, step: Step) -> Application:
    found = _content(step, Found)
    finding = Finding(condition=found.condition, met=found.met, words=step.words, by=_person(step), at=step.at)
    return application.model_copy(update={"findings": (*application.findings, finding)})


def _amend(application: Application, step: Step) -> Application:
    asked = _content(step, Asked)
    amendment = Amendment(ground=asked.ground, words=step.words, alternatives=asked.alternatives, asked_at=step.at)
    return application.model_copy(update={"amendments": (*application.amendments, amendment)})


def _settle(application: Application, step: Step) -> Application:
    settled = _content(step, Settled)
    *others, last = application.amendments
    amendments = (*others, last.model_copy(update={"accepted": settled.accepted}))
    changes = {"amendments": amendments, "draft": settled.draft or application.draft, "received": step.at.date()}
    return application.model_copy(update=changes)


def _open(application: Application, step: Step) -> Application:
    return application.model_copy(update={"project": _content(step, Opening).project})


def _ask_renewal(application: Application, step: Step) -> Application:
    return application.model_copy(update={"renewal": _content(step, date)})


def _decide_renewal(application: Application, step: Step) -> Application:
    """End a wish for renewal, if there is one; where it is granted, the access lasts longer."""
    if application.renewal is None:
        return application
    draft = application.draft
    if step.act is Act.APPROVE:
        draft = draft.model_copy(update={"ends": application.renewal})
    return application.model_copy(update={"draft": draft, "renewal": None})


_EFFECTS: Mapping[Act, Callable[[Application, Step], Application]] = MappingProxyType(
    {
        Act.EDIT: _edit,
        Act.UNDERTAKE: _undertake,
        Act.FIND: _find,
        Act.AMEND: _amend,
        Act.SETTLE: _settle,
        Act.ACTIVATE: _open,
        Act.RENEW: _ask_renewal,
        Act.APPROVE: _decide_renewal,
        Act.REFUSE: _decide_renewal,
        Act.WITHDRAW: _decide_renewal,
    }
)


def _content(step: Step, kind: type[Value]) -> Value:
    if isinstance(step.content, kind):
        return step.content
    raise UsageError(_fault("CONTENT_MISSING", f"To {step.act} needs more than was given.", "See its help."))


def _person(step: Step) -> PersonId:
    assert step.by is not None, "the portal gives no undertaking and finds nothing"
    return step.by


def _fault(code: str, message: str, fix: str) -> Fault:
    return Fault(code, message, rule="vetting", fix=fix)
