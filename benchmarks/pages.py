"""How long a person waits for pages: the first one after a cold start, a change of page, a filter in Explore."""

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.serving import served
from benchmarks.world import seconds
from portal.settings import Settings

PAGES = ("SQL", "Saved queries", "Catalogue")
EXPLORED = "Marketplaces in the DSA Transparency Database"
PERIODS = ("week", "quarter", "year", "month")
PATIENCE = 120_000
"""Milliseconds until a page that does not come is an error."""


def measure(scale: float) -> Mapping[str, Any]:
    """Return seconds to the first page, and the medians of changes of page and of filter, each done `scale` times."""
    with tempfile.TemporaryDirectory() as folder, _a_page() as page:
        settings = Settings(home=Path(folder) / "home")
        with served("demo", settings):
            pass  # the demonstration's data are made: that is not what a start costs
        started = time.perf_counter()
        with served("demo", settings) as (address, _):
            page.goto(address)
            expect(page.get_by_role("button", name="Vetted researcher (demo)")).to_be_visible()
            start = time.perf_counter() - started
            page.get_by_role("button", name="Vetted researcher (demo)").click()
            expect(page.get_by_role("heading", name="Catalogue")).to_be_visible()
            changes = [seconds(lambda name=name: _go_to(page, name)) for _ in range(int(scale)) for name in PAGES]
            card = page.get_by_test_id("stLayoutWrapper").filter(has_text=EXPLORED).last
            card.get_by_role("link", name="Explore").click()
            expect(page.locator(".js-plotly-plot").first).to_be_visible()
            filters = [
                seconds(lambda place=place: _set_filter(page, place)) for place in range(len(PERIODS) * int(scale))
            ]
    return {
        "start_s": start,
        "first_change_s": max(changes[: len(PAGES)]),
        "change_s": statistics.median(changes[len(PAGES) :]),
        "filter_s": statistics.median(filters),
    }


@contextmanager
def _a_page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        found = next(filter(None, map(which, ("chromium", "chromium-browser", "google-chrome"))), None)
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield page
        browser.close()


def _go_to(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)


def _set_filter(page: Page, turn: int) -> None:
    """Group by another period; the question is a new one at first, and one whose answer is kept later."""
    period = PERIODS[turn % len(PERIODS)]
    page.get_by_role("radio", name=period, exact=True).click()
    expect(page.locator(".js-plotly-plot").get_by_text(f"day_{period}", exact=True)).to_be_visible()


def section(found: Mapping[str, Any]) -> str:
    """Return what was measured as a part of the page."""
    return f"""## Pages, in Chromium on the same machine

| what | seconds |
|---|---|
| start of the portal until its first page shows | {found["start_s"]:.2f} |
| a page opened for the first time in a session | {found["first_change_s"]:.2f} |
| change of page, median | {found["change_s"]:.2f} |
| another question in Explore until its chart shows, median | {found["filter_s"]:.2f} |
"""
