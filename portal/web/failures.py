"""What a person is shown when something broke: a short word and a number to quote; the rest goes to the log."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import format_tb

import streamlit as st

from portal.errors import PortalError
from portal.web.components.faults import show_faults

LOG = logging.getLogger(__name__)


@contextmanager
def failures_shown() -> Iterator[None]:
    """Show whatever the page within did not expect, in place of the rest of it."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the last word on any error; none may be shown as it is
        show_failure(error)


def show_failure(error: Exception) -> bool:
    """Show an error that no page expected. Returns true: it has been shown.

    The log has the kind of error and its place, and no message, for that may hold a value.
    """
    if isinstance(error, PortalError):
        show_faults(error)
        return True
    request, place = secrets.token_hex(4), "".join(format_tb(error.__traceback__))
    LOG.error("A page failed (request %s): %s\n%s", request, type(error).__name__, place)
    st.error(f"Something went wrong on our side. Try again; if it stays, quote request {request}.")
    return True
