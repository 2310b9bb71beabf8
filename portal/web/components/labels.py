"""Small labels that carry a meaning wherever they stand."""

import streamlit as st

from portal.desk.answers import CatalogueEntry, Receipt
from portal.policy.decision import Decision
from portal.policy.model import Access
from portal.web.view_models.wording import ACCESS_BADGES


def show_access(decision: Decision) -> None:
    """Show how far access goes."""
    show_level(decision.access)


def show_level(level: Access) -> None:
    """Show a level of access."""
    words, colour = ACCESS_BADGES[level]
    st.badge(words, icon=":material/lock_open:" if level > Access.CODEBOOK else ":material/lock:", color=colour)


def show_synthetic() -> None:
    """Say that the data is made up."""
    st.badge("Synthetic data", icon=":material/science:", color="orange")


def show_labels(entry: CatalogueEntry, topic: str) -> None:
    """Show what must be known of a dataset before anything else."""
    with st.container(horizontal=True, gap="small"):
        show_access(entry.decision)
        if entry.damaged:
            st.badge("Release damaged", icon=":material/report:", color="red")
        elif entry.release is None:
            st.badge("Not published", color="gray")
        else:
            st.badge(f"Release {entry.release}", color="gray")
        st.badge(topic, color="gray")
        if entry.synthetic:
            show_synthetic()


def show_synthetic_answer(receipt: Receipt) -> None:
    """Label an answer that rests, wholly or in part, on synthetic data."""
    if any(source.synthetic for source in receipt.sources):
        show_synthetic()
