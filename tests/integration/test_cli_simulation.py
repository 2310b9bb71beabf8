"""`portal simulate`: releases that are labelled synthetic, and the page that holds them against the real figures."""

import json
from pathlib import Path

from click.testing import CliRunner, Result
from support.content import REPOSITORY

from portal.cli.main import main


def simulate(home: Path, *arguments: str) -> Result:
    options = ("--site", str(REPOSITORY), "--home", str(home), "simulate", "--scale", "0.01")
    return CliRunner().invoke(main, [*options, *arguments], prog_name="portal")


def test_what_is_made_up_is_published_as_synthetic_and_held_against_the_figures(tmp_path: Path) -> None:
    page = tmp_path / "report.md"
    made = simulate(tmp_path / "home", "notices", "recommender_source_code", "--report", str(page), "--json")
    assert made.exit_code == 0, made.output
    told = {record["dataset"]: record for record in json.loads(made.stdout)}
    assert set(told) == {"notices", "recommender_source_code"}
    assert all(record["synthetic"] and record["rejected"] == 0 for record in told.values())
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# What is made up")
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## notices"]
    assert "| share of member state | DE | 13.130 % |" in text


def test_a_report_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    made = simulate(tmp_path / "home", "recommender_source_code", "--report", str(tmp_path / "absent" / "report.md"))
    assert made.exit_code == 2
    assert "folder" in made.output
