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
from portal.sql.pretty import pretty
from portal.web.components import jobs
from portal.web.components.answers import show_answer, show_errata
from portal.web.components.downloads import offer_download
from portal.web.components.faults import show_faults
from portal.web.components.own_queries import offer_keeping
from portal.web.components.parameters import ask_parameters, given_parameters
from portal.web.components.profiles import offer_profile
from portal.web.components.programs import show_programs
from portal.web.components.sql_editor import choose_how_to_write, selection, write_statement
from portal.web.components.sql_history import show_history
from portal.web.components.sql_tabs import begin_with, held, keep, show_tab_bar
from portal.web.components.uses import briefly, show_uses
from portal.web.session import asker, services
from portal.web.view_models.charting import quick_chart, sources_in_words
from portal.web.view_models.examples import example_for
from portal.web.view_models.sql_asking import Asked, Part, marks, part_of
from portal.web.view_models.sql_completion import words_for
from portal.web.view_models.wording import code, plain
from portal.workspaces.plan import governed_schema

ASKED, EXPLAINED, SLOT = "sql.asked", "sql.explained", "sql"
SCHEMA_HEIGHT = 380
"""Pixels: as tall as the editor beside it, so that the answer follows close below."""


def show_sql_page() -> None:
    """Editor and schema side by side, the answer below."""
    st.title("SQL")
    entries = [entry for entry in access.catalogue(services(), asker()) if entry.decision.access >= Access.AGGREGATES]
    begin_with(example_for(entries))
    explained = _explained()
    editor, schema = st.columns([3, 1], gap="medium")
    with schema:
        _show_schema(entries)
    with editor:
        _edit(entries, explained)
    if isinstance(explained, PortalError):
        show_faults(explained)
    elif explained is not None:
        with st.container(border=True):
            _show_sentences(explained)
    _show_result()


def _edit(entries: Sequence[CatalogueEntry], explained: Explanation | PortalError | None) -> None:
    tabs = held()
    refusal = jobs.refusal(SLOT) if explained is None else explained
    found = refusal.faults if isinstance(refusal, PortalError) else ()
    show_tab_bar(tabs)
    faults = marks(st.session_state.get(ASKED), tabs.in_hand, tabs.current.text, found)
    write_statement(tabs, words_for(entries), faults, _run)
    statement = Statement(tabs.current.text, ask_parameters(tabs.current.text))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Run", type="primary", icon=":material/play_arrow:", shortcut="Ctrl+Enter", on_click=_run)
        st.button("Explain", icon=":material/policy:", on_click=_explain,
                  help="What would happen, in terms of policy, and what it costs. Runs nothing.")  # fmt: skip
        st.button("Format", icon=":material/format_align_left:", on_click=_format, help="One clause to a line.")
        show_programs(statement)
        offer_keeping(statement)
        show_history()
        choose_how_to_write()


def _run() -> None:
    """Run the selection, else the whole: the callback of the button and of the editor's Ctrl+Enter."""
    part = _ask(selection())
    statement = Statement(part.text, given_parameters(part.text))
    st.session_state.pop(EXPLAINED, None)
    who, house = asker(), services()
    jobs.start(SLOT, statement, lambda running: statements.run_statement(house, who, statement, running))


def _explain() -> None:
    st.session_state[EXPLAINED] = _ask(None).text


def _format() -> None:
    """Lay the statement out; where it cannot be read, say why as an explanation would."""
    tabs = held()
    try:
        keep(tabs.written(pretty(tabs.current.text)))
    except PortalError:
        _explain()


def _ask(chosen: object) -> Part:
    tabs, before = held(), st.session_state.get(ASKED)
    part = part_of(tabs.current.text, chosen)
    number = before.number + 1 if before else 1
    st.session_state[ASKED] = Asked(number, tabs.in_hand, tabs.current.text, part)
    return part


def _explained() -> Explanation | PortalError | None:
    """Return what would happen to the statement, or why it is refused, as of now; None where nobody asked."""
    text = held().current.text
    if st.session_state.get(EXPLAINED) != text:
        return None
    try:
        return statements.explain_statement(services(), asker(), Statement(text, given_parameters(text)))
    except PortalError as error:
        return error


def _show_sentences(explanation: Explanation) -> None:
    st.markdown("**It may run.** Before it does:")
    for name, sentences in explanation.decisions.items():
        st.markdown(f"{code(name)}\n" + "\n".join(f"- {plain(sentence)}" for sentence in sentences))
    if explanation.releases:
        st.markdown("Released:\n" + "\n".join(f"- {plain(sentence)}" for sentence in explanation.releases))
    limits = explanation.limits
    st.caption(
        f"At most {limits.result_rows:,} rows, {limits.seconds:g} seconds, {limits.memory}. Each row of the answer "
        f"counts towards the {explanation.rows_left_this_week:,} rows left this week; the same question over the same "
        "data costs nothing again."
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
    offer_profile(answer, key="sql.profile")
    offer_download(jobs.question(SLOT), [source.dataset for source in answer.receipt.sources], key=SLOT)


def _show_schema(entries: Sequence[CatalogueEntry]) -> None:
    st.markdown("**Datasets**")
    with st.container(height=SCHEMA_HEIGHT, border=False):
        _show_datasets(entries)


def _show_datasets(entries: Sequence[CatalogueEntry]) -> None:
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
