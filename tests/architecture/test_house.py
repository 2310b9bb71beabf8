"""The house stands as its documents say."""

import re
from pathlib import Path

import pytest

from portal.catalogue.dataset import Dataset
from portal.policy.masks import MASKS
from portal.policy.model import Policy
from portal.site.yaml_files import read_model

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LONGEST_FILE = 400


def test_no_file_of_the_portal_is_longer_than_the_house_allows() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in (ROOT / "portal").rglob("*.py")}
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_module_and_test_that_a_security_property_names_is_there() -> None:
    rows = re.findall(r"^\| \d+ \|.*\|(.*)\|(.*)\|$", (ROOT / "docs/security-properties.md").read_text(), re.MULTILINE)
    assert len(rows) > 10
    named = [(top, path) for row in rows for top, cell in zip(("portal", "tests"), row, strict=True)
             for path in re.findall(r"`([^`]+)`", cell)]  # fmt: skip
    assert [path for top, path in named if not (ROOT / top / path).exists()] == []


@pytest.mark.parametrize(("page", "model"), [("policies.md", Policy), ("datasets.md", Dataset)])
def test_the_worked_example_of_a_guide_is_valid(page: str, model: type[Policy] | type[Dataset]) -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)
    found, _, faults = read_model(example, Path(page), model)
    assert faults == ()
    assert found is not None


def test_the_guide_names_every_obligation() -> None:
    guide = (ROOT / "docs/policies.md").read_text()
    assert [kind for kind in MASKS if not re.search(rf"^\| `\{{?{kind}\b", guide, re.MULTILINE)] == []


def test_every_dependency_earns_its_place_in_a_line_of_the_architecture() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    listed = project.split("dependencies = [")[1].split("]\n\n")[0]
    names = re.findall(r'^\s*"([a-z0-9._-]+)', listed, re.MULTILINE | re.IGNORECASE)
    page = (ROOT / "docs/architecture.md").read_text()
    assert len(names) > 10
    assert [name for name in names if not re.search(rf"\b{re.escape(name)}\b", page)] == []
