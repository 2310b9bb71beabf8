"""What may be done with each column, beside the data and before anything is asked."""

from collections.abc import Sequence

import streamlit as st

from portal.ids import DatasetName
from portal.policy.uses import ColumnUses
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
    """Say in a word or two what a column is for; nothing where it may be used freely."""
    if use.output == use.aggregate == "yes":
        return ""
    ways = {"group": use.group, "figures": use.aggregate if not use.group else ""}
    chosen = [way for way, words in ways.items() if words]
    return f" ({', '.join(chosen)})" if chosen else " (shown as it is masked)" if use.output else " (hidden)"
