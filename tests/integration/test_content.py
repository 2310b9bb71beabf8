"""The repository's own datasets, policies and saved queries: sound, published, asked and answered."""

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from support.content import REAL, REAL_SOURCES, REPOSITORY, answer, as_seen_by, permitted, published_files, the_site
from support.publishing import now

from portal.engines.duckdb.parser import DuckDBParser
from portal.ids import DatasetName, QueryName
from portal.policy.model import Access, Tier
from portal.simulation import SIMULATORS, simulate
from portal.site import read_site
from portal.site.checks import check_site

SITE = the_site()
SCALE = 0.1
MODERATION = tuple(map(DatasetName, ("moderation_statements", "notices", "complaints")))
RESEARCHERS = (Tier.PUBLIC, Tier.REGISTERED, Tier.VETTED)

needs_real_data = pytest.mark.skipif(not REAL.is_dir(), reason="../shared/realdata is not there")

Connections = Mapping[Tier, duckdb.DuckDBPyConnection]


@pytest.fixture(name="files", scope="module")
def _files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """Give the Parquet files of every dataset, simulated where the repository holds no source."""
    root = tmp_path_factory.mktemp("content")
    sources = {name: simulate(name, root / "raw", SCALE, 11) for name in SIMULATORS}
    sources |= {path.parent.name: [path] for path in (REPOSITORY / "datasets").glob("*/source.*")}
    return {
        name: published_files(SITE.datasets[DatasetName(name)], paths, root / "releases", synthetic=name in SIMULATORS)
        for name, paths in sources.items()
    }


@pytest.fixture(name="seen", scope="module")
def _seen(files: Mapping[str, list[str]]) -> Any:
    with ExitStack() as stack:
        yield {tier: stack.enter_context(as_seen_by(tier, SITE, files)) for tier in RESEARCHERS}


