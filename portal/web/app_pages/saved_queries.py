"""Questions that were thought through before: choose one, set its parameters, read the answer."""

from collections.abc import Mapping
from datetime import date
from itertools import groupby

import streamlit as st

from portal.desk import access, saved
from portal.ids import DatasetName, QueryName
from portal.policy.model import Access
from portal.site.queries import QueryParameter, SavedQuery
from portal.sql.plan import ParameterValue
from portal.web.components import jobs
from portal.web.components.labels import show_level
from portal.web.components.saved_answers import show_saved_answer
from portal.web.session import asker, services
from portal.web.view_models.wording import TOPICS, prose

SLOT = "saved"


def show_saved_queries() -> None:
    """Show the library, and the query that is chosen in it."""
    st.title("Saved queries")
    queries = {query.name: query for query in saved.library(services(), asker())}
    if not queries:
        st.info("No saved query is open to you in this project.")
        return
    chosen = queries.get(QueryName(st.query_params.get("query", "")))
    if chosen:
        st.button("All saved queries", on_click=st.query_params.clear, icon=":material/arrow_back:", type="tertiary")
        _show_query(chosen)
    else:
        _show_library(queries)


def _show_library(queries: Mapping[QueryName, SavedQuery]) -> None:
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
    values = _ask(query)
    if values is not None:
        who, house = asker(), services()
        jobs.start(
            SLOT,
            (query.name, saved.statement_of(query, values)),
            lambda running: saved.run_saved_query(house, who, query.name, values, running),
        )
    _show_result(query)
    with st.expander("SQL", icon=":material/code:"):
        st.code(query.sql, language="sql", wrap_lines=True)


def _ask(query: SavedQuery) -> dict[str, ParameterValue] | None:
    with st.form(f"saved.{query.name}", border=False):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            given = {
                name: _field(f"saved.{query.name}.{name}", parameter)
                for name, parameter in query.front.parameters.items()
            }
        pressed = st.form_submit_button("Run", type="primary", icon=":material/play_arrow:")
    return given if pressed else None


def _field(key: str, parameter: QueryParameter) -> ParameterValue:
    label, default = parameter.label, parameter.default
    if parameter.values:
        values: list[ParameterValue] = list(parameter.values)
        return st.selectbox(label, values, index=values.index(default) if default in values else 0, key=key, width=260)
    match parameter.type:
        case "date":
            day = default if isinstance(default, date) else date.fromisoformat(str(default))
            return st.date_input(label, day, format="YYYY-MM-DD", key=key, width=180)
        case "boolean":
            return st.checkbox(label, str(default).lower() == "true", key=key)
        case "integer":
            return st.number_input(label, value=int(str(default)), step=1, key=key, width=180)
        case "number":
            return st.number_input(label, value=float(str(default)), key=key, width=180)
        case "text":
            return st.text_input(label, str(default), key=key, width=260)


def _show_result(query: SavedQuery) -> None:
    asked = jobs.question(SLOT)
    if asked is None or asked[0] != query.name or (answer := jobs.outcome(SLOT)) is None:
        return
    show_saved_answer(query, asked[1], answer, key=SLOT)


show_saved_queries()
