"""What is simulated of advertising and recommenders: published, and asked for what is hidden in it."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from support.content import answer, as_seen_by, published_files, the_site

from portal.ids import DatasetName, QueryName
from portal.policy.model import Tier
from portal.simulation import simulate
from portal.simulation.planted_ads import read_planted_ads

SITE = the_site()
PLANTED = read_planted_ads()
NAMES = ("ad_repository", "ad_reach", "trader_penalties", "recommender_parameters", "recommender_exposure")
TIERS = (Tier.PUBLIC, Tier.VETTED)
CONTENT = ("title", "product_name", "brand", "subject_matter", "product_category", "advertiser_name", "payer_name",
           "advertiser_kind", "advertiser_country", "payer_kind", "payer_differs", "advertiser_trader_ref")  # fmt: skip

Rows = list[dict[str, Any]]
Seen = Mapping[Tier, duckdb.DuckDBPyConnection]


@pytest.fixture(name="raw", scope="module")
def _raw(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    root = tmp_path_factory.mktemp("raw")
    return {name: simulate(name, root, 1.0, 7)[0] for name in NAMES}


@pytest.fixture(name="seen", scope="module")
def _seen(raw: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    root = tmp_path_factory.mktemp("releases")
    files = {
        name: published_files(SITE.datasets[DatasetName(name)], [path], root, synthetic=True)
        for name, path in raw.items()
    }
    with ExitStack() as stack:
        connections = {tier: stack.enter_context(as_seen_by(tier, SITE, files)) for tier in TIERS}
        for connection in connections.values():
            for name, path in raw.items():
                connection.execute(f"CREATE VIEW raw_{name} AS FROM '{path}'")
        yield connections


def asked(connection: duckdb.DuckDBPyConnection, query: str, **values: object) -> Rows:
    return answer(connection, SITE.queries[QueryName(query)], **values)


def one(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    return tuple(connection.execute(sql).fetchall()[0])


def test_a_removed_advertisement_shows_its_ground_and_nothing_of_content_advertiser_and_payer(seen: Seen) -> None:
    counts = ", ".join(f"count({column})" for column in CONTENT)
    removed, grounds, *shown = one(
        seen[Tier.VETTED],
        f"SELECT count(*), count(removal_ground), {counts} FROM ad_repository WHERE status = 'REMOVED'",
    )
    assert removed == grounds > 100
    assert set(shown) == {0}
    others = "SELECT count(removal_ground), count(removal_category), count(days_to_removal) FROM ad_repository"
    assert one(seen[Tier.VETTED], f"{others} WHERE status <> 'REMOVED'") == (0, 0, 0)


def test_no_natural_person_who_paid_is_named_and_no_pseudonym_is_of_one(seen: Seen) -> None:
    counted = one(
        seen[Tier.PUBLIC],
        """
        SELECT count(*), count_if(payer_name = 'natural person, on request'),
            count_if(CAST(a AS VARCHAR) LIKE '%Synthetic Person%' OR CAST(a AS VARCHAR) LIKE '%@%')
        FROM ad_repository AS a WHERE payer_kind = 'NATURAL_PERSON'
        """,
    )
    assert counted[0] == counted[1] > 100
    assert counted[2] == 0
    of_persons = "SELECT count(advertiser_trader_ref) FROM ad_repository WHERE advertiser_kind = 'NATURAL_PERSON'"
    assert one(seen[Tier.VETTED], of_persons) == (0,)


def test_the_public_has_names_and_no_pseudonym_and_a_linking_project_has_pseudonyms_and_no_name(seen: Seen) -> None:
    columns = "count(advertiser_trader_ref) > 0, count(advertiser_name) > 0, count(payer_name) > 0, count(title) > 0"
    facts = f"SELECT {columns}, count_if(starts_with(ad_id, 'ad-')) > 0 FROM ad_repository"
    assert one(seen[Tier.PUBLIC], facts) == (False, True, True, True, True)
    assert one(seen[Tier.VETTED], facts) == (True, False, False, False, False)


def test_reach_is_in_hundreds_and_what_is_below_is_withheld(seen: Seen) -> None:
    public = seen[Tier.PUBLIC]
    assert one(public, "SELECT min(reach), max(reach % 100), min(total_reach % 100) FROM ad_reach, ad_repository") == (
        100,
        0,
        0,
    )
    raw = "SELECT count(*), count_if(reach < 100) FROM raw_ad_reach"
    assert one(public, "SELECT count(*), count_if(is_withheld AND reach IS NULL) FROM ad_reach") == one(public, raw)
    assert one(public, "SELECT count_if(reach IS NULL AND NOT is_withheld) FROM ad_reach") == (0,)


def test_who_advertises_and_pays_is_what_the_source_says(seen: Seen) -> None:
    (first, *_) = asked(seen[Tier.PUBLIC], "advertising/who_advertises_and_pays", how_many=5)
    expected = one(
        seen[Tier.PUBLIC],
        f"""
        SELECT count(*), count_if(payer_differs), sum(round(total_reach, -2))::BIGINT FROM raw_ad_repository
        WHERE advertiser_name = '{first["advertiser_name"]}' AND status <> 'REMOVED'
        """,
    )
    assert (first["advertisements"], first["paid_by_others"], first["reach"]) == expected
    agencies = asked(seen[Tier.PUBLIC], "advertising/payers_of_many_advertisers")
    assert {row["payer_name"][:16] for row in agencies} == {"Synthetic Agency"}
    assert agencies[0]["advertisers"] >= agencies[-1]["advertisers"] > 1


def test_the_groups_that_are_planted_are_those_found_to_be_kept_out_most(seen: Seen) -> None:
    rows = asked(seen[Tier.VETTED], "advertising/exclusions_by_product_category")
    found = {(row["product_category"], row["excluded_group"]): row for row in rows}
    planted = {(category, hidden.group) for category, hidden in PLANTED.exclusions.items()}
    assert {(row["product_category"], row["excluded_group"]) for row in rows[: len(planted)]} == planted
    assert min(found[pair]["times_as_often"] for pair in planted) > 4
    rest = [row["times_as_often"] for pair, row in found.items() if pair not in planted]
    assert max(each for each in rest if each is not None) < 4
    assert one(seen[Tier.VETTED], "SELECT sum(len(excluded_groups)) FROM ad_repository WHERE status <> 'REMOVED'") == (
        sum(row["advertisements_excluding"] for row in rows),
    )


def test_products_aimed_at_young_adults_are_those_planted_and_reach_more_of_them(seen: Seen) -> None:
    rows = asked(seen[Tier.VETTED], "advertising/aimed_at_young_adults")
    first, rest = rows[:2], rows[2:]
    assert {row["product_category"] for row in first} == set(PLANTED.share_aimed_at_young_adults)
    assert min(row["aimed_percent"] for row in first) > 3 * max(row["aimed_percent"] for row in rest)
    assert min(row["reach_percent"] for row in first) > sum(row["reach_percent"] for row in rest) / len(rest)
    public = asked(seen[Tier.PUBLIC], "advertising/aimed_at_young_adults")
    assert public == rows


def test_reach_by_member_state_is_that_of_the_source_but_for_what_is_withheld(seen: Seen) -> None:
    rows = {row["member_state"]: row for row in asked(seen[Tier.PUBLIC], "advertising/reach_by_member_state")}
    assert len(rows) == 27
    counted = seen[Tier.PUBLIC].execute("""
        SELECT member_state, count(DISTINCT ad_id), sum(reach) FILTER (WHERE age_band = 'ALL'),
            count_if(age_band <> 'ALL' AND reach < 100)
        FROM raw_ad_reach GROUP BY 1
    """)
    for state, advertisements, reach, withheld in counted.fetchall():
        assert (rows[state]["advertisements"], rows[state]["withheld"]) == (advertisements, withheld)
        assert abs(rows[state]["reach"] - reach) < 100 * advertisements


def test_advertisements_of_penalised_traders_are_those_of_the_raw_sources(seen: Seen) -> None:
    vetted = seen[Tier.VETTED]
    counted = one(
        vetted,
        """
        WITH first AS (
            SELECT seller_id, min(date_trunc('week', decided_at)::DATE) AS week FROM raw_trader_penalties
            WHERE severity = 'SERIOUS' AND NOT lifted_on_appeal GROUP BY seller_id)
        SELECT count(*), count_if(week < date_trunc('week', first_shown)),
            count(DISTINCT seller_id) FILTER (WHERE week < date_trunc('week', first_shown))
        FROM raw_ad_repository LEFT JOIN first USING (seller_id)
        WHERE status <> 'REMOVED' AND NOT advertiser_is_natural_person
        """,
    )
    rows = asked(vetted, "advertising/ads_of_penalised_traders")
    assert (sum(row["advertisements"] for row in rows), sum(row["of_penalised_traders"] for row in rows)) == counted[:2]
    assert max(row["penalised_traders"] for row in rows) <= counted[2]
    shares = [row["penalised_percent"] for row in rows if row["advertisements"] > 50]
    assert min(shares) > 10, "repeat offenders are planted among the advertisers"


def test_a_month_without_penalised_traders_counts_none(seen: Seen) -> None:
    query = SITE.queries[QueryName("advertising/ads_of_penalised_traders")].sql
    none = query.replace("FROM trader_penalties", "FROM (SELECT * FROM trader_penalties WHERE false)")
    rows = seen[Tier.VETTED].execute(none, {"severity": "SERIOUS"}).fetchall()
    assert {tuple(row[2:5]) for row in rows} == {(0, 0.0, 0)}


def test_what_a_notice_brings_to_light_was_shown_longer(seen: Seen) -> None:
    rows = asked(seen[Tier.PUBLIC], "advertising/removed_ads_by_ground")
    days = {(row["removal_ground"], row["removal_source"]): row["median_days"] for row in rows}
    for ground in ("ILLEGAL_CONTENT", "TERMS_AND_CONDITIONS"):
        assert days[ground, "SOURCE_ARTICLE_16"] > 2 * days[ground, "SOURCE_VOLUNTARY"]
    raw = "SELECT count(*), sum(removed_on - first_shown) FROM raw_ad_repository WHERE removed_on IS NOT NULL"
    kept = "SELECT count(days_to_removal), sum(days_to_removal) FROM ad_repository"
    assert one(seen[Tier.PUBLIC], kept) == one(seen[Tier.PUBLIC], raw)
    assert sum(row["removed"] for row in rows) == one(seen[Tier.PUBLIC], raw)[0]


def test_every_advertisement_is_kept_for_a_year_and_the_check_finds_one_that_is_kept_longer(seen: Seen) -> None:
    day = date(2026, 11, 24)
    rows = asked(seen[Tier.PUBLIC], "advertising/retention_of_ads", as_of=day)
    assert {row["not_one_year"] for row in rows} == {0}
    last = f"SELECT count(*) FROM raw_ad_repository WHERE last_shown < DATE '{day - timedelta(days=365)}'"
    assert sum(row["kept_too_long"] for row in rows) == one(seen[Tier.PUBLIC], last)[0] > 100
    early = asked(seen[Tier.PUBLIC], "advertising/retention_of_ads", as_of=date(2025, 5, 1))
    assert {row["kept_too_long"] for row in early} == {0}


def test_targeting_is_told_for_every_advertisement(seen: Seen) -> None:
    rows = {
        row["target_method"]: row["advertisements"]
        for row in asked(seen[Tier.PUBLIC], "advertising/kinds_of_targeting")
    }
    assert sum(rows.values()) == 5000
    assert one(seen[Tier.PUBLIC], "SELECT count(*) FROM raw_ad_repository WHERE NOT targeted") == (
        rows["NOT_TARGETED"],
    )


def test_the_planted_change_of_a_parameter_is_seen_and_so_is_what_followed(seen: Seen) -> None:
    hidden = PLANTED.change
    changes = asked(seen[Tier.PUBLIC], "recommenders/changes_of_main_parameters")
    (change,) = [row for row in changes if (row["valid_from"], row["surface"]) == (hidden.since, hidden.surface)]
    assert change["parameter"] == hidden.parameter
    assert change["importance_after"] > 2 * change["importance_before"]
    assert change["rank_after"] < change["rank_before"]
    first, *rest = asked(seen[Tier.VETTED], "recommenders/exposure_around_changes")
    assert first["changed"] == f"{hidden.surface} {hidden.parameter} {hidden.since}"
    assert first["change_percent"] == pytest.approx(100 * (hidden.times - 1), abs=3)
    assert abs(first["elsewhere_percent"]) < 5
    assert all(abs(row["change_percent"]) < 10 for row in rest)


def test_amplification_is_that_which_is_planted_on_each_surface(seen: Seen) -> None:
    rows = asked(seen[Tier.VETTED], "recommenders/amplification_by_profiling")
    assert {row["surface"]: row["times_as_many"] for row in rows} == pytest.approx(
        PLANTED.amplified_by_profiling, rel=0.03
    )
    assert rows[0]["surface"] == "HOME_FEED"
    assert {(row["weeks_with"], row["weeks_without"]) for row in rows} == {(122, 122)}


def test_a_week_in_which_a_class_is_not_shown_is_left_out_and_not_counted_as_clean(seen: Seen) -> None:
    query = SITE.queries[QueryName("recommenders/amplification_by_profiling")].sql
    gap = """(
        SELECT * FROM recommender_exposure
        WHERE NOT (surface = 'SEARCH' AND recommender_option = 'NON_PROFILING'
            AND listing_class = 'LATER_REMOVED_ILLEGAL' AND year(week) = 2025))"""
    rows = seen[Tier.VETTED].execute(query.replace("recommender_exposure", gap), {"since": date(2024, 7, 1)})
    (search,) = [row for row in rows.fetchall() if row[0] == "SEARCH"]
    assert search[3] == pytest.approx(PLANTED.amplified_by_profiling["SEARCH"], rel=0.05)
    assert search[4:] == (122, 122 - 52)


def test_use_of_the_option_rises_where_it_is_planted(seen: Seen) -> None:
    rows = asked(seen[Tier.VETTED], "recommenders/use_of_the_option_without_profiling")
    shares = {(row["surface"], f"{row['month']:%Y-%m}"): row["without_profiling_percent"] for row in rows}
    for surface in PLANTED.amplified_by_profiling:
        ratio = shares[surface, "2026-03"] / shares[surface, "2026-01"]
        assert ratio == pytest.approx(PLANTED.option.times, rel=0.05)


def test_profiling_by_surface_counts_what_held_on_the_day(seen: Seen) -> None:
    def messages(day: date) -> dict[str, Any]:
        rows = asked(seen[Tier.PUBLIC], "recommenders/profiling_by_surface", as_of=day)
        return next(row for row in rows if row["surface"] == "MESSAGES")

    assert "age_and_gender" in messages(date(2025, 8, 31))["which"]
    assert "age_and_gender" not in messages(date(2025, 9, 1))["which"]
    assert messages(date(2025, 9, 1))["of_profiling"] == messages(date(2025, 8, 31))["of_profiling"] - 1


def test_exact_weights_are_seen_by_nobody_but_under_a_grant(seen: Seen) -> None:
    counts = "SELECT count(weight), count(importance_rank), count(relative_importance) FROM recommender_parameters"
    exact, ranks, shares = one(seen[Tier.VETTED], counts)
    assert exact == ranks == shares > 30
    assert one(seen[Tier.PUBLIC], counts) == (0, ranks, shares)
    steps = "SELECT max(abs(relative_importance * 20 - round(relative_importance * 20))) FROM recommender_parameters"
    assert one(seen[Tier.PUBLIC], steps)[0] < 1e-9