@pytest.fixture(name="real", scope="module")
def _real(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Give the real files as a vetted researcher sees them."""
    root = tmp_path_factory.mktemp("real")
    files = {
        name: published_files(SITE.datasets[DatasetName(name)], [REAL / path for path in paths], root, synthetic=False)
        for name, paths in REAL_SOURCES.items()
    }
    with as_seen_by(Tier.VETTED, SITE, files) as connection:
        yield connection


def test_the_content_has_no_fault() -> None:
    assert check_site(read_site(REPOSITORY), DuckDBParser()) == ()


def test_every_dataset_has_a_policy_and_every_policy_speaks_to_every_tier() -> None:
    assert set(SITE.policies) == set(SITE.datasets)
    for name in SIMULATORS:
        policy = SITE.policies[DatasetName(name)]
        assert {rule.audience.tier for rule in policy.rules} == set(Tier), name


def test_staff_read_no_rows() -> None:
    staff = set(Tier) - set(RESEARCHERS)
    levels = {rule.access for policy in SITE.policies.values() for rule in policy.rules if rule.audience.tier in staff}
    assert levels <= {Access.CODEBOOK}


@pytest.mark.parametrize(
    ("tier", "granted", "undertakings", "access"),
    [
        (Tier.VETTED, True, {"aggregate-publication", "no-reidentification"}, Access.ROWS),
        (Tier.VETTED, True, {"no-reidentification"}, Access.CODEBOOK),
        (Tier.VETTED, False, {"aggregate-publication", "no-reidentification"}, Access.CODEBOOK),
        (Tier.REGISTERED, True, set(), Access.AGGREGATES),
        (Tier.REGISTERED, False, set(), Access.CODEBOOK),
        (Tier.PUBLIC, True, set(), Access.CODEBOOK),
        (Tier.STEWARD, True, set(), Access.CODEBOOK),
        (Tier.REVIEWER, True, set(), Access.CODEBOOK),
        (Tier.AUDITOR, True, set(), Access.CODEBOOK),
    ],
)
@pytest.mark.parametrize("name", MODERATION)
def test_moderation_opens_as_far_as_tier_grant_and_undertakings_carry(
    *, name: DatasetName, tier: Tier, granted: bool, undertakings: set[str], access: Access
) -> None:
    decision = permitted(SITE, name, tier, granted=granted, undertakings=undertakings)
    assert decision.obligations.access is access
    assert (decision.obligations.download is not None) == (access is Access.ROWS)


@pytest.mark.parametrize("name", sorted(SIMULATORS))
def test_every_column_that_can_point_at_someone_says_what_was_done_to_it(name: str) -> None:
    columns = SITE.datasets[DatasetName(name)].columns
    silent = [column for column, facts in columns.items() if facts.role == "identifier" and not facts.anonymisation]
    assert silent == []


@pytest.mark.parametrize("name", MODERATION)
def test_the_embargo_leaves_the_demonstration_all_its_rows(name: DatasetName, seen: Connections) -> None:
    embargo = SITE.policies[name].rules[0].embargo
    assert embargo is not None
    newest = seen[Tier.VETTED].execute(f"SELECT max({embargo.column}) FROM {name}").fetchall()[0][0]
    assert newest + timedelta(days=embargo.days) < now().date()


@pytest.mark.parametrize("name", sorted(SITE.queries))
def test_each_saved_query_answers_under_every_tier_that_it_names(name: QueryName, seen: Connections) -> None:
    query = SITE.queries[name]
    sqlglot.parse_one(query.sql, dialect="duckdb")
    for tier in query.front.tiers:
        rows = answer(seen[tier], query)
        assert rows, tier
        if query.front.chart is not None:
            axes = {query.front.chart.x, query.front.chart.y, query.front.chart.colour} - {None}
            assert axes <= set(rows[0])


def test_shares_add_up_to_a_hundred(seen: Connections) -> None:
    by_month: dict[object, float] = {}
    for row in answer(seen[Tier.PUBLIC], SITE.queries[QueryName("moderation/fully_automated_share_by_month")]):
        by_month[row["month"]] = by_month.get(row["month"], 0) + row["share_percent"]
    assert len(by_month) == 29
    assert list(by_month.values()) == pytest.approx([100] * 29, abs=0.05)
    tenths = answer(seen[Tier.VETTED], SITE.queries[QueryName("traders/concentration_of_statements")])
    assert sum(row["share_percent"] for row in tenths) == pytest.approx(100, abs=0.5)
    assert tenths[0]["share_percent"] > 3 * tenths[-1]["share_percent"]


def test_the_fall_of_unsafe_products_and_the_rise_of_another_label_are_both_seen(seen: Connections) -> None:
    rows = answer(seen[Tier.PUBLIC], SITE.queries[QueryName("moderation/relabelling_heatmap")])
    share = {(f"{row['month']:%Y-%m}", row["category"]): row["share_percent"] for row in rows}
    fell = [share[month, "UNSAFE_AND_ILLEGAL_PRODUCTS"] for month in ("2025-03", "2025-05")]
    rose = [share[month, "SCOPE_OF_PLATFORM_SERVICE"] for month in ("2025-03", "2025-05")]
    assert fell == pytest.approx([66.75, 2.49], abs=0.01)
    assert rose == pytest.approx([26.46, 91.87], abs=0.01)


def test_simulated_statements_agree_with_the_counts_that_they_come_from(seen: Connections) -> None:
    rows = answer(seen[Tier.VETTED], SITE.queries[QueryName("moderation/simulated_and_reported")])
    assert max(abs(row["difference_percent"]) for row in rows) < 2.5


def test_a_listing_returns_after_its_first_statement_and_not_before(seen: Connections) -> None:
    rows = answer(seen[Tier.VETTED], SITE.queries[QueryName("traders/listings_with_repeated_statements")])
    assert all(0 <= row["with_another_statement"] <= row["listings"] for row in rows)
    assert any(row["median_days"] and row["median_days"] > 0 for row in rows)


@pytest.mark.parametrize("tier", [Tier.PUBLIC, Tier.REGISTERED])
def test_exact_weights_and_spending_are_in_no_column_below_vetted(tier: Tier, seen: Connections) -> None:
    def numbers(of: Tier, column: str, table: str) -> set[str]:
        return {str(row[0]) for row in seen[of].execute(f"SELECT DISTINCT {column} FROM {table}").fetchall()}

    weights = numbers(Tier.VETTED, "weight", "recommender_source_code WHERE weight NOT IN (0, 1)")
    assert len(weights) > 10
    weighed = seen[tier].execute("SELECT * FROM recommender_source_code WHERE importance_rank IS NOT NULL").fetchall()
    assert not weights & {str(cell) for row in weighed for cell in row}
    exact = numbers(Tier.VETTED, "spend_90_days", "ad_targeting WHERE spend_90_days > 100")
    assert len(exact) > 10
    assert not exact & numbers(tier, "spend_90_days", "ad_targeting")


@needs_real_data
def test_the_real_files_are_published_whole(real: duckdb.DuckDBPyConnection) -> None:
    rows = {name: real.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0] for name in REAL_SOURCES}
    assert rows == {"ad_targeting": 195_499, "moderation_statements": 12, "recommender_source_code": 1_221 + 10 + 72}


@needs_real_data
def test_exclusions_by_location_type_are_those_of_the_source(real: duckdb.DuckDBPyConnection) -> None:
    rows = answer(real, SITE.queries[QueryName("advertising/exclusions_by_location_type")])
    source = REAL / REAL_SOURCES["ad_targeting"][0]
    counted = real.execute(f"""
        SELECT location_type, count(DISTINCT page_id), count(*) FROM '{source}'
        WHERE is_exclusion AND location_type IS NOT NULL GROUP BY 1
    """).fetchall()
    found = {(row["location_type"], row["pages_excluding"], row["places_excluded"]) for row in rows}
    assert found == set(counted)
    assert ("regions", 72, 688) in found


@needs_real_data
def test_every_number_of_the_targeting_file_is_kept(real: duckdb.DuckDBPyConnection) -> None:
    source = REAL / REAL_SOURCES["ad_targeting"][0]
    kept = "sum(ads_with_value), sum(spend_share), sum(spend_90_days), sum(ads_total), count(page_id), count(criterion)"
    raw = "sum(num_ads), sum(total_spend_pct), sum(amount_spent), sum(total_num_ads), count(*), count(type)"
    published = real.execute(f"SELECT {kept} FROM ad_targeting").fetchall()[0]
    assert published == pytest.approx(real.execute(f"SELECT {raw} FROM '{source}'").fetchall()[0])


@needs_real_data
def test_weights_are_ranked_and_measured_in_likes(real: duckdb.DuckDBPyConnection) -> None:
    rows = answer(real, SITE.queries[QueryName("recommenders/ranking_weights_2023_and_2026")])
    report = {row["year"]: (row["weight"], row["in_likes"]) for row in rows if row["action"] == "report"}
    assert report == {"2023": (-369.0, -738.0), "2026": (-234.0, -468.0)}
    strongest = answer(real, SITE.queries[QueryName("recommenders/strongest_signals")], how_many=1)
    assert [(row["as_of"].year, row["pushes"]) for row in strongest] == [(2023, "down"), (2026, "down")]


@needs_real_data
def test_a_daily_dump_as_it_comes_loses_its_texts_and_identifiers(
    real: duckdb.DuckDBPyConnection,
) -> None:
    source = REAL / REAL_SOURCES["moderation_statements"][0]
    leaks = f"""
        SELECT count(*) FROM moderation_statements AS m, read_csv('{source}', all_varchar = true) AS raw
        WHERE contains(CAST(m AS VARCHAR), raw.uuid) OR contains(CAST(m AS VARCHAR), raw.platform_uid)
           OR contains(CAST(m AS VARCHAR), raw.decision_facts)
    """
    assert real.execute(leaks).fetchall() == [(0,)]
    scopes = "SELECT max(len(territorial_scope)), min(len(territorial_scope)) FROM moderation_statements"
    assert real.execute(scopes).fetchall() == [(30, 1)]


def test_paths_of_this_machine_are_in_no_content_file() -> None:
    folders = (REPOSITORY / name for name in ("datasets", "access_policies", "queries"))
    texts = [path for folder in folders for path in folder.rglob("*") if path.suffix in {".yaml", ".sql"}]
    assert len(texts) > 20
    assert not [path.name for path in texts if "/work/" in path.read_text() or str(Path.home()) in path.read_text()]
