"""An answer: table, notices, receipt. The same for every page."""

import math

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from portal.catalogue.dataset import Erratum
from portal.desk import citing
from portal.desk.answers import Answer, Receipt
from portal.desk.standing import changed_since
from portal.site.queries import Chart
from portal.web.components.charts import show_chart
from portal.web.components.labels import show_synthetic_answer
from portal.web.session import asker, services
from portal.web.view_models.charting import sources_in_words
from portal.web.view_models.wording import NULL, WITHHELD_WORDS, absent, code, counted, in_words, plain, prose

PAGE_ROWS, PLAIN_ROWS = 100, 25


def show_answer(answer: Answer, *, key: str, title: str, chart: Chart | None = None) -> None:
    """Show a whole answer, unless the access that it rests on has changed since."""
    if not still_stands(answer):
        st.warning("The access that this answer rests on has ended or changed. Run it again.", icon=":material/lock:")
        return
    show_synthetic_answer(answer.receipt)
    show_errata(answer.errata)
    if not answer.receipt.complete:
        st.caption(f"The first {counted(answer.receipt.rows, 'row')}; a limit cut the rest.")
    st.markdown(f"**{plain(title)}**")
    if chart and answer.receipt.rows > 1:
        show_chart(answer, chart, title=title, key=f"{key}.figure")
    show_table(answer, title=title, key=key)
    if answer.receipt.withheld is not None:
        st.caption(WITHHELD_WORDS)
    show_receipt(answer)


def still_stands(answer: Answer) -> bool:
    """Whether everything behind an answer is still open, and shown as it was, to the one who asks now."""
    return not changed_since(services(), asker(), answer.receipt.sources, answer.receipt.at)


def show_errata(errata: tuple[tuple[str, Erratum], ...]) -> None:
    """Show the known faults of the data beside it, the first by its title."""
    if not errata:
        return
    others = f" (and {len(errata) - 1} more)" if len(errata) > 1 else ""
    with st.expander(f"Known fault: {plain(errata[0][1].title)}{others}", icon=":material/warning:"):
        for _, erratum in errata:
            period = f" ({erratum.since or '…'} to {erratum.until or '…'})" if erratum.since or erratum.until else ""
            st.markdown(f"**{plain(erratum.title)}**{period}  \n{prose(erratum.description)}")
            if erratum.columns:
                st.caption(f"Touches {', '.join(map(code, erratum.columns))}.")


def show_table(answer: Answer, *, title: str, key: str) -> None:
    """Show the answer's rows, a page at a time, and the first of them as a plain table for readers of the screen."""
    rows = answer.receipt.rows
    if not rows:
        st.info("No row answers this.")
        return
    pages, slot = math.ceil(rows / PAGE_ROWS), st.empty()
    page = st.pagination(pages, key=f"{key}.page.{answer.receipt.id}") if pages > 1 else 1
    first = (page - 1) * PAGE_ROWS
    shown = _with_nulls_named(answer.head(first + PAGE_ROWS).slice(first), answer.receipt)
    slot.dataframe(
        shown,
        hide_index=True,
        key=f"{key}.table",
        alt=f"{title}. {counted(rows, 'row')}.",
        placeholder=absent(answer.receipt),
    )
    st.caption(f"{counted(rows, 'row')}. {plain(sources_in_words(answer.receipt))}.")
    with st.expander("As plain table" + (f" (first {PLAIN_ROWS} rows)" if rows > PLAIN_ROWS else "")):
        st.table(
            _worded(_with_nulls_named(answer.head(PLAIN_ROWS), answer.receipt), absent(answer.receipt)),
            hide_index=True,
            border="horizontal",
            alt=title,
        )


def show_receipt(answer: Answer) -> None:
    """Show what is needed to repeat, audit and cite the answer."""
    receipt = answer.receipt
    with st.expander("Receipt and citation", icon=":material/receipt_long:"):
        for citation in citing.citations(services(), answer):
            st.code(citation, language=None, wrap_lines=True)
        st.table(_facts(receipt), border="horizontal", hide_header=True, alt="Receipt")
        for source in receipt.sources:
            st.caption(f"{source.dataset}: {plain('; '.join(source.obligations) or 'as published')}")


def _facts(receipt: Receipt) -> dict[str, str]:
    return {
        "Receipt": f"`{receipt.id}`",
        "Query": f"`{receipt.fingerprint}`",
        "Releases": plain(sources_in_words(receipt)),
        "Asked": f"{receipt.at:%Y-%m-%d %H:%M:%S} UTC, {receipt.seconds:.2f} s",
        "Rows": f"{receipt.rows:,}{'' if receipt.complete else ' (cut by a limit)'}",
        "Left this week": f"{receipt.rows_left_this_week:,} rows",
    }


def _with_nulls_named(table: pa.Table, receipt: Receipt) -> pa.Table:
    """Return the table with NULL written into its texts where another sign stands for figures: a text is a group's."""
    if absent(receipt) == NULL:
        return table
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            table = table.set_column(place, field, pc.fill_null(table.column(place), NULL))
    return table


def _worded(table: pa.Table, missing: str) -> list[dict[str, str]]:
    return [
        {name: missing if value is None else plain(in_words(value)) for name, value in row.items()}
        for row in table.to_pylist()
    ]
