"""The one real dataset that the repository holds: as its codebook says, and as the database's own counts say."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import duckdb
import pyarrow.parquet as pq
import pytest
from support.publishing import KEY, now

from portal.catalogue.dataset import Dataset
from portal.publishing.publish import publish
from portal.publishing.releases import ReleaseStore
from portal.site import read_site

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "datasets" / "dsa_transparency_daily"
REAL = REPOSITORY.parent / "shared" / "realdata"
needs_real_data = pytest.mark.skipif(not REAL.is_dir(), reason="../shared/realdata is not there")

ONE_VALUE_EACH = (
    "category", "decision_ground", "source_type", "automated_detection", "automated_decision", "decision_type",
    "decision_monetary", "decision_provision", "decision_account", "account_type", "incompatible_content_illegal",
    "content_language",
)  # fmt: skip


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return next(found for name, found in read_site(REPOSITORY).site.datasets.items() if name == FOLDER.name)


@pytest.fixture(scope="module")
def connection(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give the published release as the table `daily`."""
    root = tmp_path_factory.mktemp("releases")
    manifest = publish(dataset, [FOLDER / "source.parquet"], root, KEY, now, synthetic=False)
    files = [str(path) for path in ReleaseStore(root).paths(manifest)]
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW daily AS FROM read_parquet({files})")
        connection.execute("CREATE VIEW ali AS FROM daily WHERE platform = 'AliExpress'")
        yield connection


def derive_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("derive", FOLDER / "derive.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_aliexpress_sent_as_many_statements_as_the_database_holds(connection: duckdb.DuckDBPyConnection) -> None:
    total = "SELECT sum(statements), count(*), min(day)::TEXT, max(day)::TEXT FROM ali WHERE field = 'rows'"
    assert connection.execute(total).fetchall() == [(807_498_434, 813, "2023-09-25", "2026-01-10")]


def test_the_fall_of_unsafe_products_in_spring_2025_is_there_to_see(connection: duckdb.DuckDBPyConnection) -> None:
    fall = """
        SELECT month(day), round(sum(statements) / 1e6, 2) FROM ali
        WHERE field = 'category' AND value = 'STATEMENT_CATEGORY_UNSAFE_AND_ILLEGAL_PRODUCTS'
          AND day BETWEEN DATE '2025-03-01' AND DATE '2025-05-31'
        GROUP BY ALL ORDER BY ALL
    """
    assert connection.execute(fall).fetchall() == [(3, 45.69), (4, 20.86), (5, 0.58)]


@pytest.mark.parametrize("field", ONE_VALUE_EACH)
def test_a_field_of_one_value_counts_every_statement_once(connection: duckdb.DuckDBPyConnection, field: str) -> None:
    wrong = """
        SELECT count(*) FROM (
            SELECT platform, day, sum(statements) FILTER (field = $field) AS counted,
                   sum(statements) FILTER (field = 'rows') AS total
            FROM daily GROUP BY ALL)
        WHERE counted IS DISTINCT FROM total
    """
    assert connection.execute(wrong, {"field": field}).fetchall() == [(0,)]


def test_delays_are_hours_and_stand_nowhere_else(connection: duckdb.DuckDBPyConnection) -> None:
    fields = "SELECT DISTINCT field FROM daily WHERE mean_hours IS NOT NULL ORDER BY 1"
    assert connection.execute(fields).fetchall() == [("disclosure_delay",), ("moderation_delay",)]
    mean = "SELECT round(sum(mean_hours * statements) / sum(statements)) FROM ali WHERE field = 'disclosure_delay'"
    assert 24 < connection.execute(mean).fetchall()[0][0] < 24 * 14


def test_every_value_of_the_codebook_has_a_label_and_every_erratum_names_columns(dataset: Dataset) -> None:
    assert all(label.strip() for column in dataset.columns.values() for label in (column.values or {}).values())
    assert all(erratum.columns for erratum in dataset.errata)


def test_the_committed_source_says_where_it_comes_from_and_is_small() -> None:
    source = FOLDER / "source.parquet"
    assert source.stat().st_size <= 1_500_000
    stated = {name.decode(): value.decode() for name, value in pq.read_metadata(source).metadata.items()}
    assert stated.items() >= derive_script().FACTS.items()


def test_another_wheel_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "shantay-0.6.0-py3-none-any.whl"
    wheel.write_bytes(b"something else")
    with pytest.raises(SystemExit, match="not the known wheel"):
        derive_script().derive(wheel, tmp_path / "source.parquet", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [wheel.name]


@needs_real_data
def test_every_count_of_aliexpress_equals_the_independent_derivation(connection: duckdb.DuckDBPyConnection) -> None:
    real = REAL / "dsa_tdb_daily_stats" / "aliexpress_daily_stats.parquet"
    same = f"""
        SELECT count(*) FROM (
            SELECT day, field, value, statements FROM ali
            EXCEPT
            SELECT date, field, coalesce(nullif(value, ''), nullif(entity, '')), statements FROM '{real}')
    """
    assert connection.execute(same).fetchall() == [(0,)]


@needs_real_data
def test_every_month_of_the_other_marketplaces_equals_the_independent_derivation(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    real = REAL / "dsa_tdb_daily_stats" / "marketplaces_monthly_field_value_counts.parquet"
    differing = f"""
        SELECT count(*) FROM (
            SELECT month, platform, field, nullif(value, '(none)') AS value, statements FROM '{real}'
            WHERE platform IN (SELECT platform FROM daily) AND field IN (SELECT field FROM daily) AND statements > 0
            EXCEPT
            SELECT date_trunc('month', day), platform, field, value, sum(statements) FROM daily GROUP BY ALL)
    """
    assert connection.execute(differing).fetchall() == [(0,)]


@needs_real_data
def test_the_labels_are_those_of_the_database(dataset: Dataset) -> None:
    enums = json.loads((REAL / "dsa_tdb_schema" / "sor_enums_v2.json").read_text())["enums"]
    assert {value for values in enums.values() for value in values} <= set(dataset.columns["value"].values or {})
