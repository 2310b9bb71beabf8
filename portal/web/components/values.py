"""The form in which a saved query's parameters get their values."""

from collections.abc import Mapping
from datetime import date

import streamlit as st

from portal.site.queries import QueryParameter
from portal.sql.plan import ParameterValue


def ask_values(key: str, parameters: Mapping[str, QueryParameter]) -> dict[str, ParameterValue] | None:
    """Ask for a value for each parameter, each with its default; return them once Run is pressed, None else."""
    with st.form(key, border=False):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            given = {name: _field(f"{key}.{name}", parameter) for name, parameter in parameters.items()}
        pressed = st.form_submit_button("Run", type="primary", icon=":material/play_arrow:")
    return given if pressed else None


def _field(key: str, parameter: QueryParameter) -> ParameterValue:
    label, default = parameter.label, parameter.default
    if parameter.values:
        values: list[ParameterValue] = list(parameter.values)
        return st.selectbox(label, values, index=values.index(default) if default in values else 0, key=key, width=260)
    match parameter.type:
        case "date":
            day = default if isinstance(default, date) else date.fromisoformat(str(default))
            return st.date_input(label, day, format="YYYY-MM-DD", key=key, width=180)
        case "boolean":
            return st.checkbox(label, str(default).lower() == "true", key=key)
        case "integer":
            return st.number_input(label, value=int(str(default)), step=1, key=key, width=180)
        case "number":
            return st.number_input(label, value=float(str(default)), key=key, width=180)
        case "text":
            return st.text_input(label, str(default), key=key, width=260)
