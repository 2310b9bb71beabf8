"""The editor of SQL in a real browser, under the policy of scripts that the portal sends."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect
from support.browsing import a_browser
from support.portal import services_of, write_portal
from support.serving import served

from portal.ledger import Action
from portal.registry.demo import VETTED, seed_demo
from portal.settings import Settings

pytestmark = pytest.mark.e2e
PATIENCE = 60_000
"""Milliseconds, on a machine that may be busy."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    written = write_portal(tmp_path_factory.mktemp("portal"))
    with services_of(written) as services:
        seed_demo(services.registry, services.clock(), services.site.datasets)
    return written


@pytest.fixture(scope="module")
def address(settings: Settings) -> Iterator[str]:
    with served(settings, settings.home.parent / "log") as server:
        yield server.address


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    with a_browser() as browser:
        visit = browser.new_page(viewport={"width": 1440, "height": 1000})
        visit.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        visit.goto(address)
        visit.get_by_role("button", name="Vetted researcher (demo)").click()
        visit.get_by_label("Project").click()
        visit.get_by_role("option", name="illegal-products").click()
        expect(visit.get_by_text("Illegal and unsafe products")).to_be_visible()
        go_to(visit, "SQL")
        yield visit


def go_to(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def editor(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Statement")


def ran(settings: Settings) -> int:
    with services_of(settings) as services:
        return len(services.ledger.search(actor=VETTED, action=Action.STATEMENT_RAN))


def test_the_editor_proposes_columns_and_values_and_runs_by_its_key_once(page: Page, settings: Settings) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    before = ran(settings)
    editor(page).fill("SELECT count(*) AS n FROM traders WHERE ")
    editor(page).press("Control+End")
    page.keyboard.type("coun", delay=40)
    page.get_by_role("option").filter(has_text="country").click()
    page.keyboard.type(" = '", delay=40)
    expect(page.get_by_role("option")).to_have_text(["DEGermany", "FRFrance", "ITItaly"])
    page.get_by_role("option").first.click()
    expect(editor(page)).to_have_text("SELECT count(*) AS n FROM traders WHERE country = 'DE'")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("traders, release 1").first).to_be_visible()
    assert ran(settings) == before + 1
    assert said == []


def test_a_fault_in_the_selection_is_underlined_at_its_place_with_its_fix(page: Page) -> None:
    editor(page).fill("SELECT 1 AS one;\nSELECT nonsense FROM sales")
    editor(page).press("Control+End")
    page.keyboard.press("Shift+Home")
    page.keyboard.press("Control+Enter")
    marked = page.locator(".cm-lintRange-error")
    expect(marked).to_have_text("nonsense")
    marked.hover()
    expect(page.locator(".cm-diagnostic")).to_contain_text("What to do:")


def test_tab_indents_and_after_escape_leaves_the_editor(page: Page) -> None:
    editor(page).fill("SELECT 1")
    editor(page).press("Tab")
    expect(editor(page)).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(editor(page)).not_to_be_focused()


def test_each_tab_keeps_its_text_over_formatting_undoing_and_another_page(page: Page) -> None:
    editor(page).fill("select name from holidays")
    page.get_by_role("button", name="Format").click()
    expect(page.locator(".cm-line")).to_have_text(["SELECT", "  name", "FROM holidays"])
    editor(page).press("Control+z")
    expect(editor(page)).to_have_text("select name from holidays")
    page.get_by_role("button", name="New tab").click()
    expect(editor(page)).to_have_text("")
    editor(page).fill("SELECT 2")
    page.get_by_role("radio", name="Query 1").click()
    expect(editor(page)).to_have_text("select name from holidays")
    editor(page).fill("SELECT 3")
    go_to(page, "Activity")
    go_to(page, "SQL")
    expect(editor(page)).to_have_text("SELECT 3")
    page.get_by_role("radio", name="Query 2").click()
    expect(editor(page)).to_have_text("SELECT 2")


def test_the_plain_text_area_takes_the_text_over_and_stays_chosen(page: Page) -> None:
    editor(page).fill("SELECT day FROM holidays")
    page.get_by_text("Plain text area").click()
    expect(page.locator("textarea")).to_have_value("SELECT day FROM holidays")
    editor(page).fill("SELECT name FROM holidays")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("holidays, release 1").first).to_be_visible()
    go_to(page, "Activity")
    go_to(page, "SQL")
    expect(page.locator("textarea")).to_have_value("SELECT name FROM holidays")
    page.get_by_label("Project").click()
    page.get_by_role("option", name="ads-and-minors").click()
    expect(page.get_by_text("that reach minors")).to_be_visible()
    expect(page.locator("textarea")).to_have_value("SELECT *\nFROM holidays\nLIMIT 10")
    page.get_by_text("Plain text area").click()
    expect(page.locator(".cm-line")).to_have_text(["SELECT *", "FROM holidays", "LIMIT 10"])
