"""What there is, and what of it is open to you."""

from collections import Counter
from collections.abc import Collection, Sequence

import streamlit as st

from portal.desk import access
from portal.desk.answers import CatalogueEntry
from portal.policy.model import Access
from portal.web.components.labels import show_labels
from portal.web.session import asker, services
from portal.web.view_models.finding import Place, matches, places
from portal.web.view_models.wording import ACCESS_BADGES, TOPICS, code, counted, plain, prose

BOOK, CHART = ":material/menu_book:", ":material/bar_chart:"
LEVELS = (Access.ROWS, Access.AGGREGATES, Access.CODEBOOK)
MOST_PLACES = 4


def show_catalogue() -> None:
    """Show every dataset whose codebook is open, one card each."""
    st.title("Catalogue")
    words = st.text_input(
        "Search", key="catalogue.search", placeholder="Names, columns, values", type="search", live=True
    )
    entries = access.catalogue(services(), asker())
    levels = _choose_levels(entries)
    found = [entry for entry in entries if entry.decision.access in levels and matches(entry.dataset, words or "")]
    if not found:
        st.info("Nothing fits. Try fewer words." if entries else "No dataset is open to you in this project.")
    with st.grid(2, min_column_width=340):
        for entry in found:
            _show_card(entry, words or "")


def _choose_levels(entries: Sequence[CatalogueEntry]) -> Collection[Access]:
    """Let the reader keep to some levels of access; each says how many datasets it has. None chosen is all."""
    numbers = Counter(entry.decision.access for entry in entries)
    held = [level for level in LEVELS if numbers[level]]
    if len(held) < 2:  # noqa: PLR2004 - one level leaves nothing to choose
        return held
    return (
        st.pills(
            "Access",
            held,
            selection_mode="multi",
            format_func=lambda level: f"{ACCESS_BADGES[level][0]} ({numbers[level]})",
            key="catalogue.levels",
            label_visibility="collapsed",
        )
        or held
    )


def _show_card(entry: CatalogueEntry, words: str) -> None:
    dataset = entry.dataset
    with st.container(border=True, height="stretch"):
        st.subheader(dataset.title, anchor=False)
        show_labels(entry, TOPICS[dataset.topic])
        st.markdown(prose(dataset.grain))
        if words and (found := places(dataset, words)):
            more = f" and {counted(len(found) - MOST_PLACES, 'other place')}" if len(found) > MOST_PLACES else ""
            st.caption(f"Found in {', '.join(_in_words(place) for place in found[:MOST_PLACES])}{more}.")
        for step in entry.decision.next_steps:
            st.caption(f":material/lock_open: For more: {plain(step)}")
        st.space("stretch")
        with st.container(horizontal=True):
            st.page_link("app_pages/dataset.py", label="Codebook", icon=BOOK, query_params={"name": dataset.name})
            if entry.decision.access >= Access.AGGREGATES:
                st.page_link(
                    "app_pages/explore.py", label="Explore", icon=CHART, query_params={"dataset": dataset.name}
                )


def _in_words(place: Place) -> str:
    return code(place.column) if place.value is None else f"{code(place.column)} = {code(place.value)}"


show_catalogue()
