"""The decision: pure and total. The same facts give the same answer; whatever is missing, the answer is no."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from portal.catalogue.dataset import Dataset
from portal.fingerprints import fingerprint
from portal.policy.decision import DayBound, Decision, Deny, Obligations, Permit, RowRule
from portal.policy.model import Obligation, Policy, Rule
from portal.policy.people import Grant, Narrowing, Person, Project
from portal.policy.predicates import PredicateError, bind_predicate, check_predicate

SHOW, HIDE = Obligation(show=True), Obligation(hide=True)


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """Everything that a decision rests on. `policy` is None where a dataset has no policy file."""

    person: Person
    project: Project | None
    grant: Grant | None
    dataset: Dataset
    policy: Policy | None
    now: datetime


def decide(request: AccessRequest) -> Decision:
    """Answer whether, how far and under which obligations; with the reasons, and what would change the answer."""
    standing = _standing_faults(request)
    if standing:
        return _deny(request, standing)
    if request.policy is None:
        return _deny(request, {"This dataset has no policy, so nobody gets in.": "Ask the data steward."})
    missed: dict[str, str] = {}
    for rule in request.policy.rules:
        if rule.audience.tier is request.person.tier:
            faults = _audience_faults(rule, request)
            if not faults:
                return _permit(rule, request, tuple(dict.fromkeys(missed.values())))
            missed |= faults
    no_rule = {
        f"The policy has no rule for the tier {request.person.tier}.": "See the dataset's policy for who may use it."
    }
    return _deny(request, missed or no_rule)


def _standing_faults(request: AccessRequest) -> dict[str, str]:
    """Return what stands against this person or project whatever the policy says: reason -> next step."""
    today = request.now.date()
    project = request.project
    faults: dict[str, str] = {}
    if not request.person.active:
        faults["This person is no longer admitted."] = "Write to the portal's point of contact."
    if project is not None:
        if request.person.id not in project.members:
            faults["You are not a member of this project."] = "Choose one of your own projects."
        if today < project.starts:
            faults[f"The project starts on {project.starts}."] = f"Come back on {project.starts}."
        if today > project.ends:
            faults[f"The project ended on {project.ends}."] = "Ask the Digital Services Coordinator to extend it."
    return faults


def _audience_faults(rule: Rule, request: AccessRequest) -> dict[str, str]:
    """Return what keeps this person out of this rule's audience: reason -> next step."""
    faults: dict[str, str] = {}
    project, today = request.project, request.now.date()
    if rule.audience.grant == "required":
        faults |= _grant_faults(request.grant, project, today, request.dataset)
    given = project.undertakings if project else frozenset()
    for missing in sorted(set(rule.audience.undertakings) - given):
        faults[f"The project has not given the undertaking {missing!r}."] = f"Give the undertaking {missing!r}."
    return faults


def _grant_faults(grant: Grant | None, project: Project | None, today: date, dataset: Dataset) -> dict[str, str]:
    if project is None:
        return {"Access is given to projects, and none is chosen.": "Choose a project."}
    if grant is None or grant.dataset != dataset.name or grant.project != project.id:
        return {"The project holds no grant for this dataset.": "Ask the data steward for a grant."}
    if grant.revoked_at is not None:
        return {"The grant for this dataset was ended.": "Ask the data steward why, and how to renew it."}
    if not grant.is_active(today):
        return {f"The grant runs from {grant.starts} to {grant.ends}.": "Ask the data steward to renew the grant."}
    if not _fits(grant.narrowing, dataset):
        return {"The grant takes away what this dataset does not have.": "Ask the data steward to give the grant anew."}
    return {}


def _fits(narrowing: Narrowing, dataset: Dataset) -> bool:
    """Whether all that a grant takes away can be taken away; what cannot must not be passed over."""
    try:
        check_predicate(narrowing.rows or "true", dataset.columns)
    except PredicateError:
        return False
    has_days = dataset.date_column is not None or (narrowing.since, narrowing.until) == (None, None)
    return has_days and narrowing.hidden <= set(dataset.columns)


def _permit(rule: Rule, request: AccessRequest, next_steps: tuple[str, ...]) -> Permit:
    assert request.policy is not None
    project, grant = request.project, request.grant if rule.audience.grant == "required" else None
    ends = [day for day in (project and project.ends, grant and grant.ends) if day]
    obligations = Obligations(
        access=rule.access,
        columns=_column_obligations(rule, request.dataset, grant),
        rows=_row_rules(rule, request, grant),
        download=rule.download,
        limits=rule.limits,
        disclosure=rule.disclosure,
        policy=fingerprint(request.policy.model_dump(mode="json", by_alias=True)),
    )
    return Permit(request.dataset.name, obligations, (rule.because,), min(ends, default=None), next_steps)


def _column_obligations(rule: Rule, dataset: Dataset, grant: Grant | None) -> Mapping[str, Obligation]:
    hidden = grant.narrowing.hidden if grant else frozenset()
    return {name: HIDE if name in hidden else rule.columns.get(name, SHOW) for name in dataset.columns}


def _row_rules(rule: Rule, request: AccessRequest, grant: Grant | None) -> tuple[RowRule, ...]:
    dataset, today = request.dataset, request.now.date()
    values = {"member_states": request.project.member_states if request.project else ()}
    texts = [rule.rows, grant.narrowing.rows if grant else None]
    rules = [RowRule(bind_predicate(text, dataset.columns, values), text) for text in texts if text]
    if rule.embargo is not None:
        newest = today - timedelta(days=rule.embargo.days)
        rules.append(_bound(rule.embargo.column, "<=", newest, f"embargo of {rule.embargo.days} days"))
    if rule.retention is not None:
        rules.append(_bound(rule.retention, ">=", today, "the end of retention"))
    if grant is not None and dataset.date_column is not None:
        since, until = grant.narrowing.since, grant.narrowing.until
        rules += [_bound(dataset.date_column, ">=", since, "the grant's first day")] if since else []
        rules += [_bound(dataset.date_column, "<=", until, "the grant's last day")] if until else []
    return tuple(rules)


def _bound(column: str, comparison: Literal[">=", "<="], day: date, why: str) -> RowRule:
    bound = DayBound(column, comparison, day)
    return RowRule(bound.predicate, f"{column} {comparison} {day} ({why})", bound)


def _deny(request: AccessRequest, faults: Mapping[str, str]) -> Deny:
    return Deny(request.dataset.name, tuple(faults), tuple(dict.fromkeys(faults.values())))
