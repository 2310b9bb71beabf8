"""The demonstration's data on traders, asked on the real road: what each tier learns of it, and what nobody does."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from support.content import REPOSITORY, permitted, the_site
from support.portal import services_of
from support.publishing import now

from portal.desk.answers import Asker
from portal.desk.publication import publish_release
from portal.desk.saved import run_saved_query
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.errors import StatementRefusal
from portal.ids import DatasetName, PersonId, ProjectId, QueryName
from portal.policy.model import Access, Tier
from portal.registry import seed_demo
from portal.settings import Settings
from portal.simulation import simulate
from portal.sql.plan import Statement

SITE = the_site()
NAMES = tuple(map(DatasetName, ("traders", "trader_penalties", "listing_reappearance")))
ASKERS: Mapping[Tier, Asker] = {
    Tier.VETTED: Asker(PersonId("vetted@demo"), ProjectId("illegal-products")),
    Tier.REGISTERED: Asker(PersonId("registered@demo"), ProjectId("open")),
}
ASKED = [
    (name, tier)
    for name, query in sorted(SITE.queries.items())
    if set(query.front.datasets) <= set(NAMES)
    for tier in query.front.tiers
]
LEAKS = (
    "'@|Synthetic Shop|Synthetic offer|seller-|entity-|listing-|affiliate-|penalty-|SYN[0-9]|SR/|distance|image hash'"
)
BOTH = {"aggregate-publication", "no-reidentification"}


@pytest.fixture(name="services", scope="module")
def _services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Give the repository's site over a home with the demonstration's data on traders, people and grants."""
    root = tmp_path_factory.mktemp("demo")
    settings = Settings(site=REPOSITORY, home=root / "home", warm_sandboxes=1, threads=1)
    with services_of(settings, now) as services:
        for name in NAMES:
            publish_release(services, name, simulate(name, root / "raw"), synthetic=True)
        seed_demo(services.registry, now(), NAMES)
        yield services


def ask(services: Services, tier: Tier, sql: str) -> list[dict[str, Any]]:
    return run_statement(services, ASKERS[tier], Statement(sql)).table().to_pylist()


def find(services: Services, query: str, tier: Tier) -> list[dict[str, Any]]:
    return run_saved_query(services, ASKERS[tier], QueryName(query), {}).table().to_pylist()


@pytest.mark.parametrize(("name", "tier"), ASKED)
def test_each_question_is_answered_with_figures_to_draw(name: str, tier: Tier, services: Services) -> None:
    chart = SITE.queries[QueryName(name)].front.chart
    assert chart is not None
    figure = (chart.colour if chart.kind == "heatmap" else None) or chart.y
    drawn = {row[figure] for row in find(services, name, tier)} - {None}
    assert len(drawn) >= 2


def test_what_was_planted_is_seen_through_disclosure_control(services: Services) -> None:
    rows = find(services, "traders/unverified_and_penalised", Tier.REGISTERED)
    penalised = {row["verification_status"]: row["penalised_percent"] for row in rows}
    assert penalised["FAILED"] > 1.3 * penalised["VERIFIED"]
    rows = find(services, "traders/affiliates_by_channel", Tier.REGISTERED)
    assert rows[0]["affiliate_channel"] == "MESSENGER"
    rows = find(services, "traders/returns_noticed", Tier.VETTED)
    marked = {row["account"]: row["marked_percent"] for row in rows}
    assert 15 < marked["owner of a closed account"] < 35
    assert marked["others"] < 3


def test_natural_persons_are_in_figures_and_in_no_row_of_penalties(services: Services) -> None:
    rows = ask(services, Tier.VETTED, "SELECT DISTINCT trader_type FROM trader_penalties")
    assert rows == [{"trader_type": "LEGAL_PERSON"}]
    everyone = ask(services, Tier.REGISTERED, "SELECT count(*) AS n FROM trader_penalties")[0]["n"]
    assert everyone > ask(services, Tier.VETTED, "SELECT count(*) AS n FROM trader_penalties")[0]["n"]


