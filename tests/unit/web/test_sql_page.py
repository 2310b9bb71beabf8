"""The SQL page's own words: tabs, the part that is asked, marks at faults, proposals, the profile of an answer."""

from dataclasses import replace
from datetime import date

import pyarrow as pa
import pytest
from support.factories import NOW, a_dataset, a_person, a_policy, a_rule

from portal.desk.answers import CatalogueEntry
from portal.errors import Fault
from portal.policy.decide import AccessRequest, decide
from portal.policy.model import Tier
from portal.web.view_models.profiling import profile
from portal.web.view_models.sql_asking import Asked, Part, marks, part_of, typed_at
from portal.web.view_models.sql_completion import words_for
from portal.web.view_models.sql_tabs import MOST_TABS, first_tab


def test_each_tab_keeps_its_own_text() -> None:
    tabs = first_tab("one").opened("two").typed("second").turned_to(1)
    assert [tab.text for tab in tabs.all] == ["one", "second"]
    assert tabs.current.text == "one"
    assert tabs.turned_to(2).current.text == "second"
    assert tabs.turned_to(99) == tabs


def test_a_text_that_the_page_sets_has_a_revision_of_its_own_and_typing_has_not() -> None:
    tabs = first_tab("one", 7)
    assert tabs.typed("typed").revision == 7
    assert {tabs.written("x").revision, tabs.opened().revision, tabs.opened().turned_to(1).revision - 1} == {8}


def test_what_was_typed_into_another_tab_is_not_taken_for_this_one() -> None:
    sent = {"revision": 7, "text": "typed"}
    assert typed_at(7, sent) == "typed"
    assert typed_at(8, sent) is None
    assert [typed_at(7, odd) for odd in (None, [], "text", {"revision": 7}, {"revision": 7, "text": 1})] == [None] * 5


def test_closing_the_last_tab_leaves_an_empty_one_and_no_more_open_than_one_can_oversee() -> None:
    tabs = first_tab("one")
    assert [tab.text for tab in tabs.closed().all] == [""]
    assert [tab.text for tab in tabs.opened("two").closed().all] == ["one"]
    for number in range(MOST_TABS + 3):
        tabs = tabs.opened(str(number))
    assert len(tabs.all) == MOST_TABS
    assert tabs.current.text == str(MOST_TABS + 2)
    assert len({tab.id for tab in tabs.all}) == MOST_TABS


def test_a_tab_keeps_its_name_where_none_is_given() -> None:
    assert first_tab("").named("  Sellers ").named("  ").current.name == "Sellers"


def test_no_two_tabs_have_one_name() -> None:
    tabs = first_tab("").named("Query 2").opened().opened(name="Query 2").opened().named("Query 2")
    assert [tab.name for tab in tabs.all] == ["Query 2", "Query 2 (2)", "Query 2 (3)", "Query 2 (4)"]
    assert tabs.named("Query 2 (4)") == tabs


@pytest.mark.parametrize(
    "odd", [None, "text", {"text": 3, "line": 1, "column": 1}, {"text": "  ", "line": 1, "column": 1}]
)
def test_without_a_selection_the_whole_text_is_asked(odd: object) -> None:
    assert part_of("SELECT 1", odd) == Part("SELECT 1")


def test_a_fault_in_a_selection_is_marked_at_its_place_in_the_whole_text() -> None:
    part = part_of("SELECT 1;\n  SELECT x\nFROM y", {"text": "SELECT x\nFROM y", "line": 2, "column": 3})
    faults = [
        Fault("A", "first", line=1, column=8, fix="mend"),
        Fault("B", "second", line=2, column=6),
        Fault("C", "no place"),
    ]
    marked = marks(Asked(4, 1, "whole", part), 1, "whole", faults)
    assert (marked["run"], marked["stale"]) == (4, False)
    assert [(place["line"], place["column"], place["fix"]) for place in marked["places"]] == [
        (2, 10, "mend"),
        (3, 6, ""),
    ]


@pytest.mark.parametrize(("tab", "text"), [(2, "whole"), (1, "changed")])
def test_marks_of_another_tab_or_text_are_stale(tab: int, text: str) -> None:
    assert marks(Asked(4, 1, "whole", Part("whole")), tab, text, [])["stale"]
    assert marks(None, tab, text, [])["stale"]


def _entry(**rule: object) -> CatalogueEntry:
    columns = {
        "id": {"type": "VARCHAR", "meaning": "Identifier.", "values": {"secret-value": "Hidden"}},
        "country": {"type": "VARCHAR", "meaning": "Member State.", "values": {"DE": "Germany"}},
        "price": {"type": "DOUBLE", "meaning": "Price."},
        "day": {"type": "DATE", "meaning": "Day."},
    }
    dataset = a_dataset(columns=columns)
    policy = a_policy(a_rule(**{"for": {"tier": "vetted"}} | rule))
    request = AccessRequest(a_person(Tier.VETTED), None, None, dataset, policy, NOW)
    return CatalogueEntry(dataset, decide(request), 1, None, None, synthetic=False)


def test_the_editor_proposes_open_columns_and_their_labels_and_the_allowed_functions() -> None:
    words = words_for([_entry(columns={"id": {"hide": True}})])
    columns = {each["name"]: each for each in words["datasets"][0]["columns"]}
    assert columns["country"]["values"] == {"DE": "Germany"}
    assert "secret-value" not in str(words)
    names = {each["name"] for each in words["functions"]}
    assert "date_trunc" in names
    assert not names & {"read_parquet", "getenv", "query"}


def test_the_editor_proposes_nothing_of_a_dataset_whose_codebook_alone_is_open() -> None:
    assert words_for([_entry(access="codebook")])["datasets"] == []


def test_a_profile_says_type_gaps_range_and_frequent_values() -> None:
    table = pa.table(
        {
            "state": ["DE", "FR", "DE", None],
            "n": [3, 1, 2, 2],
            "day": [date(2026, 1, 1), None, date(2026, 1, 3), None],
            "list": [["a"], None, [], ["b"]],
            "nothing": pa.nulls(4),
        }
    )
    state, number, day, listed, nothing = profile(table)
    assert (state.type, state.missing, state.different, state.least, state.top) == (
        "text",
        1,
        2,
        None,
        (("DE", 2), ("FR", 1)),
    )
    assert (number.type, number.least, number.most, number.top[0]) == ("whole number", 1, 3, (2, 2))
    assert (day.type, day.missing, day.least, day.most) == ("day", 2, date(2026, 1, 1), date(2026, 1, 3))
    assert (listed.type, listed.missing, listed.different) == ("list", 1, None)
    assert (nothing.missing, nothing.top) == (4, ())
    assert profile(table.slice(0, 0))[0] == replace(state, missing=0, different=0, top=())
