"""The people, projects and grants of the demonstration. They are roles, not persons, and sign in on loopback only."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from portal.ids import DatasetName, PersonId, ProjectId
from portal.policy.model import Tier
from portal.policy.people import Grant, Person, Project
from portal.registry.records import Audit
from portal.registry.registry import Registry

START = date(2025, 7, 1)
DURATION = timedelta(days=365)
VETTED = PersonId("vetted@demo")
REGISTERED = PersonId("registered@demo")
PEOPLE = (
    Person(VETTED, "Vetted researcher (demo)", Tier.VETTED),
    Person(REGISTERED, "Registered researcher (demo)", Tier.REGISTERED),
    Person(PersonId("steward@demo"), "Data steward (demo)", Tier.STEWARD),
    Person(PersonId("reviewer@demo"), "Output reviewer (demo)", Tier.REVIEWER),
    Person(PersonId("auditor@demo"), "Auditor (demo)", Tier.AUDITOR),
)
ILLEGAL_PRODUCTS = Project(
    ProjectId("illegal-products"),
    "Illegal and unsafe products on online marketplaces",
    "How quickly and how evenly unsafe products are removed, by category, detection and Member State.",
    START,
    START,
    members=frozenset({VETTED}),
    member_states=("DE", "FR", "IT", "ES", "PL", "NL"),
    undertakings=frozenset({"aggregate-publication", "no-reidentification", "no-linkage-to-names"}),
    reasoned_request="DSC-DEMO-2026-001",
)
ADS_AND_MINORS = Project(
    ProjectId("ads-and-minors"),
    "Advertising and recommendation that reach minors",
    "Which targeting and recommender parameters exclude, or fail to exclude, minors.",
    START,
    START,
    members=frozenset({VETTED}),
    member_states=("DE", "FR", "IT", "ES", "PL", "NL"),
    undertakings=frozenset({"aggregate-publication", "no-reidentification"}),
    reasoned_request="DSC-DEMO-2026-002",
)
OPEN = Project(
    ProjectId("open"),
    "Open questions on content moderation",
    "Research on publicly accessible data under Art. 40(12).",
    START,
    START,
    members=frozenset({REGISTERED}),
    undertakings=frozenset({"aggregate-publication", "no-reidentification"}),
)
ADS_PREFIXES = ("ad_", "recommender_")


def seed_demo(registry: Registry, now: datetime, datasets: Iterable[DatasetName]) -> None:
    """Add whatever of the demonstration is not there yet; what is there stays as it is."""
    names = sorted(datasets)
    ads = [name for name in names if name.startswith(ADS_PREFIXES)]
    audit = Audit(actor=None, at=now)
    ends = now.date() + DURATION
    for person in PEOPLE:
        if registry.person(person.id) is None:
            registry.add_person(person, audit=audit)
    for project, granted in ((ILLEGAL_PRODUCTS, names), (ADS_AND_MINORS, ads), (OPEN, names)):
        if registry.project(project.id) is None:
            registry.add_project(replace(project, ends=ends), audit=audit)
        held = {grant.dataset for grant in registry.grants_of(project.id)}
        for dataset in granted:
            if dataset not in held:
                registry.give_grant(Grant(dataset, project.id, START, ends), audit=audit)
