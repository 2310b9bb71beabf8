import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pytest
from support.content import REPOSITORY, published_files, the_site

from portal.ids import DatasetName
from portal.simulation import simulate
from portal.simulation.complaints import read_complaint_figures
from portal.simulation.marginals import Marginal, compare, in_markdown
from portal.simulation.notices import read_notice_figures

SMALL = 0.02
MIDDLE = 0.2
PLANTED_TEXTS = {
    "notices": ("@notifier.example", "Synthetic Person", "seller-0", "listing-0"),
    "complaints": ("@complainant.example", "Synthetic Complainant", "seller-0"),
}
INDICATORS = {
    "VISIBILITY": "Complaint regarding a decision to remove or disable access to or restrict visibility of information",
    "SERVICE": "Complaint regarding a decision to suspend or terminate the provision of the service",
    "ACCOUNT": "Complaint regarding a decision to suspend or terminate an account",
    "NOTICE_NO_ACTION": "Complaint regarding a decision not to take action on a notice submitted in accordance with "
    "Article 16",
}


def reported() -> Sequence[Mapping[str, str]]:
    """Return the committed lines of AliExpress' report."""
    source = REPOSITORY / "datasets" / "moderation_capacity" / "source.csv"
    with source.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["service"] == "AliExpress"]


def test_the_figures_of_notices_are_those_of_the_committed_report() -> None:
    figures = read_notice_figures()
    lines = {row["category"]: row for row in reported() if row["report_table"] == "notices"}
    assert set(figures.categories) == set(lines) - {"TOTAL"}
    for category, of in figures.categories.items():
        told = (lines[category][key] for key in ("value", "acted_by_law", "acted_by_terms", "median_hours"))
        assert tuple(map(float, told)) == (of.received, of.by_law, of.by_terms, of.median_hours), category
    users = {row["scope"]: int(row["value"]) for row in reported() if row["report_table"] == "recipients"}
    assert figures.recipients == {state: number for state, number in users.items() if state != "TOTAL"}


def test_the_figures_of_complaints_are_those_of_the_committed_report() -> None:
    lines = {(row["indicator"], row["scope"]): float(row["value"]) for row in reported()}
    for kind, of in read_complaint_figures().contested.items():
        told = (lines[INDICATORS[kind], scope] for scope in ("Total number", "Decisions reversed", "Median time"))
        assert tuple(told) == (of.complaints, of.reversed, of.median_hours), kind


@pytest.mark.parametrize("name", PLANTED_TEXTS)
def test_what_people_wrote_and_who_they_are_is_in_no_column_of_the_release(name: str, tmp_path: Path) -> None:
    sources = simulate(name, tmp_path / "raw", SMALL, 7)
    files = published_files(the_site().datasets[DatasetName(name)], sources, tmp_path / "releases", synthetic=True)
    holds = "SELECT count(*) FROM read_parquet({}) AS r WHERE regexp_matches(CAST(r AS VARCHAR), '{}')"
    with duckdb.connect() as connection:
        for text in PLANTED_TEXTS[name]:
            ((raw,),) = connection.execute(holds.format([str(path) for path in sources], text)).fetchall()
            ((released,),) = connection.execute(holds.format(files, text)).fetchall()
            assert raw > 0, text
            assert released == 0, text


def bound(marginal: Marginal) -> float:
    """How far a figure may be off: five times what chance does, and what is planted (points, or percent of hours)."""
    if marginal.unit == "percent":
        share = min(max(marginal.real / 100, 1 / marginal.rows), 1)
        return float(100 * 5 * (share * (1 - share) / marginal.rows) ** 0.5 + 1.5)
    return float(100 * 5 / marginal.rows**0.5 + 10)


@pytest.mark.parametrize("name", ["moderation_statements", "notices", "complaints"])
def test_what_is_made_up_is_near_the_real_figures(name: str, tmp_path: Path) -> None:
    marginals = compare(name, simulate(name, tmp_path / "raw", MIDDLE, 7))
    assert len(marginals) >= 12
    far = [marginal for marginal in marginals if abs(marginal.difference) > bound(marginal)]
    assert far == []
    page = in_markdown({name: marginals, "ad_targeting": ()})
    assert page.count("\n| ") == len(marginals) + 1
    assert "ad_targeting" not in page


def test_a_difference_is_in_points_of_shares_and_in_percent_of_hours() -> None:
    assert Marginal("share", "x", "percent", 20.0, 25.0, 100).difference == pytest.approx(5)
    assert Marginal("median hours", "x", "hours", 20.0, 25.0, 100).difference == pytest.approx(25)


def test_what_is_calibrated_to_no_figure_is_compared_with_none(tmp_path: Path) -> None:
    assert compare("ad_targeting", [tmp_path / "absent"]) == ()


def test_no_one_decides_in_the_future_or_before_being_asked(tmp_path: Path) -> None:
    for name, asked in (("notices", "received_at"), ("complaints", "lodged_at")):
        sources = [str(path) for path in simulate(name, tmp_path / name, SMALL, 7)]
        with duckdb.connect() as connection:
            wrong = (
                f"SELECT count(*) FROM read_parquet({sources}) WHERE decided_at < {asked} OR decided_at >= '2026-11-24'"
            )
            assert connection.execute(wrong).fetchall() == [(0,)], name
