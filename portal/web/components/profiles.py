"""The columns of an answer at a glance."""

import streamlit as st

from portal.desk.answers import Answer
from portal.web.components.answers import still_stands
from portal.web.view_models.profiling import ColumnProfile, profile
from portal.web.view_models.wording import code, counted, in_words, plain

PROFILED = 100_000
"""Rows that are looked at, so that a long answer does not keep the page waiting."""


def offer_profile(answer: Answer, *, key: str) -> None:
    """Show types, gaps, bounds and frequent values of each column once the reader opens the box."""
    with st.expander("Columns of this answer", icon=":material/analytics:", on_change="rerun", key=key) as box:
        if not box.open or not still_stands(answer):
            return
        st.table(
            [_worded(each) for each in profile(answer.head(PROFILED))],
            border="horizontal",
            hide_index=True,
            alt="Type, gaps, bounds and most frequent values of each column of the answer",
        )
        if answer.receipt.rows > PROFILED:
            st.caption(f"Of the first {counted(PROFILED, 'row')}.")


def _worded(each: ColumnProfile) -> dict[str, str]:
    bounds = "" if each.least is None else f"{in_words(each.least)} to {in_words(each.most)}"
    return {
        "Column": code(each.column),
        "Type": each.type,
        "Missing": f"{each.missing:,}",
        "Different": "" if each.different is None else f"{each.different:,}",
        "Range": plain(bounds),
        "Most frequent": plain(", ".join(f"{in_words(value)} ({count:,})" for value, count in each.top)),
    }
