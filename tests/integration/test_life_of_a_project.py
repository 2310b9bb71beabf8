"""From a reasoned request, or an application, to the end of the access, on either database; the ledger tells it all."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Barrier
from time import monotonic, sleep

import pytest
from pydantic import ValidationError
from support.portal import OSCAR, RITA, SALES, VERA, a_portal, hidden_in
from support.records import HOSTILE_TEXTS
from support.vetting import NOW, a_draft, a_request
from support.vetting import SALES as SALES_DATA

from portal.desk import vetting
from portal.desk.answers import Asker
from portal.desk.downloads import open_download
from portal.desk.granting import give_grant, withdraw_dataset
from portal.desk.making import make_download
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.desk.workers import ended_removed
from portal.errors import NotFoundError, PolicyRefusal, PortalError, UsageError
from portal.ids import ApplicationId, DatasetName, PersonId, ProjectId
from portal.ledger import Action
from portal.policy.model import Tier
from portal.policy.people import Grant, Narrowing, Person
from portal.registry import Audit
from portal.sql.plan import Statement
from portal.vetting.application import Application, Condition, Ground, State
from portal.vetting.notices import Event
from portal.vetting.steps import Asked, Found, Opening, Settled
from portal.vetting.table import Act
from portal.vetting.undertakings import UNDERTAKINGS

pytestmark = pytest.mark.usefixtures("each_database")
STELLA, ROB, RUTH, AUD = (PersonId(name) for name in ("stella", "rob", "ruth", "aud"))
TOYS = ProjectId("toys")
ASKER = Asker(VERA, TOYS)
STAFF = {STELLA: Tier.STEWARD, ROB: Tier.REVIEWER, RUTH: Tier.REVIEWER, AUD: Tier.AUDITOR}
OPENED = NOW + timedelta(days=20)
"""A day on which the access that is asked for has begun."""


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with a_portal(tmp_path, lambda: NOW) as portal:
        for person, tier in STAFF.items():
            portal.registry.add_person(Person(person, person.title(), tier), audit=Audit(None, NOW))
        yield portal


def at(services: Services, moment: datetime) -> Services:
    return replace(services, clock=lambda: moment)


def received(services: Services, **changes: object) -> ApplicationId:
    return vetting.import_request(services, STELLA, a_request(**({"members": ["vera"]} | changes))).id


def undertake_all(services: Services, application: ApplicationId, *people: PersonId) -> None:
    for person in people:
        for undertaking in UNDERTAKINGS:
            vetting.act(services, person, application, Act.UNDERTAKE, content=undertaking.key)


def opened(services: Services, **changes: object) -> ApplicationId:
    application = received(services, **changes)
    undertake_all(services, application, VERA)
    vetting.act(services, ROB, application, Act.APPROVE, words="Complete.")
    vetting.act(services, STELLA, application, Act.ACTIVATE, content=Opening(TOYS))
    return application


def codes(refused: pytest.ExceptionInfo[PortalError]) -> list[str]:
    return [fault.code for fault in refused.value.faults]


def test_a_reasoned_request_lives_from_its_receipt_to_its_revocation(services: Services) -> None:
    application = received(services)
    with pytest.raises(UsageError):
        received(services)
    for do in (vetting.view_application, vetting.timeline):
        with pytest.raises(NotFoundError):
            do(services, OSCAR, application)

    vetting.act(
        services, STELLA, application, Act.AMEND, words="Prices.", content=Asked(Ground.VULNERABILITY, ("bands",))
    )
    vetting.act(services, STELLA, application, Act.SETTLE, words="Declined.", content=Settled(accepted=False))
    vetting.act(services, ROB, application, Act.ASK, words="Which toys?")
    vetting.act(services, VERA, application, Act.ANSWER, words="All of them.")
    vetting.act(services, ROB, application, Act.APPROVE, words="Complete.")
    with pytest.raises(UsageError) as refused:
        vetting.act(services, STELLA, application, Act.ACTIVATE, content=Opening(TOYS))
    assert set(codes(refused)) == {"UNDERTAKING_MISSING"}
    undertake_all(services, application, VERA)
    assert services.registry.project(TOYS) is None
    narrowed = Opening(TOYS, {SALES_DATA: Narrowing(hidden=frozenset({"price"}))})
    vetting.act(services, STELLA, application, Act.ACTIVATE, content=narrowed)

    running = at(services, OPENED)
    answer = run_statement(running, ASKER, Statement(SALES))
    assert answer.table()["price"].null_count == answer.receipt.rows > 0
    ticket = make_download(running, ASKER, Statement(SALES + " LIMIT 1"), "csv")
    record, file = open_download(running, ASKER, ticket.id)
    audit = Audit(VERA, OPENED)
    _, secret = services.registry.issue_token(VERA, TOYS, "laptop", OPENED + timedelta(days=90), audit=audit)
    copies = services.workspaces.root / TOYS / "sales"
    assert list(copies.glob("*.parquet"))

    renew(running, application)
    assert run_statement(running, ASKER, Statement(SALES)).table()["price"].null_count > 0

    vetting.act(running, STELLA, application, Act.REVOKE, words="Condition (b) is met no longer.")
    with pytest.raises(PortalError):
        run_statement(running, ASKER, Statement(SALES))
    with pytest.raises(PortalError):
        open_download(running, ASKER, ticket.id)
    assert services.registry.resolve_token(secret, OPENED) is None
    assert [path.exists() for path in (file, answer.spool, copies)] == [False] * 3
    assert services.registry.download(record.id) == record
    check_what_is_told(running, application)


def renew(running: Services, application: ApplicationId) -> None:
    later = date(2027, 3, 31)
    vetting.act(running, STELLA, application, Act.RENEW, words="DSC-1a extends it.", content=later)
    vetting.act(running, ROB, application, Act.APPROVE, words="As requested.")
    project, grant = running.registry.project(TOYS), running.registry.grant(SALES_DATA, TOYS, later)
    assert project is not None
    assert grant is not None
    assert (project.ends, grant.ends, grant.narrowing.hidden) == (later, later, {"price"})


def check_what_is_told(services: Services, application: ApplicationId) -> None:
    told = vetting.notices_for(services, STELLA)
    assert [(notice.event, notice.due) for notice in told] == [
        (Event.GIVEN, date(2026, 6, 18)),
        (Event.GIVEN, date(2026, 7, 8)),
        (Event.ENDED, date(2026, 7, 8)),
    ]
    assert "Condition (b)" in told[-1].text
    vetting.mark_notice_sent(services, STELLA, told[-1].number)
    with pytest.raises(NotFoundError):
        vetting.mark_notice_sent(services, STELLA, told[-1].number)
    assert services.ledger.verify(services.ledger.checkpoint()) == ()
    acts = [entry.details.get("act", entry.action) for entry in vetting.timeline(services, VERA, application)]
    assert acts == [
        "receive", "amend", "settle", "ask", "answer", "approve", *["undertake"] * 3, "activate", "notice-drafted",
        "renew", "approve", "notice-drafted", "revoke", "notice-drafted", "notice-sent",
    ]  # fmt: skip
    about = services.ledger.search(dataset=SALES_DATA, subject=application)
    assert [entry.details["act"] for entry in about] == ["receive"]
    stream = io.StringIO()
    services.ledger.export(stream)
    assert hidden_in(stream.getvalue()) == []


def test_an_application_for_public_data_is_looked_at_condition_by_condition(services: Services) -> None:
    draft = a_draft(members=["rita"], datasets=["holidays"], title="Café ﷺ '; DROP TABLE people; --")
    application = vetting.start_application(services, RITA, draft).id
    vetting.act(services, RITA, application, Act.SUBMIT)
    undertake_all(services, application, RITA)
    for condition in (Condition.INDEPENDENCE, Condition.FUNDING, Condition.SECURITY, Condition.NECESSITY):
        with pytest.raises(UsageError) as refused:
            vetting.act(services, ROB, application, Act.APPROVE, words="So be it.")
        assert codes(refused)[0] == "CONDITION_OPEN"
        vetting.act(services, ROB, application, Act.FIND, words="Seen.", content=Found(condition, met=True))
    vetting.act(services, ROB, application, Act.APPROVE, words="All are met.")
    vetting.act(services, STELLA, application, Act.ACTIVATE, content=Opening(TOYS))
    rows = run_statement(at(services, OPENED), Asker(RITA, TOYS), Statement("SELECT day FROM holidays")).receipt.rows
    assert rows == 2
    assert vetting.notices_for(services, AUD) == ()
    ended = at(services, datetime(2027, 1, 1, tzinfo=NOW.tzinfo))
    assert [each.id for each in vetting.expire_applications(ended)] == [application]
    assert vetting.expire_applications(ended) == ()
    again = vetting.copy_application(ended, RITA, application)
    assert (again.state, again.draft, again.signatures) == (State.DRAFT, draft, ())


def test_two_reviewers_at_once_one_decides_and_the_other_is_told(services: Services) -> None:
    application = received(services)
    seen, together = vetting.view_application(services, ROB, application).application.version, Barrier(2)

    def decide(reviewer: PersonId, what: Act) -> Application | PortalError:
        together.wait()
        try:
            return vetting.act(services, reviewer, application, what, words=f"{reviewer} says so.", seen=seen)
        except PortalError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(decide, (ROB, RUTH), (Act.APPROVE, Act.ASK)))
    (won,) = [each for each in found if isinstance(each, Application)]
    (told,) = [each for each in found if isinstance(each, PolicyRefusal)]
    assert [fault.code for fault in told.faults] == ["APPLICATION_CHANGED"]
    assert vetting.view_application(services, AUD, application).application == won
    assert len(vetting.timeline(services, VERA, application)) == 2


def test_a_reviewer_decides_on_no_application_of_their_own(services: Services) -> None:
    application = received(services, members=["vera", "rob"])
    for what in (Act.APPROVE, Act.ASK):
        with pytest.raises(PolicyRefusal):
            vetting.act(services, ROB, application, what, words="Mine.")
    for person in (AUD, STELLA, VERA):
        with pytest.raises(PolicyRefusal):
            vetting.act(services, person, application, Act.APPROVE, words="Why not.")
    assert vetting.act(services, RUTH, application, Act.APPROVE, words="Complete.").state is State.APPROVED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"datasets": ["sales", "unknown"]}, "NO_SUCH_DATASET"),
        ({"members": ["vera", "rita"]}, "MEMBER_NOT_ADMITTED"),
        ({"members": ["vera", "oscar"]}, "UNDERTAKING_MISSING"),
    ],
)
def test_access_that_cannot_be_opened_whole_is_not_opened_at_all(
    services: Services, changes: dict[str, object], code: str
) -> None:
    application = received(services, **changes)
    signing = VERA, RITA if "rita" in str(changes) else VERA
    undertake_all(services, application, *signing)
    vetting.act(services, ROB, application, Act.APPROVE, words="Complete.")
    before = vetting.view_application(services, STELLA, application), services.ledger.tail(1)
    with pytest.raises(UsageError) as refused:
        vetting.act(services, STELLA, application, Act.ACTIVATE, content=Opening(TOYS))
    assert code in codes(refused)
    assert (vetting.view_application(services, STELLA, application), services.ledger.tail(1)) == before
    assert services.registry.project(TOYS) is None


def test_a_project_that_has_an_application_gets_no_grant_beyond_it(services: Services) -> None:
    application, audit = opened(services), Audit(None, OPENED)
    inside = Grant(SALES_DATA, TOYS, date(2026, 7, 1), date(2026, 12, 31))
    give_grant(services, replace(inside, narrowing=Narrowing(hidden=frozenset({"price"}))), audit)
    for beyond, code in (
        (replace(inside, dataset=DatasetName("traders")), "NOT_ASKED_FOR"),
        (replace(inside, ends=date(2027, 1, 1)), "GRANT_DAYS"),
    ):
        with pytest.raises(UsageError) as refused:
            give_grant(services, beyond, audit)
        assert codes(refused) == [code]
    vetting.act(services, STELLA, application, Act.END, words="They are done.")
    with pytest.raises(UsageError) as refused:
        give_grant(services, inside, audit)
    assert "NOT_ACTIVE" in codes(refused)


def test_a_dataset_that_is_withdrawn_is_gone_for_every_project_and_the_coordinator_is_told(services: Services) -> None:
    opened(services)
    running = at(services, OPENED)
    answer = run_statement(running, ASKER, Statement(SALES))
    assert withdraw_dataset(running, SALES_DATA, Audit(None, OPENED)) == ("goods", "toys")
    for project in (TOYS, ProjectId("goods")):
        with pytest.raises(PortalError):
            run_statement(running, Asker(VERA, project), Statement(SALES))
    assert not answer.spool.exists()
    assert [notice.event for notice in vetting.notices_for(services, STELLA)] == [Event.GIVEN, Event.ENDED]


def test_a_portal_that_serves_ends_by_itself_what_is_over_by_its_date(services: Services) -> None:
    application = opened(services)
    answer = run_statement(at(services, OPENED), ASKER, Statement(SALES))
    deadline = monotonic() + 60
    with ended_removed(at(services, datetime(2027, 1, 1, tzinfo=NOW.tzinfo))):
        while answer.spool.exists() and monotonic() < deadline:
            sleep(0.1)
    assert not answer.spool.exists()
    assert vetting.view_application(services, VERA, application).application.state is State.ENDED
    (last,) = services.ledger.search(subject=application, action=Action.APPLICATION_CHANGED, limit=1)
    assert (last.actor, last.details["act"]) == (None, "expire")


def test_a_clock_that_jumps_back_opens_nothing_that_ended(services: Services) -> None:
    application = opened(services)
    assert run_statement(at(services, OPENED), ASKER, Statement(SALES)).receipt.rows > 0
    vetting.expire_applications(at(services, datetime(2027, 1, 1, tzinfo=NOW.tzinfo)))
    assert vetting.view_application(services, VERA, application).application.state is State.ENDED
    with pytest.raises(PortalError):
        run_statement(at(services, OPENED), ASKER, Statement(SALES))
    assert services.ledger.verify() == ()


@pytest.mark.parametrize("hostile", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_hostile_text_in_every_field_is_refused_or_kept_as_it_was(services: Services, hostile: str) -> None:
    def is_kept(**changes: object) -> bool:
        try:
            draft = a_draft(**({"members": ["rita"]} | changes))
        except ValidationError:
            return False
        made = vetting.start_application(services, RITA, draft)
        return vetting.view_application(services, RITA, made.id).application == made

    fields = {"title": hostile, "summary": hostile, "members": ["rita", hostile], "conditions": {"b": hostile}}
    assert {is_kept(**{name: value}) for name, value in fields.items()} <= {True, False}
    application = received(services, id=hostile if is_kept(title=hostile) else "DSC-2")
    for person, what in ((ROB, Act.ASK), (VERA, Act.ANSWER)):
        try:
            vetting.act(services, person, application, what, words=hostile)
        except UsageError:
            return
        assert vetting.timeline(services, VERA, application)[-1].details["words"] == hostile
    assert services.ledger.verify() == ()
