"""Builds small, valid values; a test names only what it varies."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from portal.catalogue.dataset import Dataset
from portal.ids import DatasetName, PersonId, ProjectId
from portal.policy.decide import AccessRequest
from portal.policy.model import Policy, Tier
from portal.policy.people import Grant, Narrowing, Person, Project

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
TODAY = NOW.date()
BECAUSE = "Because a test needs a reason of some length."

COLUMNS: Mapping[str, Mapping[str, Any]] = {
    "id": {"type": "VARCHAR", "meaning": "Identifier."},
    "country": {"type": "VARCHAR", "meaning": "Member State."},
    "states": {"type": "VARCHAR[]", "meaning": "Member States concerned."},
    "price": {"type": "DOUBLE", "meaning": "Price in euro.", "unit": "EUR"},
    "units": {"type": "INTEGER", "meaning": "Units sold."},
    "day": {"type": "DATE", "meaning": "Day."},
}


def a_dataset(name: str = "sales", **changes: Any) -> Dataset:
    return Dataset.model_validate(
        {
            "dataset": name,
            "title": "Sales",
            "topic": "moderation",
            "description": "Made up.",
            "grain": "One sale.",
            "date_column": "day",
            "legal_basis": ["DSA Art. 40(4)"],
            "provenance": {"publisher": "Nobody", "licence": "CC0-1.0"},
            "columns": COLUMNS,
            "citation": "Nobody (2026). Sales.",
        }
        | changes
    )


def a_rule(**changes: Any) -> dict[str, Any]:
    return {"for": {"tier": "vetted", "grant": "required"}, "access": "rows", "because": BECAUSE} | changes


def a_policy(*rules: dict[str, Any], name: str = "sales") -> Policy:
    return Policy.model_validate({"dataset": name, "legal_basis": "DSA Art. 40(4)", "rules": rules or (a_rule(),)})


def a_person(tier: Tier = Tier.VETTED, name: str = "ada", *, active: bool = True) -> Person:
    return Person(PersonId(name), name.title(), tier, active)


def a_project(**changes: Any) -> Project:
    facts: dict[str, Any] = {
        "id": ProjectId("p1"),
        "title": "A project",
        "purpose": "To know.",
        "starts": date(2026, 1, 1),
        "ends": date(2026, 12, 31),
        "members": frozenset({PersonId("ada")}),
        "member_states": ("DE", "FR"),
        "undertakings": frozenset({"no-reidentification"}),
    }
    return Project(**(facts | changes))


def a_grant(**changes: Any) -> Grant:
    facts: dict[str, Any] = {
        "dataset": DatasetName("sales"),
        "project": ProjectId("p1"),
        "starts": date(2026, 2, 1),
        "ends": date(2026, 11, 30),
        "narrowing": Narrowing(),
    }
    return Grant(**(facts | changes))


def a_request(**changes: Any) -> AccessRequest:
    facts: dict[str, Any] = {
        "person": a_person(),
        "project": a_project(),
        "grant": a_grant(),
        "dataset": a_dataset(),
        "policy": a_policy(),
        "now": NOW,
    }
    return AccessRequest(**(facts | changes))
