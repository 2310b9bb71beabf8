"""What a saved query answered, with all that must be read beside it. The same wherever a saved query is run."""

import streamlit as st

from portal.desk.answers import Answer
from portal.ids import DatasetName
from portal.site.queries import SavedQuery
from portal.sql.plan import Statement
from portal.web.components.answers import show_answer
from portal.web.components.downloads import offer_download
from portal.web.view_models.charting import sources_in_words
from portal.web.view_models.wording import listed, prose


def show_saved_answer(query: SavedQuery, statement: Statement, answer: Answer, *, key: str) -> None:
    """Show how to read an answer, its chart and table, its caveats, and the way to take it along."""
    front = query.front
    title = f"{front.title} · {sources_in_words(answer.receipt)}"
    st.markdown(f"**How to read it:** {prose(front.reading)}")
    show_answer(answer, key=key, title=title, chart=front.chart)
    show_caveats(front.caveats)
    offer_download(statement, [DatasetName(name) for name in front.datasets], key=key)


def show_caveats(caveats: tuple[str, ...]) -> None:
    """Show what must be kept in mind, where there is anything."""
    if caveats:
        st.markdown(f"**Caveats**\n{listed(caveats)}")
