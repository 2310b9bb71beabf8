"""An answer without SQL: filter, group, measure; and the SQL behind it."""

from collections.abc import Mapping

import streamlit as st

from portal.desk import access, statements
from portal.desk.answers import CatalogueEntry
from portal.errors import UsageError
from portal.ids import DatasetName
from portal.policy.decision import Obligations, Permit
from portal.policy.model import Access
from portal.sql.plan import Statement
from portal.web.components import jobs
from portal.web.components.answers import show_answer
from portal.web.components.downloads import offer_download
from portal.web.components.exploring import ask, key_of, read_link, write_link
from portal.web.components.faults import show_faults
from portal.web.components.sql_tabs import open_statement
from portal.web.session import asker, services
from portal.web.view_models.charting import chart_of, title_of
from portal.web.view_models.exploration import Exploration
from portal.web.view_models.explore_sql import to_statement
from portal.web.view_models.offering import Offer, as_offered, first_look, offer_rows, offer_statistics, terms_in_words
from portal.web.view_models.parameters import write_value
from portal.web.view_models.wording import plain, prose
from portal.workspaces.plan import governed_schema

SLOT, PREVIEW_ROWS = "explore", 200


def show_explore() -> None:
    """Controls on the left, the answer on the right."""
    st.title("Explore")
    entries = {str(entry.dataset.name): entry for entry in _open_entries()}
    if not entries:
        st.info("No dataset is open to you in this project. The catalogue says what is needed.")
        return
    controls, result = st.columns([1, 1.7], gap="medium")
    with controls:
        linked = read_link()
        entry = _choose_dataset(entries, linked)
        offer = _offer(entry)
        asked = _asked(entry, offer, linked)
        began = as_offered(asked, offer)
        exploration = ask(entry, offer, began)
        if exploration == began and (began != asked or (linked and linked.dataset not in entries)):
            st.caption("This link asked for more than is open to you here; the rest was left out.")
        write_link(exploration)
    with result:
        _show_result(exploration, entry, offer.types)


def _open_entries() -> list[CatalogueEntry]:
    return [
        entry
        for entry in access.catalogue(services(), asker())
        if entry.decision.access >= Access.AGGREGATES and entry.release is not None
    ]


def _choose_dataset(entries: Mapping[str, CatalogueEntry], linked: Exploration | None) -> CatalogueEntry:
    names = list(entries)
    index = names.index(linked.dataset) if linked and linked.dataset in entries else 0
    name = st.selectbox(
        "Dataset", names, index=index, key=key_of("dataset"), format_func=lambda name: entries[name].dataset.title
    )
    entry = entries[name]
    st.caption(prose(entry.dataset.grain))
    if rules := _obligations(entry).disclosure:
        st.caption(plain(terms_in_words(rules)))
    return entry


def _asked(entry: CatalogueEntry, offer: Offer, linked: Exploration | None) -> Exploration:
    name = str(entry.dataset.name)
    began = linked if linked and linked.dataset == name and linked != Exploration(name) else None
    return began or first_look(name, entry.dataset.date_column, offer)


def _obligations(entry: CatalogueEntry) -> Obligations:
    assert isinstance(entry.decision, Permit)
    return entry.decision.obligations


def _offer(entry: CatalogueEntry) -> Offer:
    """Return what is offered of the columns that hold something for this person, in the types that they meet."""
    duties = _obligations(entry)
    columns = governed_schema(entry.dataset, duties).columns
    types = {name: kind for name, kind in columns.items() if not duties.columns[name].hide}
    return offer_statistics(types, duties.disclosure) if duties.disclosure else offer_rows(types)


def _show_result(exploration: Exploration, entry: CatalogueEntry, types: Mapping[str, str]) -> None:
    try:
        statement = to_statement(exploration, types)
    except UsageError as error:
        show_faults(error)
        return
    if _obligations(entry).disclosure and not _is_asked(exploration, statement):
        _offer_to_ask(exploration, statement)
    else:
        _run(exploration, statement)
    if _is_asked(exploration, statement) and (answer := jobs.outcome(SLOT)):
        measured = entry.dataset.columns.get(exploration.measure.column or "")
        title = title_of(exploration, measured.unit if measured else None, answer.receipt.sources[0].release)
        show_answer(answer, key=SLOT, title=title, chart=chart_of(exploration, types))
        offer_download(statement, [DatasetName(exploration.dataset)], key=SLOT)
    _show_sql(statement)


def _is_asked(exploration: Exploration, statement: Statement) -> bool:
    return bool(jobs.question(SLOT) == (statement, exploration.view))


def _offer_to_ask(exploration: Exploration, statement: Statement) -> None:
    """Ask for statistics when told to, and not at every touch of a control: each answer narrows what may follow."""
    if st.button("Show", type="primary", icon=":material/play_arrow:"):
        _run(exploration, statement)
        st.rerun()
    st.caption(
        "What your project is shown counts towards what it can be shown next: nothing is asked until you press Show. "
        "The same question costs nothing again."
    )


def _run(exploration: Exploration, statement: Statement) -> None:
    if _is_asked(exploration, statement):
        return
    who, house = asker(), services()
    jobs.start(
        SLOT,
        (statement, exploration.view),
        lambda running: statements.run_statement(house, who, statement, running),
        PREVIEW_ROWS if exploration.view == "rows" else None,
    )


def _show_sql(statement: Statement) -> None:
    with st.expander("SQL behind this", icon=":material/code:"):
        st.code(statement.text, language="sql", wrap_lines=True)
        for name, value in statement.parameters.items():
            st.caption(f"${name} = {plain(str(value))}")
        if st.button("Open in SQL"):
            open_statement(statement.text)
            for name, value in statement.parameters.items():
                st.session_state[f"parameter.{name}"] = write_value(value)
            st.switch_page("app_pages/sql.py")


show_explore()