def test_rows_of_listings_are_of_the_projects_member_states_and_name_no_promoter(services: Services) -> None:
    elsewhere = "NOT list_has_any(territorial_scope, ['DE', 'FR', 'IT', 'ES', 'PL', 'NL'])"
    sql = f"SELECT count(affiliate_ref) AS a, count_if({elsewhere}) AS b, count(*) AS n FROM listing_reappearance"
    (row,) = ask(services, Tier.VETTED, sql)
    assert (row["a"], row["b"]) == (0, 0)
    assert row["n"] > 10_000


def test_sellers_join_across_rows_under_the_projects_own_pseudonyms(services: Services) -> None:
    sql = """SELECT count(DISTINCT r.trader_ref) AS both FROM listing_reappearance AS r
        JOIN trader_penalties AS p ON p.trader_ref = r.trader_ref AND p.entity_ref = r.entity_ref"""
    assert ask(services, Tier.VETTED, sql)[0]["both"] > 1_000


@pytest.mark.parametrize("tier", ASKERS)
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM traders",
        "SELECT trader_ref FROM traders",
        "SELECT trader_ref, count(*) AS n FROM traders GROUP BY trader_ref",
        "SELECT count(*) AS n FROM traders WHERE registered_month = DATE '2024-02-01'",
    ],
)
def test_no_tier_meets_a_single_trader(sql: str, tier: Tier, services: Services) -> None:
    with pytest.raises(StatementRefusal):
        ask(services, tier, sql)


def test_no_count_of_traders_is_of_fewer_than_twenty(services: Services) -> None:
    sql = """SELECT establishment_country, verification_status, sales_band, status, count(*) AS n FROM traders
        GROUP BY ALL"""
    rows = ask(services, Tier.REGISTERED, sql)
    assert len(rows) > 20
    assert min(row["n"] for row in rows) >= 20


def test_no_raw_name_number_or_address_is_in_a_release(services: Services) -> None:
    for name in NAMES:
        files = [str(path) for path in services.releases.paths(services.releases.latest(name))]
        with duckdb.connect() as connection:
            found = f"count_if(regexp_matches(CAST(r AS VARCHAR), {LEAKS}))"
            rows, leaks = connection.execute(f"SELECT count(*), {found} FROM read_parquet({files}) AS r").fetchall()[0]
        assert rows > 10_000
        assert leaks == 0, name


def test_the_leaks_that_are_looked_for_are_in_the_sources(tmp_path: Path) -> None:
    for name in NAMES:
        (file,) = simulate(name, tmp_path, 0.02, 3)
        with duckdb.connect() as connection:
            sql = f"SELECT bool_and(regexp_matches(CAST(r AS VARCHAR), {LEAKS})) FROM '{file}' AS r"
            assert connection.execute(sql).fetchall() == [(True,)], name


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("tier", "granted", "undertakings", "opened"),
    [
        (Tier.VETTED, True, BOTH, True),
        (Tier.VETTED, True, {"no-reidentification"}, False),
        (Tier.VETTED, False, BOTH, False),
        (Tier.REGISTERED, True, set(), True),
        (Tier.REGISTERED, False, BOTH, False),
        (Tier.PUBLIC, True, BOTH, False),
        (Tier.STEWARD, True, BOTH, False),
        (Tier.REVIEWER, True, BOTH, False),
        (Tier.AUDITOR, True, BOTH, False),
    ],
)
def test_data_on_traders_opens_as_far_as_tier_grant_and_undertakings_carry(
    *, name: DatasetName, tier: Tier, granted: bool, undertakings: set[str], opened: bool
) -> None:
    decision = permitted(SITE, name, tier, granted=granted, undertakings=undertakings)
    in_rows = tier is Tier.VETTED and name != "traders"
    level = (Access.ROWS if in_rows else Access.AGGREGATES) if opened else Access.CODEBOOK
    assert decision.obligations.access is level
    assert (decision.obligations.download is not None) == (level is Access.ROWS)


def test_no_content_that_researchers_are_shown_speaks_of_the_file_of_planted_truths() -> None:
    folders = (REPOSITORY / name for name in ("datasets", "access_policies", "queries", "docs"))
    texts = [path for folder in folders for path in folder.rglob("*") if path.suffix in {".yaml", ".sql", ".md"}]
    assert len(texts) > 50
    assert not [path.name for path in texts if "planted_" in path.read_text(encoding="utf-8")]
