"""What there is, and what of it is open to you."""

import streamlit as st

from portal.desk import access
from portal.desk.answers import CatalogueEntry
from portal.policy.model import Access
from portal.web.components.labels import show_labels
from portal.web.session import asker, services
from portal.web.view_models.finding import matches
from portal.web.view_models.wording import TOPICS, plain, prose

BOOK, CHART = ":material/menu_book:", ":material/bar_chart:"


def show_catalogue() -> None:
    """Show every dataset whose codebook is open, one card each."""
    st.title("Catalogue")
    words = st.text_input(
        "Search", key="catalogue.search", placeholder="Names, columns, values", type="search", live=True
    )
    entries = access.catalogue(services(), asker())
    found = [entry for entry in entries if matches(entry.dataset, words or "")]
    if not found:
        st.info("Nothing fits. Try fewer words." if entries else "No dataset is open to you in this project.")
    with st.grid(2, min_column_width=340):
        for entry in found:
            _show_card(entry)


def _show_card(entry: CatalogueEntry) -> None:
    dataset = entry.dataset
    with st.container(border=True, height="stretch"):
        st.subheader(dataset.title, anchor=False)
        show_labels(entry, TOPICS[dataset.topic])
        st.markdown(prose(dataset.grain))
        for step in entry.decision.next_steps:
            st.caption(f"For more: {plain(step)}")
        st.space("stretch")
        with st.container(horizontal=True):
            st.page_link("app_pages/dataset.py", label="Codebook", icon=BOOK, query_params={"name": dataset.name})
            if entry.decision.access >= Access.AGGREGATES:
                st.page_link(
                    "app_pages/explore.py", label="Explore", icon=CHART, query_params={"dataset": dataset.name}
                )


show_catalogue()
