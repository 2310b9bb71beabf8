"""Every command and program that these pages show runs as it stands, against a portal with real data."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.portal import a_token, services_of
from support.serving import served

from portal.desk.publication import publish_release
from portal.ids import DatasetName, PersonId, ProjectId
from portal.registry import seed_demo
from portal.settings import Settings
from portal.sql.plan import Statement
from portal.web.view_models.programs import as_r

ROOT = Path(__file__).parents[2]
NAME = DatasetName("dsa_transparency_daily")
SQL = "SELECT platform, sum(statements) AS statements FROM dsa_transparency_daily WHERE field = $field GROUP BY ALL"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Give what a program needs to ask a running portal."""
    folder = tmp_path_factory.mktemp("docs")
    settings = Settings(site=ROOT, home=folder / "home")
    with services_of(settings) as services:
        publish_release(services, NAME, [ROOT / "datasets" / NAME / "source.parquet"], synthetic=False)
        seed_demo(services.registry, services.clock(), services.site.datasets)
        token = a_token(services, PersonId("vetted@demo"), ProjectId("illegal-products"))
    with served(settings, folder / "serve.log") as server:
        client = {"PYTHONPATH": str(ROOT / "clients/python")}
        yield os.environ | client | {"PORTAL_URL": server.address, "PORTAL_TOKEN": token}


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def run(command: list[str], environment: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_commands_of_the_api_page_run(environment: dict[str, str], tmp_path: Path) -> None:
    said = run(["bash", "-euo", "pipefail", "-c", "\n".join(blocks("docs/api.md", "sh"))], environment, tmp_path)
    assert "vetted@demo" in said
    assert "AliExpress,807498434" in said
    assert "304\n" in said
    assert (tmp_path / "extract.parquet").read_bytes().startswith(b"PAR1")
    assert json.loads((tmp_path / "croissant.json").read_text())["conformsTo"].endswith("croissant/1.1")


def test_the_programs_of_the_client_page_run(environment: dict[str, str], tmp_path: Path) -> None:
    said = run([sys.executable, "-c", "\n".join(blocks("clients/python/README.md", "python"))], environment, tmp_path)
    assert "DSA Transparency Database" in said
    assert "SQL_UNKNOWN_COLUMN 1 8" in said
    assert (tmp_path / "extract.parquet").exists()


def test_the_notebook_runs_from_top_to_bottom(environment: dict[str, str], tmp_path: Path) -> None:
    notebook = json.loads((ROOT / "docs/examples/automated_decisions.ipynb").read_text())
    assert all(not cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"), "kept without outputs"
    code = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    said = run([sys.executable, "-c", "\n".join(code)], environment, tmp_path)
    assert "complete: True | withheld: False | synthetic: False" in said
    assert re.search(r"AliExpress: [\d.]+ % in the quarter of 2023-07-01, [\d.]+ % in that of 2026-01-01", said)


def test_the_program_for_r_is_the_one_that_the_page_writes() -> None:
    [shown] = blocks("docs/api.md", "r")
    assert shown == as_r(Statement(SQL, {"field": "rows"}), "http://127.0.0.1:8501")


def test_the_client_needs_no_more_than_it_says() -> None:
    imported = {
        name
        for path in (ROOT / "clients/python/dsa_portal").glob("*.py")
        for name in re.findall(r"^(?:from|import) (\w+)", path.read_text(), re.MULTILINE)
    }
    assert imported - set(sys.stdlib_module_names) == {"dsa_portal", "httpx", "pyarrow"}
