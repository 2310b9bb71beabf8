"""A statement to take along: as a program for Python, R or a terminal."""

import streamlit as st

from portal.sql.plan import Statement
from portal.web.session import address
from portal.web.view_models.programs import PROGRAMS, TOKEN


def show_programs(statement: Statement) -> None:
    """Offer the statement as programs that ask it over HTTP; none of them holds a token."""
    with st.popover("Copy as", icon=":material/content_copy:", help="The same question from a program."):
        tabs = st.tabs(list(PROGRAMS))
        for tab, (language, write) in zip(tabs, PROGRAMS.values(), strict=True):
            tab.code(write(statement, address()), language=language)
        st.caption(f"The token comes from the environment variable `{TOKEN}`; the portal's operator issues tokens.")
