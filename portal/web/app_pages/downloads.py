"""The files that you made in this project, as long as they are kept."""

import streamlit as st

from portal.desk.downloads import my_downloads
from portal.registry import DownloadRecord
from portal.web.components.downloads import fetch_button
from portal.web.session import asker, services
from portal.web.view_models.wording import bytes_in_words, code


def show_downloads() -> None:
    """Show every file, newest first, with its link."""
    st.title("Downloads")
    st.caption("Each file comes with its manifest. Fetching asks the policy again and is recorded.")
    now = services().clock()
    records = [record for record in my_downloads(services(), asker()) if record.expires_at > now]
    if not records:
        st.info("No file yet. Make one below an answer in Explore, SQL or Saved queries.")
        return
    for record in records:
        _show_record(record)
    st.caption("A link holds for ten minutes; reload the page for a new one.")


def _show_record(record: DownloadRecord) -> None:
    sources = ", ".join(f"{source['dataset']} release {source['release']}" for source in record.receipt["sources"])
    synthetic = any(source["synthetic"] for source in record.receipt["sources"])
    with st.container(border=True):
        st.markdown(f"**{code(record.filename)}** {':orange-badge[Synthetic data]' if synthetic else ''}")
        st.markdown(f"{sources}. {record.rows:,} rows, {bytes_in_words(record.bytes)}.")
        st.caption(f"Made {record.created_at:%Y-%m-%d %H:%M} UTC, kept until {record.expires_at:%Y-%m-%d}.")
        fetch_button(record.id, "file")
        with st.expander("Statement and checksum"):
            st.code(record.receipt["statement"], language="sql", wrap_lines=True)
            st.caption(f"SHA-256 {code(record.sha256)}, receipt {code(record.receipt_id)}")


show_downloads()
