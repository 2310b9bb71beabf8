"""The Commission's decision, part by part: each with its question, and what the data at hand says to it."""

from collections.abc import Mapping

import streamlit as st

from portal.desk import saved
from portal.desk.commitments import Bearing, Bearings, bearings
from portal.ids import QueryName
from portal.policy.model import Access
from portal.site.commitments import Commitments, Part
from portal.site.queries import SavedQuery
from portal.sql.plan import Statement
from portal.web.components import jobs
from portal.web.components.labels import show_level
from portal.web.components.saved_answers import show_caveats, show_saved_answer
from portal.web.session import asker, services
from portal.web.view_models.decision_parts import neighbours, part_named, place_in_words
from portal.web.view_models.wording import counted, listed, plain, prose

SLOT, PART = "commitments", "part"


def show_commitments() -> None:
    """Show the decision, and the part of it that the URL names."""
    st.title("Commitments")
    commitments = services().site.commitments
    if commitments is None:
        st.info("No decision is described in this portal.")
        return
    found = bearings(services(), asker(), commitments)
    part = part_named(commitments, st.query_params.get(PART, ""))
    if part is None:
        _show_overview(commitments, found)
    else:
        _show_part(commitments, part, found[part.id])


def _show_overview(commitments: Commitments, found: Mapping[str, Bearings]) -> None:
    st.markdown(f"**{plain(commitments.title)}**, {commitments.date}. {prose(commitments.said)}")
    st.markdown(prose(commitments.standing))
    st.caption("Sources: " + "; ".join(f"[{plain(source.title)}]({source.url})" for source in commitments.sources))
    for heading, parts in (("Commitments", commitments.commitments), ("Preliminary findings", commitments.findings)):
        if not parts:
            continue
        st.subheader(heading, anchor=False)
        with st.grid(2, min_column_width=340, gap="small"):
            for number, part in enumerate(parts, 1):
                _show_card(number, part, found[part.id])


def _show_card(number: int, part: Part, found: Bearings) -> None:
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.button(
            f"{number}. {part.title}", key=f"open {part.id}", on_click=_open, args=(part,), type="tertiary", wrap=True
        )
        st.markdown(prose(part.question))
        st.space("stretch")
        st.caption(_open_in_words(found))


def _open_in_words(found: Bearings) -> str:
    known = len(found.open) + len(found.closed)
    return f"{len(found.open)} of {counted(known, 'saved question')} open to you"


def _open(part: Part) -> None:
    st.query_params[PART] = part.id


def _show_part(commitments: Commitments, part: Part, found: Bearings) -> None:
    st.button("All parts", on_click=st.query_params.clear, icon=":material/arrow_back:", type="tertiary")
    st.caption(place_in_words(commitments, part))
    st.subheader(part.title, anchor=False)
    st.markdown(f"**What was said:** {prose(part.said)}")
    st.markdown(f"**Question:** {prose(part.question)}")
    if part.articles:
        st.caption(plain("; ".join(part.articles)))
    show_caveats(part.caveats)
    if not found.open:
        st.info("None of its saved questions is open to you.")
    for place, bearing in enumerate(found.open):
        _show_query(part, bearing, place)
    _show_closed(found.closed)
    _show_neighbours(commitments, part)


def _show_query(part: Part, bearing: Bearing, place: int) -> None:
    """Show a query; the first runs by itself, unless it asks for statistics: each of those narrows what may follow."""
    query, slot = bearing.query, f"{SLOT}.{place}"
    asked = _asked(query)
    if place == 0 and bearing.access is Access.ROWS and jobs.question(slot) != asked:
        _start(slot, query)
    with st.container(border=True):
        _show_head(part, bearing)
        with st.container(horizontal=True, vertical_alignment="center"):
            if jobs.question(slot) != asked:
                st.button("Show", key=f"{slot}.show", on_click=_start, args=(slot, query), icon=":material/play_arrow:")
            link = {"query": query.name}
            st.page_link(
                "app_pages/saved_queries.py", label="Its parameters and SQL", icon=":material/code:", query_params=link
            )
        if bearing.access is not Access.ROWS:
            st.caption("Statistics are asked on demand only: each answer narrows what may be asked later.")
        if jobs.question(slot) == asked and (answer := jobs.outcome(slot)) is not None:
            show_saved_answer(query, asked[1], answer, key=slot)


def _show_head(part: Part, bearing: Bearing) -> None:
    front = bearing.query.front
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{plain(front.title)}**")
        if bearing.access is not Access.ROWS:
            show_level(bearing.access)
    st.markdown(prose(front.question))
    if part.side_by_side and part.side_by_side.query == bearing.query.name:
        st.markdown(f"**Official sources side by side.** {prose(part.side_by_side.definitions)}")


def _asked(query: SavedQuery) -> tuple[QueryName, Statement]:
    return query.name, saved.statement_of(query, {})


def _start(slot: str, query: SavedQuery) -> None:
    who, house = asker(), services()
    jobs.start(slot, _asked(query), lambda running: saved.run_saved_query(house, who, query.name, {}, running))


def _show_closed(closed: tuple[Bearing, ...]) -> None:
    if not closed:
        return
    with st.expander(f"Not open to you ({len(closed)})", icon=":material/lock:"):
        for bearing in closed:
            st.markdown(f"**{plain(bearing.query.front.title)}**\n{listed(bearing.needs)}")


def _show_neighbours(commitments: Commitments, part: Part) -> None:
    before, after = neighbours(commitments, part)
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        for words, icon, other in (("Previous", "arrow_back", before), ("Next", "arrow_forward", after)):
            st.button(
                f"{words}: {other.title}" if other else words,
                key=f"{SLOT}.{words}",
                icon=f":material/{icon}:",
                type="tertiary",
                wrap=True,
                disabled=other is None,
                on_click=_open,
                args=(other,),
            )


show_commitments()
