"""What may be done with each column, beside the data and before anything is asked."""

from collections.abc import Sequence

import streamlit as st

from portal.ids import DatasetName
from portal.policy.uses import COUNTED, FREELY, ColumnUses
from portal.web.view_models.wording import code, plain


def show_uses(dataset: DatasetName, uses: Sequence[ColumnUses]) -> None:
    """Show a row for each column that is open in some way; what may not be done is left blank, or out for all."""
    usable = [use for use in uses if use != ColumnUses(use.column)]
    hidden = [code(use.column) for use in uses if use not in usable]
    columns = {"Output": "output", "Group": "group", "Filter": "filter", "Join": "join", "Aggregate": "aggregate"}
    ways = {title: way for title, way in columns.items() if any(getattr(use, way) for use in usable)}
    st.table(
        [
            {"Column": code(use.column), **{title: plain(getattr(use, way)) for title, way in ways.items()}}
            for use in usable
        ],
        border="horizontal",
        hide_index=True,
        alt=f"What may be done with each column of {dataset}",
    )
    if hidden:
        st.caption(f"Hidden: {', '.join(hidden)}.")


def briefly(use: ColumnUses) -> str:
    """Say in a few words what a column is for; nothing where it may be used freely."""
    if use.group == FREELY:
        return "" if use.output == FREELY else "masked"
    if use.group:
        return f"groups {use.group}"
    if use.aggregate == COUNTED:
        return "counted only"
    return f"figures: {use.aggregate}" if use.aggregate else "hidden"
