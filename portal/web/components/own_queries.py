"""Queries that researchers keep for themselves and their project: kept, opened by their link, forked, shared."""

from collections.abc import Callable

import streamlit as st

from portal.desk import saved
from portal.desk.own_queries import Draft, draft_of, keep_query, own_library, own_name, own_query, own_versions, show_to
from portal.desk.own_queries import revise_query as revise
from portal.errors import PortalError
from portal.ids import QueryName
from portal.registry import OwnQuery, SeenBy
from portal.sql.plan import Statement
from portal.web.components import jobs
from portal.web.components.answers import show_answer
from portal.web.components.downloads import offer_download
from portal.web.components.faults import show_faults
from portal.web.components.values import ask_values
from portal.web.session import asker, services
from portal.web.view_models.charting import quick_chart, sources_in_words
from portal.web.view_models.wording import plain

SLOT = "own"
SEEN_BY = {SeenBy.OWNER: "Only me", SeenBy.PROJECT: "My project"}


def offer_keeping(statement: Statement) -> None:
    """Offer to keep a statement under a title."""
    with st.popover("Keep", icon=":material/bookmark_add:", help="For yourself, or for your project."):
        with st.form("own.keep", border=False, clear_on_submit=True):
            title = st.text_input("Title", key="own.title")
            question = st.text_area("What it asks", key="own.question", height=80)
            seen_by = _choose_seen_by("own.seen_by", SeenBy.OWNER)
            pressed = st.form_submit_button("Keep it", type="primary")
        if pressed:
            _do(lambda: keep_query(services(), asker(), Draft(title or "", statement, question or "", seen_by)))


def offer_fork(name: QueryName) -> None:
    """Offer a copy of a query that is one's own to change."""
    if st.button("Make it mine", key=f"fork {name}", icon=":material/fork_right:", help="Keeps a copy to change."):
        _do(lambda: saved.fork_query(services(), asker(), name))


def show_own_library() -> None:
    """Show what the asker and the project keep, the newest first; nothing where nothing is kept."""
    kept = own_library(services(), asker())
    if not kept:
        return
    st.subheader("Yours and your project's", anchor=False)
    with st.grid(2, min_column_width=340, gap="small"):
        for query in kept:
            with st.container(border=True, height="stretch", gap="xsmall"):
                st.button(
                    plain(query.title),
                    key=f"open {query.id}",
                    on_click=_open,
                    args=(query,),
                    type="tertiary",
                    wrap=True,
                )
                st.caption(plain(query.question)) if query.question else None
                st.caption(_facts(query))


def show_own_query(name: QueryName) -> None:
    """Show a kept query, run it for whoever opened it, and let those who may change it do so."""
    try:
        query = own_query(services(), asker(), name)
    except PortalError as error:
        show_faults(error)
        return
    st.subheader(plain(query.title), anchor=False)
    st.markdown(plain(query.question))
    st.caption(_facts(query))
    version = own_name(query)
    values = ask_values(f"own.{version}", saved.parameters_of(query))
    if values is not None:
        who, house = asker(), services()
        statement = saved.statement_named(house, who, version, values)
        jobs.start(SLOT, (version, statement), lambda job: saved.run_saved_query(house, who, version, values, job))
    _show_result(query)
    with st.container(horizontal=True):
        offer_fork(version)
        _offer_changes(query)
    _show_versions(query)
    st.code(query.sql, language="sql", wrap_lines=True)


def _show_result(query: OwnQuery) -> None:
    asked = jobs.question(SLOT)
    if asked is None or asked[0] != own_name(query) or (answer := jobs.outcome(SLOT)) is None:
        return
    title = f"{query.title} · {sources_in_words(answer.receipt)}"
    show_answer(answer, key=SLOT, title=title, chart=quick_chart(answer.schema))
    offer_download(asked[1], [source.dataset for source in answer.receipt.sources], key=SLOT)


def _offer_changes(query: OwnQuery) -> None:
    with st.popover("New version", icon=":material/edit:"), st.form(f"own.revise.{query.id}", border=False):
        title = st.text_input("Title", query.title)
        question = st.text_area("What it asks", query.question, height=80)
        sql = st.text_area("Statement", query.sql, height=200)
        is_mine = query.owner == asker().person
        seen_by = _choose_seen_by(f"own.revise.{query.id}.seen_by", query.seen_by) if is_mine else query.seen_by
        pressed = st.form_submit_button("Keep this version", type="primary")
    if pressed:
        draft = Draft(title, Statement(sql, draft_of(query).statement.parameters), question, seen_by)
        _do(lambda: revise(services(), asker(), query.id, draft))
    if is_mine and st.button("Put away", icon=":material/delete:", help="Nobody sees it any more."):
        _do(lambda: show_to(services(), asker(), query.id, SeenBy.NOBODY), stay=False)


def _show_versions(query: OwnQuery) -> None:
    versions = own_versions(services(), asker(), query.id)
    with st.expander(f"Versions ({len(versions)})", icon=":material/history:"):
        for version in versions:
            link = {"query": own_name(version)}
            label = f"{version.version}: {version.title}, {version.author}, {version.at:%Y-%m-%d %H:%M} UTC"
            st.page_link("app_pages/saved_queries.py", label=plain(label), query_params=link)
        st.caption("The link of a version stays; whoever opens it sees what their own access allows, or nothing.")


def _choose_seen_by(key: str, chosen: SeenBy) -> SeenBy:
    options = [each for each in SEEN_BY if each is SeenBy.OWNER or asker().project]
    found = st.radio("Seen by", options, options.index(chosen), SEEN_BY.__getitem__, key=key, horizontal=True)
    return found or chosen


def _facts(query: OwnQuery) -> str:
    origin = f" · from {query.origin}" if query.origin else ""
    return plain(f"{SEEN_BY[query.seen_by]} · version {query.version} of {query.at:%Y-%m-%d}, {query.author}{origin}")


def _open(query: OwnQuery) -> None:
    st.query_params["query"] = own_name(query)


def _do(change: Callable[[], OwnQuery], *, stay: bool = True) -> None:
    """Make a change and show what came of it, or why it cannot be."""
    try:
        query = change()
    except PortalError as error:
        show_faults(error)
        return
    st.switch_page("app_pages/saved_queries.py", query_params={"query": own_name(query)} if stay else {})
