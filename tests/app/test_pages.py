import logging
from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest
from support.jobs import ENDLESS, eventually
from support.pages import SCRIPT, SECONDS, enter_page, open_page, press, settled, text_of
from support.portal import GOODS, HIDDEN, OSCAR, RITA, SALES, VERA

from portal.desk import access
from portal.desk.answers import Asker
from portal.desk.downloads import download_status, request_download
from portal.desk.services import Services
from portal.ids import DatasetName, PersonId, ProjectId
from portal.ledger import Action
from portal.policy.model import Access
from portal.registry import Audit
from portal.registry.demo import VETTED, seed_demo
from portal.sql.plan import Statement

PAGES = ("catalogue", "explore", "sql", "saved_queries", "commitments", "downloads", "activity", "dataset")


def audit(services: Services) -> Audit:
    return Audit(None, services.clock())


def end_grant(services: Services) -> None:
    services.registry.revoke_grant(DatasetName("sales"), GOODS, audit=audit(services))


def ask(sql: str, person: PersonId = VERA, project: ProjectId | None = GOODS) -> AppTest:
    app = open_page("sql", person, project)
    app.text_area(key="sql-text").set_value(sql)
    return press(app, "Run")


def test_no_page_fails_or_shows_what_is_hidden_from_any_role(services: Services) -> None:
    assert services.site.datasets
    for person, project in ((VERA, GOODS), (RITA, None), (OSCAR, None)):
        for page in PAGES:
            app = open_page(page, person, project)
            assert not app.exception, (person, page)
            assert not app.error, (person, page)
            assert not [hidden for hidden in (*HIDDEN, "salaries") if hidden in text_of(app)], (person, page)


def test_the_demo_sign_in_leads_to_the_catalogue_and_is_recorded(services: Services) -> None:
    seed_demo(services.registry, services.clock(), services.site.datasets)
    app = AppTest.from_file(str(SCRIPT), default_timeout=SECONDS).run()
    assert [title.value for title in app.title] == ["DSA research portal"]
    press(app, "Vetted researcher (demo)")
    assert [title.value for title in app.title] == ["Catalogue"]
    assert services.ledger.search(actor=VETTED)[0].action is Action.SIGNED_IN
    press(app, "Sign out")
    assert [title.value for title in app.title] == ["DSA research portal"]
    assert services.ledger.search(actor=VETTED)[0].action is Action.SIGNED_OUT


@pytest.mark.parametrize(("setting", "value"), [("PORTAL_PRODUCTION", "true"), ("PORTAL_HOST", "0.0.0.0")])
def test_nobody_picks_a_role_in_production_or_from_elsewhere(
    services: Services, monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    assert services.site.datasets
    monkeypatch.setenv(setting, value)
    app = AppTest.from_file(str(SCRIPT), default_timeout=SECONDS).run()
    assert not app.button
    assert app.info


def test_one_who_is_no_longer_admitted_is_out_at_the_next_click(services: Services) -> None:
    app = ask(SALES)
    services.registry.set_active(VERA, active=False, audit=audit(services))
    app.run()
    assert [title.value for title in app.title] == ["DSA research portal"]
    assert not app.dataframe


def test_the_catalogue_says_how_far_access_goes_and_what_is_synthetic(services: Services) -> None:
    assert services.site.datasets
    app = open_page("catalogue", VERA, GOODS)
    assert [heading.value for heading in app.subheader] == ["Holidays", "Sales", "Traders"]
    said = text_of(app)
    assert all(words in said for words in ("Row by row", "Statistics", "Synthetic data"))


def test_search_narrows_the_catalogue(services: Services) -> None:
    assert services.site.datasets
    app = open_page("catalogue", VERA, GOODS)
    app.text_input(key="catalogue.search").set_value("PRICE").run()
    assert [heading.value for heading in app.subheader] == ["Sales"]
    app.text_input(key="catalogue.search").set_value("unicorn").run()
    assert not app.subheader
    assert "Nothing fits" in app.info[0].value


def test_the_catalogue_says_where_a_word_was_found_and_keeps_to_a_level(services: Services) -> None:
    assert services.site.datasets
    app = open_page("catalogue", VERA, GOODS)
    app.text_input(key="catalogue.search").set_value("germany").run()
    assert [heading.value for heading in app.subheader] == ["Traders"]
    assert "Found in `country` = `DE`." in text_of(app)
    app.text_input(key="catalogue.search").set_value("").run()
    app.get("button_group")[0].set_value([Access.AGGREGATES]).run()
    assert [heading.value for heading in app.subheader] == ["Traders"]


def test_a_dataset_page_says_what_becomes_of_each_column(services: Services) -> None:
    assert services.site.datasets
    app = open_page("dataset", VERA, GOODS, name="sales")
    codebook = app.table[0].value.set_index("Column")["For you"]
    assert codebook["`id` varchar"].startswith("hidden")
    assert codebook["`seller` varchar"].startswith("replaced by a pseudonym")


def test_a_closed_dataset_reads_as_one_that_does_not_exist(services: Services) -> None:
    assert services.site.datasets
    closed, absent = (open_page("dataset", VERA, GOODS, name=name).warning[0].value for name in ("salaries", "nothing"))
    assert closed.replace("salaries", "nothing") == absent


def test_sql_answers_with_rows_receipt_errata_and_label(services: Services) -> None:
    app = ask(SALES)
    assert list(app.dataframe[0].value["country"]) == ["DE", "FR", "DE"]
    said = text_of(app)
    assert all(words in said for words in ("Synthetic data", "Prices were rounded", "Receipt", "Release 1"))
    assert services.ledger.search(actor=VERA)[0].action is Action.STATEMENT_RAN


def test_a_parameter_gets_a_field_and_is_bound(services: Services) -> None:
    assert services.site.datasets
    app = ask("SELECT country FROM sales WHERE country = $state")
    assert "$state" in app.warning[0].value
    app.text_input(key="parameter.state").set_value("FR").run()
    press(app, "Run")
    assert list(app.dataframe[0].value["country"]) == ["FR"]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_parquet('/etc/passwd')",
        "SELECT pay FROM salaries",
        "SELECT * FROM traders",
        "SELECT country FROM sales WHERE nothing = 1",
        "DELETE FROM sales",
        "SELEC",
    ],
)
def test_a_refusal_says_what_to_do(services: Services, sql: str) -> None:
    assert services.site.datasets
    app = ask(sql)
    assert not app.exception
    assert "What to do:" in app.warning[0].value
    assert not app.dataframe


