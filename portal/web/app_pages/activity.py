"""What the ledger holds of you."""

import streamlit as st

from portal.desk.activity import my_entries
from portal.ledger import Entry
from portal.web.session import asker, services
from portal.web.view_models.wording import code

SHOWN = 100


def show_activity() -> None:
    """Show the newest entries, then each receipt in full."""
    st.title("Activity")
    st.caption("Your own entries of the ledger, in every project. Nothing in it can be changed.")
    entries = my_entries(services(), asker(), SHOWN)
    _show_entries(entries)
    _show_receipt([entry for entry in entries if "statement" in entry.details])


def _show_entries(entries: tuple[Entry, ...]) -> None:
    if not entries:
        st.info("Nothing yet.")
        return
    st.dataframe(
        {
            "When (UTC)": [f"{entry.at:%Y-%m-%d %H:%M:%S}" for entry in entries],
            "What": [entry.action.value.replace("-", " ") for entry in entries],
            "Project": [entry.project or "" for entry in entries],
            "Rows": [entry.rows for entry in entries],
            "Subject": [entry.subject for entry in entries],
        },
        hide_index=True,
        alt="Your newest entries in the ledger",
    )


def _show_receipt(entries: list[Entry]) -> None:
    if not entries:
        return
    chosen = st.selectbox(
        "Statement", entries, format_func=lambda entry: f"{entry.at:%Y-%m-%d %H:%M:%S}, {entry.action.value}"
    )
    st.code(chosen.details["statement"], language="sql", wrap_lines=True)
    if codes := chosen.details.get("codes"):
        st.markdown("Refused: " + ", ".join(code(name) for name in codes))
    with st.expander("As recorded", icon=":material/receipt_long:"):
        st.json(dict(chosen.details))


show_activity()
