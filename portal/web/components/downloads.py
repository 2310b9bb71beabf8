"""Taking a file away: made by the desk, fetched by the audited route; never through Streamlit's own media."""

from collections.abc import Iterable

import streamlit as st

from portal.desk import access, links
from portal.desk.downloads import make_download
from portal.ids import DatasetName, DownloadId
from portal.sql.plan import Statement
from portal.web.components import jobs
from portal.web.session import asker, services
from portal.web.view_models.wording import bytes_in_words, counted, download_formats

ROUTE = "/api/v1/downloads/{}/file?link={}"


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
        if st.button(
            "Make a file to download", key=f"{slot}.make", icon=":material/download:", disabled=jobs.is_running(slot)
        ):
            who, house = asker(), services()
            jobs.start(slot, (statement, chosen), lambda run: make_download(house, who, statement, str(chosen), run))
    if jobs.question(slot) == (statement, chosen) and (ticket := jobs.outcome(slot)):
        st.markdown(
            f"{counted(ticket.rows, 'row')}, {bytes_in_words(ticket.bytes)}. Kept until {ticket.expires_at:%Y-%m-%d}."
        )
        fetch_button(ticket.id, ticket.filename)


def fetch_button(download: DownloadId, filename: str) -> None:
    """Show the link by which the browser fetches a file; it holds for a few minutes."""
    token = links.sign_link(services(), asker(), download)
    st.link_button(f"Fetch {filename}", ROUTE.format(download, token), icon=":material/download:")
