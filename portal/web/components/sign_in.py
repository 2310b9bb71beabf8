"""The sign-in of the demonstration: roles without proof, on the own machine only."""

import streamlit as st

from portal.registry.demo import PEOPLE
from portal.settings import Settings
from portal.web.session import is_demo_sign_in_open, sign_in

ROLES = {
    "vetted": "Art. 40(4): row access to what a reasoned request names.",
    "registered": "Art. 40(12): publicly accessible data, and statistics.",
    "steward": "Looks after datasets and policies.",
    "reviewer": "Reviews what leaves the portal.",
    "auditor": "Reads the ledger.",
}


def show_sign_in() -> None:
    """Let somebody choose a role, where that is allowed; else say how to come in."""
    st.title("DSA research portal")
    st.markdown("Anonymised extracts of a very large online platform, for research under the Digital Services Act.")
    if not is_demo_sign_in_open(Settings()):
        st.info("Sign-in with your institution is not set up yet on this portal. Write to its operator.")
        return
    st.subheader("Enter the demonstration as")
    for person in PEOPLE:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(person.name, key=f"enter {person.id}", on_click=sign_in, args=(person.id,), width=260)
            st.caption(ROLES[person.tier], width="stretch")
