from datetime import date, timedelta
from typing import Any

import pytest
from support.factories import BECAUSE, NOW, TODAY, a_dataset, a_grant, a_person, a_policy, a_project, a_request, a_rule

from portal.ids import DatasetName, PersonId, ProjectId
from portal.policy.decide import decide
from portal.policy.decision import Deny, Permit
from portal.policy.explain import explain
from portal.policy.model import Access, Tier
from portal.policy.people import Grant, Narrowing

CODEBOOK = a_rule(access="codebook", **{"for": {"tier": "vetted"}})
UNDERTAKING = a_rule(**{"for": {"tier": "vetted", "grant": "required", "undertakings": ["no-reidentification"]}})


def narrowed(**changes: Any) -> Grant:
    return a_grant(narrowing=Narrowing(**changes))


REFUSED = {
    "no policy file": a_request(policy=None),
    "no rule for the tier": a_request(person=a_person(Tier.PUBLIC)),
    "person no longer admitted": a_request(person=a_person(active=False)),
    "not a member": a_request(project=a_project(members=frozenset({PersonId("eve")}))),
    "project not begun": a_request(project=a_project(starts=TODAY + timedelta(1))),
    "project over": a_request(project=a_project(ends=TODAY - timedelta(1))),
    "no project chosen": a_request(project=None, grant=None),
    "no grant": a_request(grant=None),
    "grant of another dataset": a_request(grant=a_grant(dataset=DatasetName("other"))),
    "grant of another project": a_request(grant=a_grant(project=ProjectId("p2"))),
    "grant not begun": a_request(grant=a_grant(starts=TODAY + timedelta(1))),
    "grant over": a_request(grant=a_grant(ends=TODAY - timedelta(1))),
    "grant revoked": a_request(grant=a_grant(revoked_at=NOW)),
    "grant hides a column that is not there": a_request(grant=narrowed(hidden=frozenset({"prise"}))),
    "grant bounds days that are not there": a_request(grant=narrowed(since=TODAY), dataset=a_dataset(date_column=None)),
    "grant ends days that are not there": a_request(grant=narrowed(until=TODAY), dataset=a_dataset(date_column=None)),
    "grant filters by a column that is not there": a_request(grant=narrowed(rows="prise > 1")),
    "grant filters by what is no row rule": a_request(grant=narrowed(rows="price > (SELECT 1)")),
    "undertaking not given": a_request(policy=a_policy(UNDERTAKING), project=a_project(undertakings=frozenset())),
}
ALLOWED = {
    "everything in order": a_request(),
    "first day of the grant": a_request(grant=a_grant(starts=TODAY)),
    "last day of the grant": a_request(grant=a_grant(ends=TODAY)),
    "last day of the project": a_request(project=a_project(ends=TODAY)),
    "undertaking given": a_request(policy=a_policy(UNDERTAKING)),
    "rule without a grant": a_request(policy=a_policy(a_rule(**{"for": {"tier": "vetted"}})), grant=None, project=None),
}


@pytest.mark.parametrize("case", REFUSED)
def test_whatever_is_missing_the_answer_is_no_with_reasons_and_a_next_step(case: str) -> None:
    decision = decide(REFUSED[case])
    assert isinstance(decision, Deny)
    assert decision.reasons
    assert decision.next_steps
    assert decision.access is Access.NONE


@pytest.mark.parametrize("case", ALLOWED)
def test_with_everything_in_order_the_answer_is_yes_and_says_why(case: str) -> None:
    decision = decide(ALLOWED[case])
    assert isinstance(decision, Permit)
    assert decision.reasons == (BECAUSE,)


def test_the_first_fitting_rule_decides_and_missed_rules_say_what_would_open_more() -> None:
    decision = decide(a_request(policy=a_policy(a_rule(), CODEBOOK), grant=None))
    assert isinstance(decision, Permit)
    assert decision.access is Access.CODEBOOK
    assert "Ask the data steward for a grant." in decision.next_steps


def test_access_ends_with_whichever_of_project_and_grant_ends_first() -> None:
    decision = decide(a_request(project=a_project(ends=date(2026, 9, 1)), grant=a_grant(ends=date(2026, 10, 1))))
    assert isinstance(decision, Permit)
    assert decision.until == date(2026, 9, 1)


def test_every_column_has_an_obligation_and_a_grant_can_hide_more() -> None:
    rule = a_rule(columns={"id": "pseudonym"})
    grant = a_grant(narrowing=Narrowing(hidden=frozenset({"id", "price"})))
    request = a_request(policy=a_policy(rule), grant=grant)
    decision = decide(request)
    assert isinstance(decision, Permit)
    kinds = {name: duty.kind for name, duty in decision.obligations.columns.items()}
    assert kinds == dict.fromkeys(request.dataset.columns, "show") | {"id": "hide", "price": "hide"}


def test_row_rules_of_policy_embargo_and_grant_all_hold() -> None:
    rule = a_rule(rows="states && project.member_states", embargo={"column": "day", "days": 14})
    grant = a_grant(narrowing=Narrowing(rows="price > 1", since=date(2026, 3, 1), until=date(2026, 4, 1)))
    decision = decide(a_request(policy=a_policy(rule), grant=grant))
    assert isinstance(decision, Permit)
    assert [row.predicate for row in decision.obligations.rows] == [
        "(states && CAST(['DE', 'FR'] AS TEXT[])) IS TRUE",
        "(price > 1) IS TRUE",
        "(CAST(\"day\" AS DATE) <= DATE '2026-06-01') IS TRUE",
        "(CAST(\"day\" AS DATE) >= DATE '2026-03-01') IS TRUE",
        "(CAST(\"day\" AS DATE) <= DATE '2026-04-01') IS TRUE",
    ]


def test_a_row_may_be_shown_until_the_last_day_of_its_retention() -> None:
    decision = decide(a_request(policy=a_policy(a_rule(retention="day"))))
    assert isinstance(decision, Permit)
    (row,) = decision.obligations.rows
    assert row.bound is not None
    assert row.words == f"day >= {TODAY} (the end of retention)"
    assert row.bound.holds_for(TODAY, TODAY)
    assert row.bound.holds_for(TODAY - timedelta(1), TODAY - timedelta(1)) is False


@pytest.mark.parametrize("request_", [*REFUSED.values(), *ALLOWED.values()])
def test_every_decision_is_said_in_sentences(request_: object) -> None:
    sentences = explain(decide(request_))
    assert len(sentences) >= 2
    assert all(sentence.endswith(".") for sentence in sentences)
