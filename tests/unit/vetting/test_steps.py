from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.factories import a_person
from support.vetting import (
    ADA,
    BOB,
    NOW,
    a_draft,
    a_received_one,
    a_request,
    a_step,
    an_application,
    found_met,
    taken,
    undertaken,
)

from portal.errors import PolicyRefusal, UsageError
from portal.policy.model import Tier
from portal.vetting.application import ASKED, Application, Condition, Ground, State, Way
from portal.vetting.steps import Asked, Found, Settled, missing_for_access, role_of, take
from portal.vetting.table import NEXT, TABLE, Act, Role, next_step, open_to, reachable
from portal.vetting.working_days import Calendar

CALENDAR = Calendar()
AFTER = NOW.replace(year=2027)
OVER = {State.REFUSED, State.WITHDRAWN, State.ENDED, State.REVOKED}
A, S, R, P = Role.APPLICANT, Role.STEWARD, Role.REVIEWER, Role.PORTAL


def in_state(state: State, way: Way) -> Application:
    """Return an application on a way that leads there, all conditions of every step met."""
    first = an_application() if way is Way.PUBLIC_DATA else a_received_one()
    whole = undertaken(first)
    renewal = date(2027, 6, 30) if state is State.RENEWING else None
    if state is State.AMENDING and way is Way.VETTED:
        whole = taken(whole, (S, Act.AMEND))
    if way is Way.PUBLIC_DATA:
        whole = found_met(whole.model_copy(update={"state": State.SUBMITTED}))
    return whole.model_copy(update={"state": state, "renewal": renewal})


@pytest.mark.parametrize(("state", "role", "act", "way"), list(product(State, Role, Act, Way)))
def test_exactly_what_the_table_says_can_be_done(state: State, role: Role, act: Act, way: Way) -> None:
    application = in_state(state, way)
    rows = [row for row in TABLE if (row.state, row.role, row.act) == (state, role, act) and row.way in (None, way)]
    step = a_step(role, act, AFTER if act is Act.EXPIRE else NOW)
    if not rows:
        with pytest.raises(PolicyRefusal):
            take(application, step)
        return
    (row,) = rows
    after = take(application, step)
    assert (after.state, after.version) == (row.to, application.version + 1)
    assert after.since == (step.at.date() if row.to is not state else application.since)


@pytest.mark.parametrize(("state", "way"), list(product(State, Way)))
def test_the_next_step_always_has_an_owner_who_can_do_something_and_a_due_date(state: State, way: Way) -> None:
    application, comes_there = in_state(state, way), state in reachable(way)
    found = next_step(application, CALENDAR)
    assert (found is None) == (state in OVER or not comes_there)
    if found:
        assert found.due >= application.since
        # What the Coordinator decides, a steward writes down; what the portal ends is nobody's to forget.
        owner = S if found.owner is Role.COORDINATOR else found.owner
        assert open_to(application, owner)


def test_every_state_is_reached_on_some_way_and_from_each_there_is_an_end() -> None:
    assert {*reachable(Way.VETTED), *reachable(Way.PUBLIC_DATA)} == set(State)
    assert {state for state, _ in NEXT} == set(State) - OVER
    for state in set(State) - OVER:
        assert {row.to for row in TABLE if row.state is state} - {state}


def test_the_days_of_a_reasoned_request_run_from_its_receipt_whatever_is_asked_meanwhile() -> None:
    received = a_received_one()
    asked = taken(received, (R, Act.ASK), at=NOW + timedelta(days=5))
    answered = taken(asked, (A, Act.ANSWER), at=NOW + timedelta(days=9))
    first, then = next_step(received, CALENDAR), next_step(answered, CALENDAR)
    assert first
    assert then
    assert first.due == then.due == date(2026, 6, 30)


def test_a_provider_cannot_refuse_a_reasoned_request() -> None:
    assert all(row.way is Way.PUBLIC_DATA for row in TABLE if row.act is Act.REFUSE)


def test_only_the_two_grounds_of_the_law_ask_for_an_amendment_and_alternatives_are_due() -> None:
    assert {ground.value for ground in Ground} == {"lack-of-access", "significant-vulnerability"}
    with pytest.raises(ValidationError):
        take(a_received_one(), a_step(S, Act.AMEND, content=Asked(Ground.NO_ACCESS, ())))


def test_an_amendment_that_the_coordinator_accepts_changes_what_is_asked_for_and_one_declined_does_not() -> None:
    amending = taken(a_received_one(), (S, Act.AMEND))
    assert [each.accepted for each in amending.amendments] == [None]
    accepted = taken(amending, (S, Act.SETTLE))
    assert (accepted.draft.datasets, accepted.amendments[0].accepted) == (("holidays",), True)
    declined = take(amending, a_step(S, Act.SETTLE, content=Settled(accepted=False)))
    assert (declined.draft, declined.amendments[0].accepted) == (amending.draft, False)


