import json
from pathlib import Path

import pytest
from support.cli import Command

from portal.catalogue.metadata import FORMS


@pytest.fixture(name="portal")
def portal_fixture(tmp_path: Path) -> Command:
    return Command(tmp_path)


def test_a_dataset_is_described_in_every_form_and_the_choice_is_said(portal: Command) -> None:
    for form in FORMS:
        ran = portal("metadata", "sales", "--format", form, "--address", "https://portal.example.org")
        assert ran.exit_code == 0
        assert "https://portal.example.org" in ran.stdout
    wrong = portal("metadata", "sales", "--format", "docx")
    assert wrong.exit_code == 2
    assert "croissant.json" in wrong.stderr


def test_a_description_goes_to_a_file_and_one_of_nothing_is_refused(portal: Command) -> None:
    out = portal.folder / "sales.json"
    assert portal("metadata", "sales", "--out", str(out)).stdout == ""
    assert json.loads(out.read_text())["name"] == "Sales (synthetic data)"
    missing = portal("metadata", "nothing")
    assert missing.exit_code == 2
    assert "NO_SUCH_DATASET" in missing.stderr or "no dataset 'nothing'" in missing.stderr
