"""Taking a file away: asked for and watched here, made by the portal's workers, fetched by the audited route.

Never through Streamlit's own media.
"""

from collections.abc import Iterable

import streamlit as st

from portal.desk import access, links
from portal.desk.answers import DownloadStatus
from portal.desk.downloads import cancel_download, download_status, request_download
from portal.errors import PortalError
from portal.ids import DatasetName, DownloadId
from portal.sql.plan import Statement
from portal.web.components.faults import show_faults
from portal.web.session import asker, services
from portal.web.view_models.wording import bytes_in_words, counted, download_formats

ROUTE = "/api/v1/downloads/{}/file?link={}"
LOOK_EVERY = 0.5
"""Seconds between two looks at a download that is being made."""


def offer_download(statement: Statement, datasets: Iterable[DatasetName], *, key: str) -> None:
    """Offer the whole answer of a statement as a file, in the formats that every policy behind it allows."""
    formats = download_formats(access.decide_for(services(), asker(), datasets))
    if not formats:
        st.caption("The policy allows no download of this.")
        return
    slot = f"{key}.download"
    with st.container(horizontal=True, vertical_alignment="center"):
        chosen = st.segmented_control(
            "Download as",
            formats,
            default=formats[0],
            required=True,
            key=f"{slot}.format",
            label_visibility="collapsed",
        )
        pressed = st.button("Make a file to download", key=f"{slot}.make", icon=":material/download:")
    if pressed:
        _request(statement, str(chosen), slot)
    asked = st.session_state.get(f"{slot}.asked")
    if asked and asked[0] == (statement, chosen):
        show_download(asked[1])


def show_download(download: DownloadId) -> None:
    """Show how far a download is, and what can be done: stop it, or fetch its file."""
    status = download_status(services(), asker(), download)
    if not status.is_over:
        _watch(download)
    elif status.error:
        show_faults(status.error)
    elif status.state == "expired":
        st.caption("This file has expired. Make it again.")
    elif record := status.record:
        st.markdown(
            f"{counted(record.rows, 'row')}, {bytes_in_words(record.bytes)}. Kept until {record.expires_at:%Y-%m-%d}."
        )
        fetch_button(record.id, record.filename)


def fetch_button(download: DownloadId, filename: str) -> None:
    """Show the link by which the browser fetches a file; it holds for a few minutes."""
    token = links.sign_link(services(), asker(), download)
    st.link_button(f"Fetch {filename}", ROUTE.format(download, token), icon=":material/download:")


@st.fragment(run_every=LOOK_EVERY)
def _watch(download: DownloadId) -> None:
    status = download_status(services(), asker(), download)
    if status.is_over:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(max(status.share, 0.0), 1.0), text=_words(status), width="stretch")
        st.button("Cancel", key=f"{download}.cancel", on_click=_cancel, args=(download,), icon=":material/stop_circle:")
    st.caption("The file is made in the background; you find it under Downloads as well.")


def _words(status: DownloadStatus) -> str:
    return status.words or "Working"


def _cancel(download: DownloadId) -> None:
    cancel_download(services(), asker(), download)


def _request(statement: Statement, file_format: str, slot: str) -> None:
    try:
        status = request_download(services(), asker(), statement, file_format)
    except PortalError as error:
        show_faults(error)
    else:
        st.session_state[f"{slot}.asked"] = ((statement, file_format), status.id)
