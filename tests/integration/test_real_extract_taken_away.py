"""The real Meta file, end to end: published, asked, and a filtered extract taken away with its manifest."""

import json
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from portal.desk.answers import Asker
from portal.desk.downloads import open_download
from portal.desk.making import make_download
from portal.desk.publication import publish_release
from portal.desk.statements import run_statement
from portal.ids import DatasetName, PersonId, ProjectId
from portal.registry import seed_demo
from portal.settings import Settings
from portal.sql.plan import Statement
from portal.wiring import build_services

ROOT = Path(__file__).parents[2]
RAW = ROOT.parent / "shared/realdata/ads_meta/meta_ad_targeting_2024-12-18.parquet"
ASKER = Asker(PersonId("vetted@demo"), ProjectId("ads-and-minors"))
EXCLUDED = "SELECT * FROM ad_targeting WHERE is_exclusion AND location_type IS NOT NULL"

pytestmark = pytest.mark.skipif(not RAW.exists(), reason="the real Meta file lies beside the repository only")


def test_a_filtered_extract_of_the_real_meta_file_is_taken_away_with_its_manifest(tmp_path: Path) -> None:
    services = build_services(Settings(site=ROOT, home=tmp_path, warm_sandboxes=1))
    try:
        seed_demo(services.registry, services.clock(), services.site.datasets)
        manifest = publish_release(services, DatasetName("ad_targeting"), [RAW], synthetic=False)
        assert manifest.rows == 195_499
        by_type = f"SELECT location_type, count(*) AS n FROM ({EXCLUDED}) GROUP BY ALL ORDER BY ALL"
        asked = run_statement(services, ASKER, Statement(by_type)).table().to_pylist()
        ticket = make_download(services, ASKER, Statement(EXCLUDED), "parquet")
        _, path = open_download(services, ASKER, ticket.id)
    finally:
        services.sandbox.close()
    raw = duckdb.execute(
        f"SELECT location_type, count(*) FROM '{RAW}' WHERE is_exclusion AND location_type IS NOT NULL "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert [tuple(row.values()) for row in asked] == raw
    table = pq.read_table(path)
    assert table.num_rows == pl.read_parquet(path).height == sum(count for _, count in raw) == ticket.rows
    inside = json.loads(table.schema.metadata[b"dsa_research_portal"])
    assert inside["receipt"]["sources"][0]["release"] == 1
    assert inside["synthetic"] is False
    beside = json.loads(path.with_name(f"{path.name}.manifest.json").read_text())
    assert beside["sha256"] == ticket.sha256
    assert beside["receipt"] == inside["receipt"]
