"""The one way in which a refusal or failure is shown."""

import streamlit as st

from portal.errors import EngineFailure, Fault, PortalError
from portal.web.view_models.wording import plain


def show_faults(error: PortalError) -> None:
    """Show what was asked, which rule spoke and what to do next."""
    body = "\n\n".join(_words(fault) for fault in error.faults)
    show = st.error if isinstance(error, EngineFailure) else st.warning
    show(f"**{error.title}**\n\n{body}", icon=":material/error:" if show is st.error else ":material/info:")


def _words(fault: Fault) -> str:
    column = f", column {fault.column}" if fault.column is not None else ""
    place = f"Line {fault.line}{column}: " if fault.line is not None else ""
    parts = [f"{place}{plain(fault.message)}"]
    parts += [f"**What to do:** {plain(fault.fix)}"] if fault.fix else []
    parts += [f"Rule: {plain(fault.rule)}"] if fault.rule else []
    return "  \n".join(parts)
