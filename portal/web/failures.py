"""What a person is shown when something broke: a short word and a number to quote; the rest goes to the log."""

import logging
import secrets

import streamlit as st

from portal.errors import PortalError
from portal.web.components.faults import show_faults

LOG = logging.getLogger(__name__)


def show_failure(error: Exception) -> bool:
    """Show an error that no page expected. Returns true: it has been shown."""
    if isinstance(error, PortalError):
        show_faults(error)
        return True
    request = secrets.token_hex(4)
    LOG.error("A page failed (request %s)", request, exc_info=error)
    st.error(
        f"Something went wrong on our side. Try again; if it stays, quote request {request}.", icon=":material/error:"
    )
    return True
