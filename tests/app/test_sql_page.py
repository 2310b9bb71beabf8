"""The SQL page without a browser: tabs, format, history, what the editor is told, the profile of an answer."""

import json

from streamlit.testing.v1 import AppTest
from support.pages import enter_page, open_page, press, settled, text_of
from support.portal import GOODS, HIDDEN, RITA, SALES, VERA

from portal.desk.services import Services


def ask(sql: str) -> AppTest:
    return press(write(open_page("sql", VERA, GOODS), sql), "Run")


def write(app: AppTest, sql: str) -> AppTest:
    app.text_area(key="sql-text").set_value(sql)
    return app


def written(app: AppTest) -> str:
    return str(app.text_area(key="sql-text").value)


def test_each_tab_keeps_its_text(services: Services) -> None:
    assert services.site.datasets
    app = press(write(open_page("sql", VERA, GOODS), "SELECT 1"), "New tab")
    assert written(app) == ""
    write(app, "SELECT 2")
    app.get("button_group")[0].set_value(1).run()
    assert written(app) == "SELECT 1"
    app.get("button_group")[0].set_value(2).run()
    assert written(app) == "SELECT 2"
    app.text_input(key="sql.tab.name").set_value("Second").run()
    assert app.get("button_group")[0].options == ["Query 1", "Second"]
    assert written(app) == "SELECT 2"
    assert written(press(app, "Close tab")) == "SELECT 1"


def test_a_statement_is_formatted_and_what_cannot_be_is_explained_where_it_fails(services: Services) -> None:
    assert services.site.datasets
    app = press(write(open_page("sql", VERA, GOODS), "select country from sales"), "Format")
    assert written(app) == "SELECT\n  country\nFROM sales"
    app = press(write(app, "SELECT country FROM"), "Format")
    assert written(app) == "SELECT country FROM"
    assert "What to do:" in app.warning[0].value


def test_history_holds_ones_own_statements_and_no_one_elses(services: Services) -> None:
    assert services.site.datasets
    press(write(open_page("sql", RITA, None), "SELECT name FROM holidays"), "Run")
    app = ask(SALES)
    press(write(app, "SELECT nothing FROM sales"), "Run")
    app.session_state["sql.history"] = True
    app.run()
    options = next(each for each in app.selectbox if each.label == "Earlier statement").options
    assert len(options) == 2
    assert "SELECT nothing FROM sales · no answer" in options[0]
    assert "country, price, day" in options[1]
    assert written(press(app, "Open in a tab")) == "SELECT nothing FROM sales"


def test_the_editor_is_told_nothing_that_is_hidden(services: Services) -> None:
    assert services.site.datasets
    app = enter_page("sql", VERA, GOODS)
    app.session_state["sql.plain"] = False
    app.run()
    assert not app.exception
    [told] = [json.loads(node.proto.json) for node in app.get("bidi_component")]
    assert [each["name"] for each in told["datasets"]] == ["holidays", "sales", "traders"]
    assert "id" not in [column["name"] for each in told["datasets"] for column in each["columns"]]
    assert not [hidden for hidden in (*HIDDEN, "salaries") if hidden in text_of(app)]


def test_an_answer_has_a_profile_that_goes_with_the_access_to_it(services: Services) -> None:
    assert services.site.datasets
    app = ask(SALES)
    app.session_state["sql.profile"] = True
    settled(app.run())
    profile = next(each.value for each in app.table if "Most frequent" in each.value)
    assert list(profile["Type"]) == ["text", "number", "day"]
    assert profile["Most frequent"][0].startswith("DE (2)") or r"DE \(2\)" in profile["Most frequent"][0]
