"""Advertisements and recommenders through the real desk: retention, names or pseudonyms, thresholds of users."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from support.content import REPOSITORY
from support.portal import services_of

from portal.desk.answers import Asker
from portal.desk.publication import publish_release
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.ids import DatasetName, PersonId, ProjectId
from portal.registry import seed_demo
from portal.settings import Settings
from portal.simulation import simulate
from portal.sql.plan import Statement

NAMES = ("ad_repository", "ad_reach", "trader_penalties", "recommender_exposure")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
VETTED = PersonId("vetted@demo")
LINKING = Asker(VETTED, ProjectId("illegal-products"))
NAMING = Asker(VETTED, ProjectId("ads-and-minors"))


@pytest.fixture(name="services", scope="module")
def _services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    root = tmp_path_factory.mktemp("desk")
    with services_of(Settings(site=REPOSITORY, home=root / "home", warm_sandboxes=1), lambda: NOW) as services:
        seed_demo(services.registry, NOW, services.site.datasets)
        for name in NAMES:
            publish_release(services, DatasetName(name), simulate(name, root / "raw", 0.1, 3), synthetic=True)
        yield services


def asked(services: Services, asker: Asker, sql: str) -> list[dict[str, Any]]:
    return run_statement(services, asker, Statement(sql)).table().to_pylist()


def released(services: Services, name: str) -> int:
    manifest = services.releases.latest(DatasetName(name))
    assert manifest is not None
    return manifest.rows


@pytest.mark.parametrize("name", ["ad_repository", "ad_reach"])
def test_what_is_past_its_retention_is_in_the_release_and_in_nobodys_answer(name: str, services: Services) -> None:
    (row,) = asked(services, NAMING, f"SELECT count(*) AS n, min(retention_until) AS first FROM {name}")
    assert 0 < row["n"] < released(services, name)
    assert row["first"] >= NOW.date()


def test_a_year_later_the_rest_has_left_without_a_new_release(services: Services) -> None:
    later = replace(services, clock=lambda: datetime(2027, 9, 1, tzinfo=UTC))
    now = asked(services, NAMING, "SELECT count(*) AS n FROM ad_repository")
    then = asked(later, NAMING, "SELECT count(*) AS n, min(retention_until) AS first FROM ad_repository")
    assert 0 < then[0]["n"] < now[0]["n"]
    assert then[0]["first"] >= later.clock().date()


def test_a_project_sees_names_or_pseudonyms_as_it_has_undertaken(services: Services) -> None:
    facts = "SELECT count(advertiser_trader_ref) AS refs, count(advertiser_name) AS names FROM ad_repository"
    (linking,), (naming,) = asked(services, LINKING, facts), asked(services, NAMING, facts)
    assert (linking["names"], naming["refs"]) == (0, 0)
    assert linking["refs"] > 0
    assert naming["names"] > 0


def test_advertisers_join_penalties_and_reach_under_the_projects_own_pseudonyms(services: Services) -> None:
    joined = """
        SELECT count(DISTINCT a.ad_id) AS ads, count(DISTINCT p.trader_ref) AS traders, count(r.reach) AS reached
        FROM ad_repository AS a
        JOIN trader_penalties AS p ON p.trader_ref = a.advertiser_trader_ref
        LEFT JOIN ad_reach AS r USING (ad_id)
    """
    (row,) = asked(services, LINKING, joined)
    assert min(row.values()) > 0


def test_no_row_of_exposure_rests_on_fewer_than_a_thousand_users(services: Services) -> None:
    for asker in (LINKING, NAMING, Asker(PersonId("registered@demo"), ProjectId("open"))):
        (row,) = asked(services, asker, "SELECT count(*) AS n, min(users) AS fewest FROM recommender_exposure")
        assert row["fewest"] >= 1000
        assert 0 < row["n"] < released(services, "recommender_exposure")
