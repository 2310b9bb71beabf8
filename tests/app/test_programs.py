from pathlib import Path

from support.pages import open_page, text_of
from support.portal import GOODS, VERA

from portal.desk.services import Services


def test_the_sql_page_writes_the_statement_as_programs_without_a_token(services: Services, tmp_path: Path) -> None:
    page = open_page("sql", VERA, GOODS)
    written = [block.value for block in page.code]
    for program in ("from dsa_portal import Portal", "library(httr2)", "curl --fail-with-body"):
        [text] = [each for each in written if program in each]
        assert "PORTAL_TOKEN" in text
        assert "FROM " in text
    assert str(tmp_path) not in text_of(page)
    assert not services.registry.tokens_of(VERA), "a page that is looked at issues no token"


def test_the_dataset_page_writes_its_description_in_the_form_that_is_chosen(services: Services) -> None:
    assert services
    page = open_page("dataset", VERA, GOODS, name="sales")
    [choice] = [each for each in page.selectbox if each.label == "For other tools"]
    choice.set_value("dcat.jsonld").run()
    assert any('"dcat:Dataset"' in block.value for block in page.code)


def test_the_dataset_page_cites_in_words_and_for_reference_managers(services: Services) -> None:
    assert services
    cited = [block.value for block in open_page("dataset", VERA, GOODS, name="sales").code]
    for form in ("Nobody (2026). Sales. Release 1 (synthetic data).", "@misc{sales", '"type": "dataset"'):
        assert [text for text in cited if form in text], form
