from datetime import date, timedelta
from pathlib import Path

import pytest
from support.records import AUDIT, NOW, registry_in

from portal.ids import DatasetName, PersonId, ProjectId
from portal.policy.model import Tier
from portal.registry import Registry, seed_demo

pytestmark = pytest.mark.usefixtures("each_database")

DATASETS = tuple(
    DatasetName(name) for name in ("moderation_statements", "ad_targeting", "ad_repository", "recommender_parameters")
)


def granted(registry: Registry, project: str) -> set[DatasetName]:
    return {grant.dataset for grant in registry.grants_of(ProjectId(project)) if grant.is_active(NOW.date())}


def test_the_demo_has_its_people_projects_and_grants(tmp_path: Path) -> None:
    with registry_in(tmp_path) as registry:
        seed_demo(registry, NOW, DATASETS)
        assert {person.id: person.tier for person in registry.people()} == {
            f"{tier}@demo": tier for tier in Tier if tier is not Tier.PUBLIC
        }
        assert granted(registry, "illegal-products") == granted(registry, "open") == set(DATASETS)
        assert granted(registry, "ads-and-minors") == set(DATASETS[1:])
        project = registry.project(ProjectId("illegal-products"))
        assert project is not None
        assert project.member_states == ("DE", "FR", "IT", "ES", "PL", "NL")
        assert (project.starts, project.ends) == (date(2025, 7, 1), NOW.date() + timedelta(days=365))


def test_seeding_again_adds_only_what_is_new(tmp_path: Path) -> None:
    with registry_in(tmp_path) as registry:
        seed_demo(registry, NOW, DATASETS[:2])
        registry.set_active(PersonId("vetted@demo"), active=False, audit=AUDIT)
        registry.revoke_grant(DATASETS[0], ProjectId("open"), audit=AUDIT)
        before = registry.ledger.tail(100)
        seed_demo(registry, NOW + timedelta(days=1), DATASETS[:2])
        assert registry.ledger.tail(100) == before
        seed_demo(registry, NOW, DATASETS)
        assert granted(registry, "ads-and-minors") == set(DATASETS[1:])
        assert DATASETS[0] not in granted(registry, "open")
