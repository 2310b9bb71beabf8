"""The state machine, as a table: who may do what in which state, and where it leads. Nothing else decides this."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from portal.vetting.application import Application, State, Way
from portal.vetting.working_days import Calendar


class Role(StrEnum):
    """What somebody is to an application. The Coordinator has no account here: a steward writes down what it says."""

    APPLICANT = "applicant"
    STEWARD = "steward"
    REVIEWER = "reviewer"
    COORDINATOR = "coordinator"
    PORTAL = "portal"


class Act(StrEnum):
    """What can be done to an application."""

    EDIT = "edit"
    UNDERTAKE = "undertake"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    COPY = "copy"
    FIND = "find"
    ASK = "ask"
    ANSWER = "answer"
    APPROVE = "approve"
    REFUSE = "refuse"
    AMEND = "amend"
    SETTLE = "settle"
    ACTIVATE = "activate"
    RENEW = "renew"
    END = "end"
    REVOKE = "revoke"
    EXPIRE = "expire"


@dataclass(frozen=True, slots=True)
class Row:
    """In `state`, a `role` may do `act`, which leads to `to`; where `way` is given, on that way only."""

    state: State
    role: Role
    act: Act
    to: State
    way: Way | None = None


def _rows(role: Role, act: Act, steps: Mapping[State, State], way: Way | None = None) -> tuple[Row, ...]:
    return tuple(Row(state, role, act, to, way) for state, to in steps.items())


def _staying(*states: State) -> Mapping[State, State]:
    return {state: state for state in states}


_FIRST: Mapping[Way, State] = MappingProxyType({Way.PUBLIC_DATA: State.DRAFT, Way.VETTED: State.SUBMITTED})
_OVER = (State.REFUSED, State.WITHDRAWN, State.ENDED, State.REVOKED)
_WITHDRAWN = dict.fromkeys((State.SUBMITTED, State.QUESTIONED, State.APPROVED), State.WITHDRAWN)

TABLE: tuple[Row, ...] = (
    *_rows(Role.APPLICANT, Act.EDIT, _staying(State.DRAFT, State.QUESTIONED), Way.PUBLIC_DATA),
    *_rows(
        Role.APPLICANT,
        Act.UNDERTAKE,
        _staying(State.DRAFT, State.SUBMITTED, State.QUESTIONED, State.APPROVED, State.ACTIVE, State.RENEWING),
    ),
    *_rows(Role.APPLICANT, Act.SUBMIT, {State.DRAFT: State.SUBMITTED}, Way.PUBLIC_DATA),
    *_rows(Role.APPLICANT, Act.WITHDRAW, {State.DRAFT: State.WITHDRAWN, **_WITHDRAWN, State.RENEWING: State.ACTIVE}),
    *_rows(Role.APPLICANT, Act.ANSWER, {State.QUESTIONED: State.SUBMITTED}),
    *_rows(Role.APPLICANT, Act.RENEW, {State.ACTIVE: State.RENEWING}, Way.PUBLIC_DATA),
    *_rows(Role.APPLICANT, Act.END, dict.fromkeys((State.ACTIVE, State.RENEWING), State.ENDED)),
    *_rows(Role.APPLICANT, Act.COPY, _staying(*_OVER), Way.PUBLIC_DATA),
    *_rows(Role.REVIEWER, Act.FIND, _staying(State.SUBMITTED), Way.PUBLIC_DATA),
    *_rows(Role.REVIEWER, Act.ASK, {State.SUBMITTED: State.QUESTIONED}),
    *_rows(Role.REVIEWER, Act.APPROVE, {State.SUBMITTED: State.APPROVED, State.RENEWING: State.ACTIVE}),
    # A provider cannot refuse a reasoned request; it may ask for an amendment.
    *_rows(Role.REVIEWER, Act.REFUSE, {State.SUBMITTED: State.REFUSED, State.RENEWING: State.ACTIVE}, Way.PUBLIC_DATA),
    *_rows(Role.STEWARD, Act.AMEND, {State.SUBMITTED: State.AMENDING}, Way.VETTED),
    *_rows(Role.STEWARD, Act.SETTLE, {State.AMENDING: State.SUBMITTED}, Way.VETTED),
    *_rows(
        Role.STEWARD,
        Act.WITHDRAW,
        {**_WITHDRAWN, State.AMENDING: State.WITHDRAWN, State.RENEWING: State.ACTIVE},
        Way.VETTED,
    ),
    *_rows(Role.STEWARD, Act.ACTIVATE, {State.APPROVED: State.ACTIVE}),
    *_rows(Role.STEWARD, Act.RENEW, {State.ACTIVE: State.RENEWING}, Way.VETTED),
    *_rows(Role.STEWARD, Act.END, dict.fromkeys((State.ACTIVE, State.RENEWING), State.ENDED)),
    *_rows(Role.STEWARD, Act.REVOKE, dict.fromkeys((State.ACTIVE, State.RENEWING), State.REVOKED)),
    *_rows(Role.PORTAL, Act.EXPIRE, dict.fromkeys((State.ACTIVE, State.RENEWING), State.ENDED)),
)


@dataclass(frozen=True, slots=True)
class Next:
    """Whose turn it is in a state, for what, and how many days they have; `days` None: until the access ends.

    Days count from when the application came to its state, or `from_receipt` of the reasoned request.
    """

    owner: Role
    words: str
    days: int | None
    are_working_days: bool = True
    from_receipt: bool = False


NEXT: Mapping[tuple[State, Way], Next] = MappingProxyType(
    {
        (State.DRAFT, Way.PUBLIC_DATA): Next(Role.APPLICANT, "complete the application and submit it", 40),
        (State.SUBMITTED, Way.PUBLIC_DATA): Next(Role.REVIEWER, "look at each condition, and decide", 10),
        (State.SUBMITTED, Way.VETTED): Next(
            Role.REVIEWER,
            "approve, or have an amendment asked for within the days of Art. 40(5)",
            15,
            are_working_days=False,
            from_receipt=True,
        ),
        (State.QUESTIONED, Way.PUBLIC_DATA): Next(Role.APPLICANT, "answer what was asked", 10),
        (State.QUESTIONED, Way.VETTED): Next(Role.APPLICANT, "answer what was asked", 5),
        (State.AMENDING, Way.VETTED): Next(
            Role.COORDINATOR, "decide on the amendment within the days of Art. 40(6)", 15, are_working_days=False
        ),
        (State.APPROVED, Way.PUBLIC_DATA): Next(
            Role.STEWARD, "open the project once all have given the undertakings", 5
        ),
        (State.APPROVED, Way.VETTED): Next(Role.STEWARD, "open the project once all have given the undertakings", 5),
        (State.ACTIVE, Way.PUBLIC_DATA): Next(Role.APPLICANT, "end the research, or ask for its renewal", None),
        (State.ACTIVE, Way.VETTED): Next(Role.STEWARD, "end the access, unless the Coordinator extends it", None),
        (State.RENEWING, Way.PUBLIC_DATA): Next(Role.REVIEWER, "decide on the renewal", 10),
        (State.RENEWING, Way.VETTED): Next(Role.REVIEWER, "decide on the renewal", 10),
    }
)
"""In every state that is not the end, on either way."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """Who does what until when."""

    owner: Role
    words: str
    due: date


def next_step(application: Application, calendar: Calendar) -> NextStep | None:
    """Return the next step; None where the application is over."""
    found = NEXT.get((application.state, application.way))
    if found is None:
        return None
    if found.days is None:
        return NextStep(found.owner, found.words, application.draft.ends)
    count = calendar.after_working_days if found.are_working_days else calendar.after_days
    start = application.received if found.from_receipt and application.received else application.since
    return NextStep(found.owner, found.words, count(start, found.days))


def reachable(way: Way) -> tuple[State, ...]:
    """Return the states that an application can come to on a way."""
    found = {_FIRST[way]}
    for _ in State:
        found |= {row.to for row in TABLE if row.state in found and row.way in (None, way)}
    return tuple(state for state in State if state in found)


def row_for(application: Application, role: Role, act: Act) -> Row | None:
    """Return the row of the table that allows this; None where none does."""
    return next((row for row in open_to(application, role) if row.act is act), None)


def open_to(application: Application, role: Role) -> tuple[Row, ...]:
    """Return what the role may do to the application as it stands."""
    return tuple(
        row
        for row in TABLE
        if (row.state, row.role) == (application.state, role) and row.way in (None, application.way)
    )
