from dataclasses import replace
from pathlib import Path

import pytest
from support.portal import SALES, VETTED, a_portal

from portal.desk.access import catalogue, catalogue_entry
from portal.desk.copies import missing_bases
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.desk.upkeep import begin, build_workspaces
from portal.errors import ContentError
from portal.ids import DatasetName
from portal.publishing.releases import ReleaseStore
from portal.sql.plan import Statement

DAMAGED = DatasetName("holidays")


def test_a_damaged_manifest_closes_its_own_dataset_and_no_other(tmp_path: Path) -> None:
    with a_portal(tmp_path) as services:
        damaged = with_a_manifest_cut_short(services)
        begin(damaged)
        entries = {entry.dataset.dataset: entry for entry in catalogue(damaged, VETTED)}
        assert {name for name, entry in entries.items() if entry.damaged} == {DAMAGED}
        assert catalogue_entry(damaged, VETTED, DAMAGED).release is None
        build_workspaces(damaged, VETTED)
        assert run_statement(damaged, VETTED, Statement(SALES)).receipt.rows > 0
        with pytest.raises(ContentError, match="cannot be read"):
            run_statement(damaged, VETTED, Statement(f"SELECT count(*) AS n FROM {DAMAGED}"))


def with_a_manifest_cut_short(services: Services) -> Services:
    """Cut it, and look anew, as after a restart."""
    [manifest] = services.releases.root.glob(f"{DAMAGED}/*/manifest.json")
    manifest.parent.chmod(0o755)
    manifest.chmod(0o644)
    manifest.write_text(manifest.read_text()[:20])
    return replace(services, releases=ReleaseStore(services.releases.root))


def test_damage_is_met_by_who_builds_and_not_by_who_looks_for_what_is_missing(tmp_path: Path) -> None:
    with a_portal(tmp_path) as services:
        [file] = services.releases.root.glob("traders/*/*.parquet")
        file.parent.chmod(0o755)
        file.chmod(0o644)
        file.write_bytes(file.read_bytes()[:-8])
        assert {wanted.dataset for wanted in missing_bases(services)} == {"traders"}
        with pytest.raises(ContentError, match="changed"):
            build_workspaces(services, VETTED)
