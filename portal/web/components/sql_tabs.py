"""The statements in hand, kept in the session, and the bar of tabs above them."""

import secrets

import streamlit as st

from portal.web.view_models.sql_asking import typed_at
from portal.web.view_models.sql_tabs import Tabs, first_tab
from portal.web.view_models.wording import plain

AREA, EDITOR = "sql-text", "sql.editor"
"""Keys of the two ways to write: the plain text area and the editor."""
_TABS, _BAR, _NAME = "sql.tabs", "sql.tab", "sql.tab.name"


def begin_with(text: str) -> None:
    """Open the first tab, unless there are tabs already."""
    if _TABS not in st.session_state:
        # Not from zero: the browser may still show what another project's tabs held.
        st.session_state[_TABS] = first_tab(text, secrets.randbits(32))


def held() -> Tabs:
    """Return the tabs with what was typed since, from whichever way to write is on the page."""
    tabs: Tabs = st.session_state[_TABS]
    typed = st.session_state.get(AREA)
    if typed is None:
        typed = typed_at(tabs.revision, (st.session_state.get(EDITOR) or {}).get("typed"))
    if typed is not None:
        tabs = st.session_state[_TABS] = tabs.typed(typed)
    return tabs


def remember() -> None:
    """Take in what was typed. For callbacks: they run even where the person has left for another page."""
    held()


def keep(tabs: Tabs) -> None:
    """Take tabs that the page itself has changed. For callbacks: it sets what the text area holds."""
    st.session_state[_TABS] = tabs
    if AREA in st.session_state:
        st.session_state[AREA] = tabs.current.text


def open_statement(text: str, name: str = "") -> None:
    """Open a statement in a tab of its own."""
    if _TABS in st.session_state:
        keep(held().opened(text, name))
    begin_with(text)


def show_tab_bar(tabs: Tabs) -> None:
    """Show the tabs to choose from, and what can be done with the one in hand."""
    names = {tab.id: plain(tab.name) for tab in tabs.all}
    _set(_BAR, tabs.in_hand)
    _set(_NAME, tabs.current.name)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            "Tab", list(names), key=_BAR, required=True, on_change=_turn, label_visibility="collapsed",
            format_func=lambda tab: names.get(tab, ""), wrap=True,
        )  # fmt: skip
        st.button("New tab", icon=":material/add:", type="tertiary", on_click=open_statement, args=("",),
                  disabled=tabs.is_full)  # fmt: skip
        with st.popover("This tab", icon=":material/tab:", type="tertiary"):
            st.text_input("Name", key=_NAME, max_chars=40, on_change=_name)
            st.button("Close tab", icon=":material/close:", on_click=lambda: keep(held().closed()))


def _turn() -> None:
    keep(held().turned_to(st.session_state[_BAR]))


def _name() -> None:
    keep(held().named(st.session_state[_NAME]))


def _set(key: str, value: object) -> None:
    if st.session_state.get(key) != value:
        st.session_state[key] = value
