import pytest
from support.decisions import with_decision
from support.pages import open_page, press, text_of
from support.portal import GOODS, HIDDEN, OSCAR, RITA, VERA

from portal import wiring
from portal.desk.services import Services
from portal.ids import PersonId
from portal.ledger import Action
from portal.registry import Audit


@pytest.fixture
def decided(services: Services, monkeypatch: pytest.MonkeyPatch) -> Services:
    """Give the small portal with a decision, and make it that of this process."""
    found = with_decision(services)
    monkeypatch.setattr(wiring, "services_of_this_process", lambda: found)
    return found


def ran(services: Services, person: PersonId = VERA) -> int:
    return sum(entry.action is Action.STATEMENT_RAN for entry in services.ledger.search(actor=person))


def test_the_overview_names_each_part_with_its_sources_and_runs_nothing(decided: Services) -> None:
    app = open_page("commitments", VERA, GOODS)
    said = text_of(app)
    assert [heading.value for heading in app.subheader] == ["Commitments", "Preliminary findings"]
    assert all(words in said for words in ("1. Part rows", "1. Part statistics", "https://example.org/decision"))
    assert "3 of 3 saved questions open to you" in said
    assert ran(decided) == 0


def test_opening_a_part_answers_its_first_query_and_no_other(decided: Services) -> None:
    app = press(open_page("commitments", VERA, GOODS), "1. Part rows")
    assert app.query_params["part"] in ("rows", ["rows"])
    assert app.dataframe[0].value.to_dict("list") == {"country": ["DE", "FR"], "sales": [1, 1]}
    assert len(app.dataframe) == 1
    assert ran(decided) == 1
    said = text_of(app)
    assert all(words in said for words in ("Synthetic data", "Each row is a country", "Commitment 1 of 1"))
    assert "Official sources side by side.** Days of rest are counted otherwise." in said


def test_an_answer_stays_while_another_is_asked_for(decided: Services) -> None:
    app = open_page("commitments", VERA, GOODS, part="rows")
    app.button(key="commitments.2.show").click()
    app.run()
    assert [list(frame.value) for frame in app.dataframe] == [["country", "sales"], ["name"]]
    assert ran(decided) == 2


def test_statistics_are_asked_only_on_demand(decided: Services) -> None:
    app = open_page("commitments", VERA, GOODS, part="statistics")
    assert not app.dataframe
    assert ran(decided) == 0
    press(app, "Show")
    assert set(app.dataframe[0].value["country"]) == {"DE", "FR", "IT"}
    assert ran(decided) == 1


def test_what_is_not_open_says_what_is_needed_and_a_closed_table_is_not_named(decided: Services) -> None:
    decided.registry.revoke_grant(decided.site.datasets["sales"].name, GOODS, audit=Audit(None, decided.clock()))
    for person, project in ((VERA, GOODS), (RITA, None), (OSCAR, None)):
        for part in ("rows", "statistics"):
            app = open_page("commitments", person, project, part=part)
            assert not app.exception
            assert not [hidden for hidden in (*HIDDEN, "salaries", "Sales by country") if hidden in text_of(app)]


def test_a_query_for_others_says_for_whom_it_is(decided: Services) -> None:
    assert decided.site.commitments
    app = open_page("commitments", RITA, None, part="statistics")
    assert "None of its saved questions" in app.info[0].value
    assert [expander.label for expander in app.expander] == ["Not open to you (1)"]
    assert "It is written for vetted researchers." in text_of(app)


def test_a_part_that_is_not_there_leads_to_the_overview(decided: Services) -> None:
    assert decided.site.commitments
    app = open_page("commitments", RITA, None, part="nothing")
    assert not app.exception
    assert [heading.value for heading in app.subheader] == ["Commitments", "Preliminary findings"]


def test_the_parts_follow_one_another(decided: Services) -> None:
    assert decided.site.commitments
    app = press(open_page("commitments", RITA, None, part="rows"), "Next: Part statistics")
    assert app.query_params["part"] in ("statistics", ["statistics"])
    assert "Preliminary finding 1 of 1" in text_of(app)


def test_a_site_without_a_decision_says_so(services: Services) -> None:
    assert services.site.commitments is None
    assert "No decision" in open_page("commitments", VERA, GOODS).info[0].value
