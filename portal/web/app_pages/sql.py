"""Ask in SQL."""

from collections.abc import Sequence

import streamlit as st

from portal.desk import access, statements
from portal.desk.answers import CatalogueEntry, Explanation
from portal.errors import PortalError
from portal.policy.decision import Permit
from portal.policy.model import Access
from portal.policy.uses import uses_of
from portal.sql.plan import Statement
from portal.web.components import jobs
from portal.web.components.answers import show_answer, show_errata
from portal.web.components.downloads import offer_download
from portal.web.components.faults import show_faults
from portal.web.components.own_queries import offer_keeping
from portal.web.components.parameters import ask_parameters
from portal.web.components.programs import show_programs
from portal.web.components.uses import briefly, show_uses
from portal.web.session import asker, services
from portal.web.view_models.charting import quick_chart, sources_in_words
from portal.web.view_models.examples import example_for
from portal.web.view_models.wording import code, plain
from portal.workspaces.plan import governed_schema

TEXT, EXPLAINED, SLOT = "sql-text", "sql.explained", "sql"
FIXED_WIDTH = "<style>.st-key-sql-text textarea { font-family: ui-monospace, Menlo, Consolas, monospace; }</style>"


def show_sql_page() -> None:
    """Editor and schema side by side, the answer below."""
    st.title("SQL")
    st.html(FIXED_WIDTH)
    entries = [entry for entry in access.catalogue(services(), asker()) if entry.decision.access >= Access.AGGREGATES]
    editor, schema = st.columns([3, 1], gap="medium")
    with schema:
        _show_schema(entries)
    with editor:
        statement = _edit(entries)
    _show_explanation(statement)
    _show_result()


def _edit(entries: Sequence[CatalogueEntry]) -> Statement:
    st.session_state.setdefault(TEXT, st.session_state.get("sql.kept", example_for(entries)))
    text = st.text_area(
        "Statement",
        key=TEXT,
        height=220,
        on_change="ignore",
        help="One SELECT. Datasets are tables; values may be given as $parameters.",
    )
    st.session_state["sql.kept"] = text
    statement = Statement(text or "", ask_parameters(text or ""))
    with st.container(horizontal=True):
        if st.button("Run", type="primary", icon=":material/play_arrow:", shortcut="Ctrl+Enter"):
            st.session_state.pop(EXPLAINED, None)
            who, house = asker(), services()
            jobs.start(SLOT, statement, lambda running: statements.run_statement(house, who, statement, running))
        if st.button("Explain", icon=":material/policy:", help="What would happen, in terms of policy. Runs nothing."):
            st.session_state[EXPLAINED] = statement
        show_programs(statement)
        offer_keeping(statement)
    return statement


def _show_explanation(statement: Statement) -> None:
    if st.session_state.get(EXPLAINED) != statement:
        return
    try:
        explanation = statements.explain_statement(services(), asker(), statement)
    except PortalError as error:
        show_faults(error)
        return
    with st.container(border=True):
        _show_sentences(explanation)


def _show_sentences(explanation: Explanation) -> None:
    st.markdown("**It may run.** Before it does:")
    for name, sentences in explanation.decisions.items():
        st.markdown(f"{code(name)}\n" + "\n".join(f"- {plain(sentence)}" for sentence in sentences))
    if explanation.releases:
        st.markdown("Released:\n" + "\n".join(f"- {plain(sentence)}" for sentence in explanation.releases))
    limits = explanation.limits
    st.caption(
        f"At most {limits.result_rows:,} rows, {limits.seconds:g} seconds, {limits.memory}. "
        f"{explanation.rows_left_this_week:,} rows left this week."
    )
    show_errata(explanation.errata)
    with st.expander("What may be done with each column"):
        for name, uses in explanation.columns.items():
            show_uses(name, uses)
    st.code(explanation.sql, language="sql", wrap_lines=True)


def _show_result() -> None:
    answer = jobs.outcome(SLOT)
    if answer is None:
        return
    chart = quick_chart(answer.schema) if st.toggle("Quick chart", key="sql.chart") else None
    title = f"{chart.y} by {chart.x} · {sources_in_words(answer.receipt)}" if chart else "Answer"
    show_answer(answer, key=SLOT, title=title, chart=chart)
    offer_download(jobs.question(SLOT), [source.dataset for source in answer.receipt.sources], key=SLOT)


def _show_schema(entries: Sequence[CatalogueEntry]) -> None:
    st.markdown("**Datasets**")
    for entry in entries:
        assert isinstance(entry.decision, Permit)
        obligations = entry.decision.obligations
        columns = governed_schema(entry.dataset, obligations).columns
        with st.expander(entry.dataset.name):
            if obligations.disclosure:
                st.caption("For statistics only.")
            uses = {use.column: briefly(use) for use in uses_of(obligations)}
            st.markdown(
                "\n".join(
                    f"- {code(name)} {columns[name].lower()}" + plain(f" ({words})" if words else "")
                    for name, words in uses.items()
                )
            )


show_sql_page()
