"""A newcomer's whole way, in a real browser: find, explore, ask in SQL, run a saved query, take a file away."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import polars as pl
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect
from support.browsing import a_browser, a_running_demo

SHOTS = Path(__file__).parent / "screenshots"
pytestmark = pytest.mark.e2e
PATIENCE = 120_000
"""Milliseconds; on a busy machine the first use of a large dataset builds its governed copy."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with a_running_demo(tmp_path_factory.mktemp("demo") / "home") as running:
        yield running


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    SHOTS.mkdir(exist_ok=True)
    with a_browser() as browser:
        visit = browser.new_page(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
        visit.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        visit.goto(address)
        yield visit


def sign_in(page: Page, role: str, project: str | None = None) -> None:
    page.get_by_role("button", name=role).click()
    expect(page.get_by_role("heading", name="Catalogue")).to_be_visible()
    if project:
        page.get_by_label("Project").click()
        page.get_by_role("option", name=project).click()
        expect(page.get_by_text("Illegal and unsafe products")).to_be_visible()


def go_to(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def shoot(page: Page, name: str) -> None:
    page.screenshot(path=SHOTS / f"{name}.png")


def test_a_newcomer_finds_explores_asks_and_takes_away(page: Page) -> None:
    shoot(page, "1-sign-in")
    sign_in(page, "Vetted researcher (demo)", "illegal-products")
    shoot(page, "2-catalogue")

    page.get_by_label("Search").fill("statements of reasons")
    page.get_by_label("Search").press("Enter")
    expect(page.get_by_text("Statements of reasons of a simulated marketplace").first).to_be_visible()
    expect(page.get_by_text("Synthetic data").first).to_be_visible()

    go_to(page, "Saved queries")
    page.get_by_text("Statements by month and category", exact=True).first.click()
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    expect(page.get_by_text("Labels of unsafe products moved in spring 2025").first).to_be_visible()
    shoot(page, "3-saved-query")

    go_to(page, "Catalogue")
    card = page.get_by_test_id("stLayoutWrapper").filter(has_text="Marketplaces in the DSA Transparency Database").last
    card.get_by_role("link", name="Explore").click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    page.get_by_text("SQL behind this").click()
    expect(page.get_by_text("FROM dsa_transparency_daily").or_(page.get_by_text('FROM "dsa_transparency_daily"')).first)
    assert "dataset=dsa_transparency_daily" in page.url
    shoot(page, "4-explore")

    go_to(page, "SQL")
    page.get_by_role("textbox", name="Statement").fill(
        "SELECT category, count(*) AS n FROM moderation_statements GROUP BY category ORDER BY n DESC"
    )
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("moderation_statements, release 1").first).to_be_visible()
    shoot(page, "5-sql")

    page.get_by_role("textbox", name="Statement").fill("SELECT nonsense FROM moderation_statements")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text('There is no column "nonsense"').first).to_be_visible()
    shoot(page, "6-refusal")


def test_a_filtered_extract_is_taken_away_with_its_manifest(page: Page, address: str) -> None:
    sign_in(page, "Vetted researcher (demo)", "illegal-products")
    go_to(page, "SQL")
    page.get_by_role("textbox", name="Statement").fill(
        "SELECT * FROM dsa_transparency_daily WHERE platform = 'AliExpress' AND field = 'category'"
    )
    page.get_by_role("button", name="Run").click()
    page.get_by_role("button", name="Make a file to download").click()
    link = page.get_by_role("link", name="Fetch dsa_transparency_daily")
    expect(link).to_be_visible()
    shoot(page, "7-download")
    fetched = page.request.get(urljoin(address, str(link.get_attribute("href"))))
    assert fetched.ok
    body = fetched.body()
    table = pq.read_table(io.BytesIO(body))
    assert pl.read_parquet(io.BytesIO(body)).height == table.num_rows > 1000
    assert set(table["platform"].to_pylist()) == {"AliExpress"}
    manifest = json.loads(table.schema.metadata[b"dsa_research_portal"])
    assert manifest["receipt"]["rows"] == table.num_rows
    assert manifest["receipt"]["sources"][0]["dataset"] == "dsa_transparency_daily"
    assert "Transparency Database" in manifest["citations"][0]


def test_a_registered_researcher_is_shown_the_way_from_rows_to_statistics(page: Page) -> None:
    sign_in(page, "Registered researcher (demo)")
    go_to(page, "SQL")
    page.get_by_role("textbox", name="Statement").fill("SELECT * FROM moderation_statements")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("it answers in figures for groups")).to_be_visible()
    shoot(page, "8-registered-refused")
    page.get_by_role("textbox", name="Statement").fill(
        "SELECT category, automated_decision, count(*) AS n FROM moderation_statements GROUP BY ALL ORDER BY n DESC"
    )
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("Receipt and citation")).to_be_visible()
    shoot(page, "9-registered-cells")


def test_a_registered_researcher_explores_statistics(page: Page) -> None:
    sign_in(page, "Registered researcher (demo)")
    card = page.get_by_test_id("stLayoutWrapper").filter(has_text="Statements of reasons of a simulated").last
    card.get_by_role("link", name="Explore").click()
    expect(page.get_by_text("Statistics only: each figure rests on at least 10 different")).to_be_visible()
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    expect(page.get_by_text("moderation_statements, release 1").first).to_be_visible()
    assert "group=created_at.month" in page.url
    shoot(page, "10-registered-explores")


def test_the_pages_send_nobody_elsewhere_and_the_metrics_are_closed(page: Page, address: str) -> None:
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.reload()
    sign_in(page, "Auditor (demo)")
    elsewhere = [url for url in seen if not url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))]
    assert elsewhere == []
    assert page.request.get(f"{address}/_stcore/metrics").status in {403, 404}
    headers = page.request.get(address).headers
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
