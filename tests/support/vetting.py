"""Applications for tests: one of each way, and what is done to them on the shortest road to access."""

from datetime import UTC, date, datetime
from typing import Any

from portal.ids import ApplicationId, DatasetName, PersonId, ProjectId
from portal.vetting.application import ASKED, Application, Condition, Draft, Ground, ReasonedRequest
from portal.vetting.steps import Asked, Content, Found, Opening, Settled, Step, begin, receive, take
from portal.vetting.table import Act, Role
from portal.vetting.undertakings import UNDERTAKINGS

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)  # a Monday
ADA, BOB = PersonId("ada"), PersonId("bob")
STAFF = {Role.STEWARD: PersonId("stella"), Role.REVIEWER: PersonId("rob"), Role.PORTAL: None}


def draft_facts(**changes: Any) -> dict[str, Any]:
    return {
        "title": "Toys",
        "summary": "How long unsafe toys stay.",
        "datasets": ["sales"],
        "starts": date(2026, 7, 1),
        "ends": date(2026, 12, 31),
        "members": ["ada"],
        "member_states": ["DE", "FR"],
        "conditions": dict.fromkeys(Condition, "As we say."),
    } | changes


def a_draft(**changes: Any) -> Draft:
    return Draft.model_validate(draft_facts(**changes))


def a_request(**changes: Any) -> ReasonedRequest:
    facts = {"id": "DSC-1", "received": NOW.date(), "modalities": ["secure environment"]}
    return ReasonedRequest.model_validate(draft_facts(**(facts | changes)))


def an_application(**changes: Any) -> Application:
    return begin(ApplicationId("a1"), ADA, a_draft(**changes), NOW)


def a_received_one(**changes: Any) -> Application:
    return receive(ApplicationId("a1"), a_request(**changes))


CONTENTS: dict[Act, Content] = {
    Act.EDIT: a_draft(title="Better toys"),
    Act.UNDERTAKE: UNDERTAKINGS[0].key,
    Act.FIND: Found(Condition.FUNDING, met=True),
    Act.AMEND: Asked(Ground.VULNERABILITY, ("banded prices",)),
    Act.SETTLE: Settled(accepted=True, draft=a_draft(datasets=["holidays"])),
    Act.ACTIVATE: Opening(ProjectId("toys")),
    Act.RENEW: date(2027, 6, 30),
}
"""What fits each act."""


def a_step(role: Role, act: Act, at: datetime = NOW, words: str = "For a reason.", **changes: Any) -> Step:
    by = STAFF.get(role, ADA)
    return Step(by, role, act, at, words, changes.get("content", CONTENTS.get(act)))


def taken(application: Application, *steps: tuple[Role, Act], at: datetime = NOW) -> Application:
    for role, act in steps:
        application = take(application, a_step(role, act, at))
    return application


def undertaken(application: Application) -> Application:
    for undertaking in UNDERTAKINGS:
        for member in application.draft.members:
            step = Step(member, Role.APPLICANT, Act.UNDERTAKE, NOW, content=undertaking.key)
            application = take(application, step)
    return application


def found_met(application: Application) -> Application:
    for condition in ASKED[application.way]:
        application = take(application, a_step(Role.REVIEWER, Act.FIND, content=Found(condition, met=True)))
    return application


SALES, HOLIDAYS = DatasetName("sales"), DatasetName("holidays")