def test_explain_runs_nothing(services: Services) -> None:
    app = open_page("sql", VERA, GOODS)
    app.text_area(key="sql-text").set_value(SALES)
    press(app, "Explain")
    assert "pseudonym" in text_of(app)
    assert not services.ledger.search(actor=VERA)


def test_an_answer_is_put_away_when_the_grant_behind_it_ends(services: Services) -> None:
    app = ask(SALES)
    end_grant(services)
    settled(app.run())
    assert not app.dataframe
    assert "ended or changed" in app.warning[0].value


def test_explore_answers_a_link_and_shows_its_sql(services: Services) -> None:
    assert services.site.datasets
    app = open_page(
        "explore", VERA, GOODS, dataset="sales", group="country", measure="sum.price", **{"where.country": '["DE"]'}
    )
    assert app.dataframe[0].value.to_dict("list") == {"country": ["DE"], "sum_price": [10.5]}
    assert "$country_1" in app.code[-1].value
    assert "'DE'" not in app.code[-1].value


def test_explore_writes_what_is_chosen_into_the_link(services: Services) -> None:
    assert services.site.datasets
    app = open_page("explore", VERA, GOODS, dataset="sales")
    groups = next(field for field in app.multiselect if field.label == "Group by")
    settled(groups.set_value(["country"]).run())
    assert app.query_params["group"] in ("country", ["country"])
    assert set(app.dataframe[0].value["country"]) == {"DE", "FR"}


@pytest.mark.parametrize(
    "query",
    [
        {"dataset": "sales", "group": "id"},
        {"dataset": "sales", "where.day": "{"},
        {"dataset": "sales", "where.country": "true"},
        {"dataset": "salaries"},
    ],
)
def test_a_link_that_does_not_fit_never_fails_the_page(services: Services, query: dict[str, str]) -> None:
    assert services.site.datasets
    app = open_page("explore", VERA, GOODS, **query)
    assert not app.exception
    assert not app.error
    assert not [hidden for hidden in HIDDEN if hidden in text_of(app)]


def test_a_saved_query_runs_with_its_form(services: Services) -> None:
    assert services.site.datasets
    app = open_page("saved_queries", VERA, GOODS, query="traders/sales_by_country")
    app.number_input[0].set_value(15.0)
    press(app, "Run")
    assert app.dataframe[0].value.to_dict("list") == {"country": ["FR"], "sales": [1]}
    assert "Each row is a country" in text_of(app)


def test_a_file_is_made_and_fetched_by_the_audited_route_only(services: Services) -> None:
    app = press(ask("SELECT country FROM sales LIMIT 2"), "Make a file to download")
    (record,) = services.registry.downloads_of(GOODS)
    link = app.get("link_button")[0].proto.url
    assert link.startswith(f"/api/v1/downloads/{record.id}/file?link=")
    assert record.filename in text_of(open_page("downloads", VERA, GOODS))


def test_a_download_beyond_the_policy_is_refused_in_words(services: Services) -> None:
    app = press(ask(SALES), "Make a file to download")
    assert "download" in app.warning[0].value
    assert not services.registry.downloads_of(GOODS)


def test_a_file_that_is_being_made_shows_its_progress_and_can_be_cancelled(services: Services) -> None:
    asked = request_download(services, Asker(VERA, GOODS), Statement(ENDLESS), "csv")
    eventually(lambda: download_status(services, Asker(VERA, GOODS), asked.id).words == "Running")
    app = enter_page("downloads", VERA, GOODS)
    assert "Running" in str(app.get("progress")[0].proto)
    press(app, "Cancel")
    assert "stopped, as was asked" in app.warning[0].value
    assert download_status(services, Asker(VERA, GOODS), asked.id).state == "failed"


def test_activity_shows_ones_own_entries_only(services: Services) -> None:
    ask(SALES)
    assert "statement ran" in list(open_page("activity", VERA, GOODS).dataframe[0].value["What"])
    assert not open_page("activity", OSCAR, None).dataframe
    assert services.clock() - services.ledger.search(actor=VERA)[0].at < timedelta(minutes=5)


def test_an_unexpected_error_shows_a_number_and_nothing_else(
    services: Services, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert services.site.datasets

    def fail(*_: object) -> None:
        raise RuntimeError(" ".join(HIDDEN))

    monkeypatch.setattr(access, "catalogue", fail)
    with caplog.at_level(logging.DEBUG, logger="portal"):
        app = open_page("catalogue", VERA, GOODS)
    assert "quote request" in app.error[0].value
    assert not [hidden for hidden in HIDDEN if hidden in text_of(app) + caplog.text]
