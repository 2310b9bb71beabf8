"""The files that you asked for in this project: those that are being made, and those that are kept."""

import streamlit as st

from portal.desk.answers import DownloadStatus
from portal.desk.downloads import my_downloads
from portal.registry import DownloadRecord
from portal.web.components.downloads import fetch_button, show_download
from portal.web.session import asker, services
from portal.web.view_models.wording import bytes_in_words, code


def show_downloads() -> None:
    """Show every download that has not expired, newest first."""
    st.title("Downloads")
    st.caption("Each file comes with its manifest. Fetching asks the policy again and is recorded.")
    found = [status for status in my_downloads(services(), asker()) if status.state != "expired"]
    if not found:
        st.info("No file yet. Make one below an answer in Explore, SQL or Saved queries.")
        return
    for status in found:
        with st.container(border=True):
            if status.record:
                _show_record(status.record)
            else:
                _show_job(status)
    st.caption("A link holds for ten minutes; reload the page for a new one.")


def _show_job(status: DownloadStatus) -> None:
    st.markdown(f"**A file in {code(status.format)}**, asked for {status.created_at:%Y-%m-%d %H:%M} UTC.")
    show_download(status.id)
    with st.expander("Statement"):
        st.code(status.statement, language="sql", wrap_lines=True)


def _show_record(record: DownloadRecord) -> None:
    sources = ", ".join(f"{source['dataset']} release {source['release']}" for source in record.receipt["sources"])
    synthetic = any(source["synthetic"] for source in record.receipt["sources"])
    st.markdown(f"**{code(record.filename)}** {':orange-badge[Synthetic data]' if synthetic else ''}")
    st.markdown(f"{sources}. {record.rows:,} rows, {bytes_in_words(record.bytes)}.")
    st.caption(f"Made {record.created_at:%Y-%m-%d %H:%M} UTC, kept until {record.expires_at:%Y-%m-%d}.")
    fetch_button(record.id, "file")
    with st.expander("Statement and checksum"):
        st.code(record.receipt["statement"], language="sql", wrap_lines=True)
        st.caption(f"SHA-256 {code(record.sha256)}, receipt {code(record.receipt_id)}")


show_downloads()
