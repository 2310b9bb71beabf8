"""What may be done with each column, beside the data and before anything is asked."""

from collections.abc import Sequence

import streamlit as st

from portal.ids import DatasetName
from portal.policy.uses import COUNTED, FREELY, ColumnUses
from portal.web.view_models.wording import code, plain


def show_uses(dataset: DatasetName, uses: Sequence[ColumnUses]) -> None:
    """Show a row for each column; what may not be done is left blank."""
    st.table(
        [
            {
                "Column": code(use.column),
                "Output": plain(use.output),
                "Group": plain(use.group),
                "Filter": plain(use.filter),
                "Join": plain(use.join),
                "Aggregate": plain(use.aggregate),
            }
            for use in uses
        ],
        border="horizontal",
        hide_index=True,
        alt=f"What may be done with each column of {dataset}",
    )


def briefly(use: ColumnUses) -> str:
    """Say in a few words what a column is for; nothing where it may be used freely."""
    if use.group == FREELY:
        return "" if use.output == FREELY else "masked"
    if use.group:
        return f"groups {use.group}"
    if use.aggregate == COUNTED:
        return "counted only"
    return f"figures: {use.aggregate}" if use.aggregate else "hidden"
