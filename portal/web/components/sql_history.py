"""One's earlier statements, to begin from again."""

import streamlit as st

from portal.desk.activity import PastStatement, my_statements
from portal.web.components.sql_tabs import open_statement
from portal.web.session import asker, services

FIRST_WORDS, _OPEN = 60, "sql.history"


def show_history() -> None:
    """Offer what the person has run or tried before, newest first; it is looked up when it is opened."""
    with st.popover("History", icon=":material/history:", on_change="rerun", key=_OPEN) as history:
        if not history.open:
            return
        past = my_statements(services(), asker())
        if not past:
            st.caption("Nothing yet: what you run is listed here.")
            return
        chosen = st.selectbox("Earlier statement", past, format_func=_briefly)
        st.code(chosen.text, language="sql", wrap_lines=True)
        st.button("Open in a tab", icon=":material/tab_new_right:", on_click=_take, args=(chosen.text,))


def _take(text: str) -> None:
    open_statement(text)
    st.session_state[_OPEN] = False


def _briefly(past: PastStatement) -> str:
    words = " ".join(past.text.split())
    cut = words if len(words) <= FIRST_WORDS else f"{words[:FIRST_WORDS]}…"
    return f"{past.at:%d %b %H:%M} · {cut}{'' if past.answered else ' · no answer'}"
