"""The pages for a dataset that is open for statistics only: `traders`, for `vera`."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from support.pages import open_page, press, settled, text_of
from support.portal import GOODS, HIDDEN, RITA, VERA

from portal.desk.services import Services
from portal.ledger import Action
from portal.web.view_models.wording import WITHHELD

QUIET_WORD = "asked for more than is open to you"


def explore(**query: str | list[str]) -> AppTest:
    return open_page("explore", VERA, GOODS, dataset="traders", **query)


def shown(**query: str | list[str]) -> AppTest:
    return press(explore(**query), "Show")


def field(fields: Any, label: str) -> Any:
    return next(each for each in fields if each.label == label)


def chart_of(app: AppTest) -> tuple[list[dict[str, Any]], str]:
    """Return the traces of the page's chart, and its alternative text."""
    proto = app.get("plotly_chart")[0].proto
    return json.loads(proto.spec)["data"], proto.alt


def test_explore_offers_of_statistics_what_the_policy_allows(services: Services) -> None:
    app = explore()
    assert not app.exception
    assert "at least 10 different trader; counts are rounded to multiples of 5" in text_of(app).replace("\\", "")
    assert not [control for control in app.get("button_group") if control.proto.label == "Show"]
    assert field(app.multiselect, "Filter by").options == ["country", "online", "day"]
    assert field(app.multiselect, "Group by").options == ["country", "online", "day"]
    assert field(app.selectbox, "Measure").options == [
        "Number of rows", "Sum of …", "Average of …", "Number of different …",
    ]  # fmt: skip
    assert not services.ledger.search(actor=VERA, action=Action.STATEMENT_RAN)
    assert not [hidden for hidden in HIDDEN if hidden in text_of(app)]


def test_statistics_are_asked_for_when_told_to_and_not_at_every_touch(services: Services) -> None:
    app = shown(measure="count")
    assert len(app.dataframe) == 1
    settled(field(app.multiselect, "Group by").set_value(["country"]).run())
    assert not app.dataframe
    assert len(services.ledger.search(actor=VERA, action=Action.STATEMENT_RAN)) == 1
    press(app, "Show")
    assert len(app.dataframe[0].value) == 3


def test_different_traders_are_counted_and_nothing_else_is_offered_to_count(services: Services) -> None:
    assert services.site.datasets
    app = shown(measure="distinct.trader", group="country")
    assert field(app.selectbox, "of").options == ["trader"]
    assert list(app.dataframe[0].value["distinct_trader"]) == [45, 45, 45]


def test_a_withheld_figure_has_its_sign_in_table_chart_and_alternative_text(services: Services) -> None:
    assert services.site.datasets
    app = shown(measure="sum.fee", group="country")
    assert app.dataframe[0].proto.placeholder == WITHHELD
    assert list(app.table[0].value["sum_fee"]) == ["460", WITHHELD, WITHHELD]
    traces, alt = chart_of(app)
    assert traces[-1]["name"] == "withheld or not there"
    assert traces[-1]["y"] == ["FR", "IT"]
    assert traces[-1]["showlegend"]
    assert "Withheld or not there: FR, IT." in alt


def test_a_line_breaks_where_months_are_left_out(services: Services) -> None:
    assert services.site.datasets
    app = shown(measure="count", group="day.month")
    assert len(app.dataframe[0].value) == 3
    (line, gaps), alt = chart_of(app)
    assert len(line["x"]) == 5
    assert not line.get("connectgaps")
    assert [day[:10] for day in gaps["x"]] == ["2026-03-01", "2026-04-01"]
    assert "2026-03-01, 2026-04-01" in alt


@pytest.mark.parametrize(
    "query",
    [
        {"view": "rows"},
        {"group": ["day.day", "trader"]},
        {"measure": "sum.trader"},
        {"where.fee": '{"from": 1}'},
        {"where.day": '{"from": "2026-01-02"}'},
        {"where.day": '{"to": "9999-12-31"}'},
        {"where.trader": '["Hidden Trading 1 of 1"]'},
        {"where.gone": "true"},
    ],
)
def test_what_an_old_link_may_not_ask_is_dropped_with_a_quiet_word(
    services: Services, query: dict[str, str | list[str]]
) -> None:
    assert services.site.datasets
    app = explore(**query)
    assert not app.exception
    assert not app.warning
    assert QUIET_WORD in text_of(app)
    assert press(app, "Show").dataframe


def test_the_quiet_word_goes_when_the_question_changes(services: Services) -> None:
    assert services.site.datasets
    app = explore(view="rows")
    settled(field(app.multiselect, "Group by").set_value(["country"]).run())
    assert QUIET_WORD not in text_of(app)


def test_a_link_to_a_closed_dataset_reads_as_one_to_none(services: Services) -> None:
    assert services.site.datasets
    for name in ("salaries", "nothing"):
        app = open_page("explore", VERA, GOODS, dataset=name)
        assert QUIET_WORD in text_of(app)
        assert name not in text_of(app)


def test_whole_months_are_chosen_and_become_bounds_on_the_grid(services: Services) -> None:
    assert services.site.datasets
    app = explore(measure="count")
    app = settled(field(app.multiselect, "Filter by").set_value(["day"]).run())
    first = field(app.selectbox, "day from month")
    assert "2026-01" in first.options
    settled(first.select("2026-02").run())
    last = field(app.selectbox, "day to month")
    assert "2026-01" not in last.options
    settled(last.select("2026-02").run())
    assert field(app.selectbox, "day to month").options[0] == "any"
    assert app.query_params["where.day"] in ([wanted := '{"from": "2026-02-01", "to": "2026-02-28"}'], wanted)
    assert '"day" >= $day_1\n  AND "day" < $day_2' in app.code[-1].value


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ({"where.country": '["DE", "FR"]'}, 90),
        ({"where.online": "false"}, 65),
        ({"where.day": '{"from": "2026-02-01", "to": "2026-02-28"}'}, 40),
    ],
)
def test_statistics_are_filtered_by_dimensions(services: Services, query: dict[str, str], rows: int) -> None:
    assert services.site.datasets
    app = shown(measure="count", **query)
    assert list(app.dataframe[0].value["rows"]) == [rows]


def test_the_codebook_says_what_each_column_is_for(services: Services) -> None:
    assert services.site.datasets
    app = open_page("dataset", VERA, GOODS, name="traders")
    codebook = app.table[0].value.set_index("Column")["For you"]
    assert dict(codebook) == {
        "`trader` varchar": "counted only",
        "`country` varchar": "groups by value",
        "`online` boolean": "groups by value",
        "`fee` double": r"figures\: sum \(to multiples of 10\), average, count",
        "`day` date": "groups by month or coarser",
    }
    assert {link.label for link in app.get("page_link")} >= {"Explore", "Ask in SQL"}
    assert "What may be done with each column of traders" in text_of(app)


def test_the_first_statement_in_sql_is_one_that_runs(services: Services) -> None:
    assert services.site.datasets
    app = press(open_page("sql", RITA, None), "Run")
    assert "holidays" in app.text_area(key="sql-text").value
    assert len(app.dataframe[0].value) == 2
