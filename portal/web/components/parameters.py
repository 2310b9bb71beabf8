"""Fields for the values of a statement's parameters."""

import streamlit as st

from portal.sql.plan import ParameterValue
from portal.web.view_models.parameters import names_in, read_value


def ask_parameters(text: str) -> dict[str, ParameterValue]:
    """Show a field for each `$name` of the text and return the values of those that are filled in."""
    names = names_in(text)
    if not names:
        return {}
    with st.container(horizontal=True):
        for name in names:
            st.text_input(f"${name}", key=_key(name), width=180)
    st.caption("Numbers, days (2025-03-01), true or false are read as such; put text in '…' to keep it text.")
    return given_parameters(text)


def given_parameters(text: str) -> dict[str, ParameterValue]:
    """Return the values of a text's parameters as their fields hold them, for callbacks as well."""
    typed = {name: st.session_state.get(_key(name)) for name in names_in(text)}
    return {name: read_value(value) for name, value in typed.items() if value}


def _key(name: str) -> str:
    return f"parameter.{name}"
