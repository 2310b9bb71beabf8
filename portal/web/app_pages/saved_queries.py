"""Questions that were thought through before: choose one, set its parameters, read the answer."""

from collections.abc import Mapping
from itertools import groupby

import streamlit as st

from portal.desk import access, saved
from portal.desk.own_queries import TOPIC
from portal.ids import DatasetName, QueryName
from portal.policy.model import Access
from portal.site.queries import SavedQuery
from portal.web.components import jobs
from portal.web.components.labels import show_level
from portal.web.components.own_queries import offer_fork, show_own_library, show_own_query
from portal.web.components.saved_answers import show_saved_answer
from portal.web.components.values import ask_values
from portal.web.session import asker, services
from portal.web.view_models.wording import TOPICS, prose

SLOT = "saved"


def show_saved_queries() -> None:
    """Show the library and what is kept beside it, or the query that the URL names."""
    st.title("Saved queries")
    name = QueryName(st.query_params.get("query", ""))
    queries = {query.name: query for query in saved.library(services(), asker())}
    is_own = name.startswith(f"{TOPIC}/")
    if is_own or name in queries:
        st.button("All saved queries", on_click=st.query_params.clear, icon=":material/arrow_back:", type="tertiary")
    if is_own:
        show_own_query(name)
    elif name in queries:
        _show_query(queries[name])
    else:
        show_own_library()
        _show_library(queries)


def _show_library(queries: Mapping[QueryName, SavedQuery]) -> None:
    if not queries:
        st.info("No query of the library is open to you in this project.")
    decisions = access.decide_for(services(), asker(), services().site.datasets)
    levels = {name: decision.access for name, decision in decisions.items()}
    for topic, found in groupby(sorted(queries.values(), key=lambda query: query.name), lambda query: query.topic):
        st.subheader(TOPICS[topic], anchor=False)
        with st.grid(2, min_column_width=340, gap="small"):
            for query in found:
                _show_card(query, levels)


def _show_card(query: SavedQuery, levels: Mapping[DatasetName, Access]) -> None:
    level = min(levels[DatasetName(name)] for name in query.front.datasets)
    with st.container(border=True, height="stretch", gap="xsmall"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.button(
                query.front.title,
                key=f"open {query.name}",
                on_click=_open,
                args=(query.name,),
                type="tertiary",
                wrap=True,
            )
            if level is not Access.ROWS:
                show_level(level)
        st.caption(prose(query.front.question))


def _open(name: QueryName) -> None:
    st.query_params["query"] = name


def _show_query(query: SavedQuery) -> None:
    front = query.front
    st.subheader(front.title, anchor=False)
    st.markdown(prose(front.question))
    st.caption(prose(front.why))
    values = ask_values(f"saved.{query.name}", front.parameters)
    if values is not None:
        who, house = asker(), services()
        jobs.start(
            SLOT,
            (query.name, saved.statement_of(query, values)),
            lambda running: saved.run_saved_query(house, who, query.name, values, running),
        )
    _show_result(query)
    offer_fork(query.name)
    with st.expander("SQL", icon=":material/code:"):
        st.code(query.sql, language="sql", wrap_lines=True)


def _show_result(query: SavedQuery) -> None:
    asked = jobs.question(SLOT)
    if asked is None or asked[0] != query.name or (answer := jobs.outcome(SLOT)) is None:
        return
    show_saved_answer(query, asked[1], answer, key=SLOT)


show_saved_queries()
