import hashlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from support.content import REPOSITORY, published_files, the_site

from portal.errors import UsageError
from portal.ids import DatasetName
from portal.simulation import SIMULATORS, simulate
from portal.simulation.statement_figures import read_statement_figures

SMALL = 0.02
MIDDLE = 0.2

RAW_FIELDS = {
    "category": "category",
    "account_type": "account_type",
    "decision_ground": "decision_ground",
    "content_type": "content_type[3:-3]",
    "automated_detection": "automated_detection",
    "automated_decision": "automated_decision",
    "source_type": "replace(source_type, 'SOURCE_TRUSTED_FLAGGER', 'SOURCE_ARTICLE_16')",
    "territorial_scope": """CASE WHEN territorial_scope IS NULL THEN 'NOT_STATED'
        WHEN len(territorial_scope) > 6 THEN 'EU' ELSE territorial_scope[3:-3] END""",
}


@pytest.fixture(name="statements", scope="module")
def _statements(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give the raw simulated statements as the table `raw`."""
    files = simulate("moderation_statements", tmp_path_factory.mktemp("raw"), MIDDLE, 7)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE raw AS FROM read_parquet({[str(file) for file in files]})")
        yield connection


def digests(files: list[Path]) -> list[tuple[str, str]]:
    return [(file.name, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files]


@pytest.mark.parametrize("name", SIMULATORS)
def test_the_same_seed_gives_the_same_files_and_another_seed_others(name: str, tmp_path: Path) -> None:
    once, again, other = (
        digests(simulate(name, tmp_path / str(place), SMALL, seed)) for place, seed in enumerate((1, 1, 2))
    )
    assert once == again
    assert [file for file, _ in once] == [file for file, _ in other]
    assert once != other


@pytest.mark.parametrize("name", SIMULATORS)
def test_what_is_simulated_is_published_without_a_rejected_row(name: str, tmp_path: Path) -> None:
    dataset = the_site().datasets[DatasetName(name)]
    sources = simulate(name, tmp_path / "raw", SMALL, 3)
    assert published_files(dataset, sources, tmp_path / "releases", synthetic=True)


@pytest.mark.parametrize(("name", "scale"), [("unknown", 1.0), ("ad_targeting", 0.0), ("ad_targeting", -1.0)])
def test_what_cannot_be_simulated_is_refused(name: str, scale: float, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        simulate(name, tmp_path / "raw", scale)
    assert not (tmp_path / "raw").exists()


def test_scale_sets_the_number_of_statements(statements: duckdb.DuckDBPyConnection) -> None:
    assert statements.execute("SELECT count(*), count(DISTINCT uuid) FROM raw").fetchall() == [(100_000, 100_000)]


@pytest.mark.parametrize("field", RAW_FIELDS)
def test_every_value_of_every_month_is_as_frequent_as_in_the_figures(
    field: str, statements: duckdb.DuckDBPyConnection
) -> None:
    figures = read_statement_figures()
    found = {
        (month, value): count
        for month, value, count in statements.execute(f"""
            SELECT strftime(created_at, '%Y-%m'), {RAW_FIELDS[field]}, count(*) FROM raw GROUP BY ALL
        """).fetchall()
    }
    assert {value for _, value in found} <= set(figures.counts[field])
    for place, month in enumerate(figures.simulated_months):
        weights = figures.weights(field, place)
        rows = sum(count for (of_month, _), count in found.items() if of_month == month)
        for value, weight in weights.items():
            expected = rows * weight / sum(weights.values())
            assert abs(found.get((month, value), 0) - expected) <= 5 * expected**0.5 + 5, (month, value)


def test_restrictions_are_as_frequent_as_in_the_figures(statements: duckdb.DuckDBPyConnection) -> None:
    figures = read_statement_figures()
    for field in ("decision_visibility", "decision_account", "decision_provision", "decision_monetary"):
        given = statements.execute(f"SELECT count({field}) FROM raw").fetchall()[0][0]
        real = sum(sum(figures.weights(field, month).values()) for month in range(len(figures.simulated_months)))
        expected = 100_000 * real / sum(figures.totals())
        assert abs(given - expected) <= 5 * expected**0.5 + 5, field


def test_mean_delays_are_those_of_the_figures(statements: duckdb.DuckDBPyConnection) -> None:
    figures = read_statement_figures()
    days = statements.execute("""
        SELECT avg(created_at::DATE - application_date), avg(application_date - content_date) FROM raw
        WHERE strftime(created_at, '%Y-%m') = '2025-10'
    """).fetchall()[0]
    october = figures.simulated_months.index("2025-10")
    expected = [figures.mean_delay(delay, october) for delay in ("disclosure_delay", "moderation_delay")]
    assert list(days) == pytest.approx(expected, rel=0.05)


def test_people_and_automation_go_together(statements: duckdb.DuckDBPyConnection) -> None:
    apart = """
        SELECT count(*) FROM raw
        WHERE automated_decision = 'AUTOMATED_DECISION_NOT_AUTOMATED' AND automated_detection = 'Yes'
          AND created_at < DATE '2025-10-01'
    """
    assert statements.execute(apart).fetchall() == [(0,)]


def test_every_value_of_the_figures_has_a_label_in_the_codebook() -> None:
    figures = read_statement_figures()
    columns = the_site().datasets[DatasetName("moderation_statements")].columns
    for field, counts in figures.counts.items():
        if field in columns:
            assert set(counts) - {"EU", "NOT_STATED"} <= set(columns[field].values or ()), field
    keywords = {keyword for keywords in figures.assumptions.keywords.values() for keyword in keywords}
    assert keywords <= set(columns["category_specification"].values or ())


def test_months_end_before_today_and_repeat_the_last_real_one_where_there_is_none() -> None:
    figures = read_statement_figures()
    months = figures.simulated_months
    assert list(months) == [f"{year}-{month:02d}" for year in (2024, 2025, 2026) for month in range(1, 13)][6:-2]
    assert figures.weights("category", len(months) - 1) == figures.weights("category", months.index("2025-12"))
    assert all(len(counts) == len(figures.months) for field in figures.counts.values() for counts in field.values())


def test_the_figures_are_those_of_the_committed_counts() -> None:
    figures = read_statement_figures()
    source = REPOSITORY / "datasets" / "dsa_transparency_daily" / "source.parquet"
    with duckdb.connect() as connection:
        counted = connection.execute(f"""
            SELECT field, coalesce(value, 'NOT_STATED'), strftime(day, '%Y-%m'), sum(statements)
            FROM '{source}' WHERE platform = 'AliExpress' GROUP BY ALL
        """).fetchall()
    real = {(field, value, month): count for field, value, month, count in counted}
    for field, values in figures.counts.items():
        for value, counts in values.items():
            assert counts == tuple(real.get((field, value, month), 0) for month in figures.months), (field, value)


def test_what_is_planted_in_the_source_is_in_no_column_of_the_release(
    statements: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    planted = "'@|Synthetic Person|Synthetic Shop|seller-0|listing-0|content-|marketplace.example'"
    in_source = f"SELECT count(*) FROM raw AS r WHERE regexp_matches(CAST(r AS VARCHAR), {planted})"
    assert statements.execute(in_source).fetchall() == [(100_000,)]
    notices = "SELECT count(*) > 10 FROM raw WHERE source_identity LIKE '%@notifier.example'"
    assert statements.execute(notices).fetchall() == [(True,)]

    dataset = the_site().datasets[DatasetName("moderation_statements")]
    files = published_files(
        dataset, simulate(dataset.name, tmp_path / "raw", MIDDLE, 7), tmp_path / "r", synthetic=True
    )
    in_release = f"SELECT count(*) FROM read_parquet({files}) AS r WHERE regexp_matches(CAST(r AS VARCHAR), {planted})"
    assert statements.execute(in_release).fetchall() == [(0,)]
    for identifier, column in (("uuid", "statement_id"), ("seller_id", "trader_ref"), ("listing_id", "listing_ref")):
        kept = f"SELECT count(*) FROM read_parquet({files}) WHERE {column} IN (SELECT {identifier} FROM raw)"
        assert statements.execute(kept).fetchall() == [(0,)]


def test_what_is_planted_in_the_source_is_in_no_byte_of_the_release(tmp_path: Path) -> None:
    dataset = the_site().datasets[DatasetName("moderation_statements")]
    raw = simulate(dataset.name, tmp_path / "raw", SMALL, 7)
    published_files(dataset, raw, tmp_path / "releases", synthetic=True)
    files = [path for path in (tmp_path / "releases").rglob("*") if path.is_file()]
    tables = [path for path in files if path.suffix == ".parquet"]
    assert len(files) > len(tables) > 0
    with duckdb.connect() as connection:
        for number, table in enumerate(tables):  # pages are compressed, so write them out as they are
            plain = tmp_path / f"plain-{number}.csv"
            connection.execute(f"COPY (FROM read_parquet('{table}', hive_partitioning = false)) TO '{plain}'")
            files.append(plain)
    planted = (b"@notifier.example", b"@shop.example", b"Synthetic Person", b"Synthetic Shop", b"seller-", b"listing-0")
    for path in files:
        content = path.read_bytes()
        assert not [text for text in planted if text in content], path.name
