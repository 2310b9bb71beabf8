import pytest
from streamlit.testing.v1 import AppTest
from support.pages import open_page, press, text_of
from support.portal import GOODS, OSCAR, RITA, SALES, VERA, VETTED

from portal.desk.own_queries import Draft, keep_query, own_library, own_name, show_to
from portal.desk.services import Services
from portal.ids import PersonId, ProjectId, QueryName
from portal.registry import Audit, SeenBy
from portal.sql.plan import Statement

DEARER = Statement("SELECT country FROM sales WHERE price > $least ORDER BY ALL", {"least": 15})


def kept(services: Services, seen_by: SeenBy = SeenBy.PROJECT) -> QueryName:
    return own_name(keep_query(services, VETTED, Draft("Dearer _sales_", DEARER, "Where?", seen_by)))


def opened(name: QueryName, person: PersonId = VERA, project: ProjectId | None = GOODS) -> AppTest:
    return open_page("saved_queries", person, project, query=name)


def test_a_statement_is_kept_from_the_sql_page(services: Services) -> None:
    app = open_page("sql", VERA, GOODS)
    app.text_area(key="sql-text").set_value(SALES).run()
    app.text_input(key="own.title").set_value("Sales by day")
    press(app, "Keep it")
    assert not app.exception
    [query] = own_library(services, VETTED)
    assert (query.title, query.sql, query.seen_by) == ("Sales by day", SALES, SeenBy.OWNER)


def test_a_kept_query_stands_before_the_library_and_runs_with_its_values(services: Services) -> None:
    name = kept(services)
    app = press(open_page("saved_queries", VERA, GOODS), "Dearer \\_sales\\_")
    assert app.query_params["query"] in (name, [name])
    app.number_input[0].set_value(5)
    press(app, "Run")
    assert app.dataframe[0].value.to_dict("list") == {"country": ["DE", "FR"]}


def test_a_link_decides_anew_for_whoever_opens_it(services: Services) -> None:
    name = kept(services)
    services.registry.add_member(GOODS, OSCAR, audit=Audit(None, services.clock()))
    assert "Dearer" in text_of(opened(name, OSCAR))
    for person in (OSCAR, RITA):
        app = opened(name, person, None)
        assert not app.exception
        assert "no such query" in app.warning[0].value
        assert "price" not in text_of(app)
    show_to(services, VETTED, own_library(services, VETTED)[0].id, SeenBy.OWNER)
    assert "no such query" in opened(name, OSCAR).warning[0].value


def test_a_new_version_leaves_the_one_before_and_a_query_can_be_put_away(services: Services) -> None:
    name = kept(services)
    app = opened(name)
    next(area for area in app.text_area if area.label == "Statement").set_value(SALES)
    press(app, "Keep this version")
    assert [query.version for query in own_library(services, VETTED)] == [2]
    assert opened(name).code[-1].value == DEARER.text
    press(opened(name), "Put away")
    assert not own_library(services, VETTED)


@pytest.mark.parametrize("name", ["traders/sales_by_country", "own"])
def test_any_query_can_be_made_ones_own(services: Services, name: str) -> None:
    name = kept(services) if name == "own" else QueryName(name)
    press(opened(QueryName(name)), "Make it mine")
    assert own_library(services, VETTED)[0].origin == name


def test_what_a_colleague_wrote_is_shown_as_text(services: Services) -> None:
    draft = Draft("<b>x</b> [a](http://evil)", Statement("SELECT 1 AS n"), "![i](http://evil/p.png)", SeenBy.PROJECT)
    app = opened(own_name(keep_query(services, VETTED, draft)))
    said = [element.value for element in (*app.markdown, *app.subheader, *app.caption)]
    assert not [text for text in said if "](http" in text or "<b>" in text]