@pytest.mark.parametrize("condition", ASKED[Way.PUBLIC_DATA])
def test_each_condition_must_be_said_to_submit_and_found_met_to_approve(condition: Condition) -> None:
    unsaid = a_draft(conditions={each: "So." for each in Condition if each is not condition})
    with pytest.raises(UsageError) as refused:
        taken(an_application().model_copy(update={"draft": unsaid}), (A, Act.SUBMIT))
    assert [fault.code for fault in refused.value.faults] == ["CONDITION_UNSAID"]
    looked_at = found_met(taken(an_application(), (A, Act.SUBMIT)))
    doubted = take(looked_at, a_step(R, Act.FIND, content=Found(condition, met=False)))
    with pytest.raises(UsageError) as refused:
        taken(doubted, (R, Act.APPROVE))
    assert [fault.code for fault in refused.value.faults] == ["CONDITION_OPEN"]
    assert taken(looked_at, (R, Act.APPROVE)).state is State.APPROVED


def test_another_draft_is_looked_at_anew() -> None:
    questioned = taken(found_met(taken(an_application(), (A, Act.SUBMIT))), (R, Act.ASK))
    assert taken(questioned, (A, Act.EDIT)).findings == ()


def test_access_waits_for_every_undertaking_of_every_member_in_its_present_version() -> None:
    two = undertaken(an_application(members=["ada", "bob"])).model_copy(update={"state": State.APPROVED})
    assert list(missing_for_access(two, NOW.date())) == []
    for number, signature in enumerate(two.signatures):
        others = two.signatures[:number] + two.signatures[number + 1 :]
        older = signature.model_copy(update={"version": 0})
        for signatures in (others, (*others, older)):
            (missing,) = missing_for_access(two.model_copy(update={"signatures": signatures}), NOW.date())
            assert missing.code == "UNDERTAKING_MISSING"
            assert signature.by in missing.message
    assert [fault.code for fault in missing_for_access(two, AFTER.date())] == ["ACCESS_OVER"]


def test_a_renewal_that_is_granted_lasts_longer_and_one_that_is_refused_or_taken_back_does_not() -> None:
    active = in_state(State.ACTIVE, Way.PUBLIC_DATA)
    renewing = taken(active, (A, Act.RENEW))
    assert taken(renewing, (R, Act.APPROVE)).draft.ends == date(2027, 6, 30)
    for role, act in ((R, Act.REFUSE), (A, Act.WITHDRAW)):
        after = taken(renewing, (role, act))
        assert (after.state, after.draft.ends, after.renewal) == (State.ACTIVE, active.draft.ends, None)
    with pytest.raises(UsageError):
        take(active, a_step(A, Act.RENEW, content=active.draft.ends))


def test_nobody_decides_on_their_own_application_whatever_they_are_otherwise() -> None:
    application = an_application(members=["ada", "bob"])
    for tier in Tier:
        assert role_of(application, a_person(tier, ADA)) is A
        assert role_of(application, a_person(tier, BOB)) is A
    roles = {tier: role_of(application, a_person(tier, "eve")) for tier in Tier}
    assert {tier: role for tier, role in roles.items() if role} == {Tier.STEWARD: S, Tier.REVIEWER: R}


def test_access_does_not_expire_on_its_last_day_and_does_on_the_next() -> None:
    active = in_state(State.ACTIVE, Way.VETTED)
    last = NOW.replace(month=12, day=31)
    with pytest.raises(UsageError):
        taken(active, (P, Act.EXPIRE), at=last)
    assert taken(active, (P, Act.EXPIRE), at=last + timedelta(days=1)).state is State.ENDED


@pytest.mark.parametrize("act", [Act.ASK, Act.APPROVE, Act.REFUSE])
def test_a_decision_without_reasons_is_none(act: Act) -> None:
    submitted = in_state(State.SUBMITTED, Way.PUBLIC_DATA)
    with pytest.raises(UsageError) as refused:
        take(submitted, a_step(R, act, words=" \n"))
    assert [fault.code for fault in refused.value.faults] == ["WORDS_MISSING"]


@given(st.text(max_size=300))
def test_any_text_is_kept_or_refused_in_words_and_comes_back_from_json(text: str) -> None:
    try:
        draft = a_draft(title=text, summary=text)
    except ValidationError:
        return
    application = an_application().model_copy(update={"draft": draft})
    assert Application.model_validate_json(application.model_dump_json()) == application


@pytest.mark.parametrize(
    "change",
    [
        {"datasets": []},
        {"datasets": ["x'; DROP TABLE people; --"]},
        {"members": []},
        {"ends": date(2020, 1, 1)},
        {"summary": "x" * 20_001},
        {"title": "two\nlines"},
        {"member_states": ["Germany"]},
        {"conditions": {"z": "?"}},
        {"unknown": 1},
    ],
    ids=str,
)
def test_what_is_no_application_is_refused(change: dict[str, object]) -> None:
    for build in (a_draft, a_request):
        with pytest.raises(ValidationError):
            build(**change)
