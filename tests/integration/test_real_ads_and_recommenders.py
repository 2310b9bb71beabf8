"""The real files of advertising and recommenders, as each tier sees them, against counts taken from the raw files."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import duckdb
import pytest
from support.content import REAL, REAL_SOURCES, answer, as_seen_by, published_files, the_site

from portal.ids import DatasetName, QueryName
from portal.policy.model import Tier

SITE = the_site()
NAMES = ("ad_targeting", "recommender_source_code")
ADS = REAL / REAL_SOURCES["ad_targeting"][0]
ROWS = {"ad_targeting": 195_499, "recommender_source_code": 1_303}

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="../shared/realdata is not there")

Seen = Mapping[Tier, duckdb.DuckDBPyConnection]


@pytest.fixture(name="seen", scope="module")
def _seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """Give a connection for each tier of researchers."""
    root = tmp_path_factory.mktemp("real")
    files = {
        name: published_files(
            SITE.datasets[DatasetName(name)], [REAL / path for path in REAL_SOURCES[name]], root, synthetic=False
        )
        for name in NAMES
    }
    with ExitStack() as stack:
        tiers = (Tier.PUBLIC, Tier.REGISTERED, Tier.VETTED)
        yield {tier: stack.enter_context(as_seen_by(tier, SITE, files)) for tier in tiers}


def one(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    return tuple(connection.execute(sql).fetchall()[0])


@pytest.mark.parametrize("tier", [Tier.PUBLIC, Tier.REGISTERED, Tier.VETTED])
def test_every_tier_of_researchers_has_every_row(tier: Tier, seen: Seen) -> None:
    assert {name: one(seen[tier], f"SELECT count(*) FROM {name}")[0] for name in NAMES} == ROWS


@pytest.mark.parametrize("tier", [Tier.PUBLIC, Tier.REGISTERED])
def test_exclusions_are_the_same_for_everyone(tier: Tier, seen: Seen) -> None:
    for name in ("exclusions_by_location_type", "exclusions_by_criterion", "pages_excluding_most"):
        query = SITE.queries[QueryName(f"advertising/{name}")]
        assert answer(seen[tier], query) == answer(seen[Tier.VETTED], query)


def test_exclusions_by_criterion_are_those_of_the_source(seen: Seen) -> None:
    rows = answer(seen[Tier.PUBLIC], SITE.queries[QueryName("advertising/exclusions_by_criterion")])
    counted = seen[Tier.PUBLIC].execute(f"""
        SELECT type, count(DISTINCT page_id) FROM '{ADS}' WHERE is_exclusion AND num_ads > 0 GROUP BY 1
    """)
    assert {(row["criterion"], row["pages_excluding"]) for row in rows} == set(counted.fetchall())


def test_pages_that_exclude_most_are_those_of_the_source(seen: Seen) -> None:
    rows = answer(seen[Tier.PUBLIC], SITE.queries[QueryName("advertising/pages_excluding_most")], how_many=5)
    counted = seen[Tier.PUBLIC].execute(f"""
        SELECT page_name, count(*) FROM '{ADS}' WHERE is_exclusion AND num_ads > 0
        GROUP BY page_id, page_name ORDER BY 2 DESC LIMIT 5
    """)
    assert [(row["page_name"], row["values_excluded"]) for row in rows] == counted.fetchall()


def test_the_spending_on_custom_audiences_is_a_lower_bound_taken_from_the_source(seen: Seen) -> None:
    rows = answer(seen[Tier.VETTED], SITE.queries[QueryName("advertising/spending_by_criterion")])
    found = {(row["criterion"], row["used_to"]): row for row in rows}
    expected = one(
        seen[Tier.VETTED],
        f"""
        SELECT round(sum(spent)) FROM (
            SELECT max(total_spend_pct * total_spend_formatted) AS spent FROM '{ADS}'
            WHERE type = 'custom_audience' AND is_exclusion AND num_ads > 0 AND main_currency = 'USD' GROUP BY page_id)
        """,
    )
    assert found["custom_audience", "exclude"]["spending_at_least"] == pytest.approx(expected[0], abs=1)
    assert all(0 < row["spending_percent_at_least"] <= 100 for row in rows)


def test_the_errata_count_what_is_there(seen: Seen) -> None:
    told = {erratum.id: erratum.description for erratum in SITE.datasets[DatasetName("ad_targeting")].errata}
    pages = "SELECT count(DISTINCT page_id) FROM ad_targeting"
    shown, listed = one(seen[Tier.VETTED], f"{pages} WHERE has_targeting"), one(seen[Tier.VETTED], pages)
    assert f"{shown[0]:,} of {listed[0]:,} pages" in told["few_pages_have_targeting"]
    foreign, all_rows = one(
        seen[Tier.VETTED],
        "SELECT count(*) FILTER (WHERE currency <> 'USD'), count(*) FROM ad_targeting WHERE has_targeting",
    )
    assert f"{foreign:,} of {all_rows:,} rows" in told["several_currencies"]


def test_every_weight_and_every_bound_of_the_sources_is_kept(seen: Seen) -> None:
    ranking, switches, home = (REAL / path for path in REAL_SOURCES["recommender_source_code"])
    weights = f"SELECT parameter, CAST(weight AS DOUBLE) FROM read_csv('{ranking}', all_varchar = true)"
    kept = "SELECT parameter, weight FROM recommender_source_code WHERE component = 'heavy ranker'"
    vetted = seen[Tier.VETTED]
    assert sorted(vetted.execute(kept).fetchall()) == sorted(vetted.execute(weights).fetchall())
    raw = f"SELECT count(min), count(max), count(feature_switch) FROM read_csv('{switches}', all_varchar = true)"
    bounds = "SELECT count(minimum), count(maximum), count(feature_switch) FROM recommender_source_code"
    assert one(vetted, f"{bounds} WHERE parameter_kind IS NOT NULL") == one(vetted, raw)
    given = f"SELECT count(*) FROM read_csv('{home}', all_varchar = true) WHERE default_value IS NOT NULL"
    either = (
        "SELECT count(coalesce(default_value, weight::VARCHAR)) FROM recommender_source_code WHERE year(as_of) = 2026"
    )
    assert one(vetted, either) == one(vetted, given)


def test_the_public_has_ranks_and_signs_and_no_weight(seen: Seen) -> None:
    counts = "SELECT count(weight), count(importance_rank), count(pushes) FROM recommender_source_code"
    public, vetted = one(seen[Tier.PUBLIC], counts), one(seen[Tier.VETTED], counts)
    assert public == (0, *vetted[1:])
    assert min(vetted) > 0
