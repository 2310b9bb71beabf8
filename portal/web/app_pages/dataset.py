"""One dataset: what it holds, what of it is open to you, and how to cite it."""

from collections.abc import Mapping

import streamlit as st

from portal.catalogue.dataset import Column
from portal.catalogue.metadata import FORMS, Described
from portal.desk import access
from portal.desk.access import identify
from portal.desk.answers import CatalogueEntry
from portal.desk.describing import describe_for
from portal.desk.releases import public_releases
from portal.desk.risk import risk_in_full, risk_in_words
from portal.errors import PortalError
from portal.ids import DatasetName
from portal.policy.decision import Deny, Permit
from portal.policy.explain import explain, obligation_in_words
from portal.policy.model import Access, Tier
from portal.policy.uses import uses_of
from portal.publishing.risk.page import page_of
from portal.web.components.answers import show_errata
from portal.web.components.faults import show_faults
from portal.web.components.labels import show_labels
from portal.web.components.uses import briefly, show_uses
from portal.web.session import address, asker, services
from portal.web.view_models.publications import publications_in_words
from portal.web.view_models.wording import TOPICS, code, copy_in_words, plain, prose

CITING = ("bib", "csl.json")
"""The forms that reference managers read."""


def show_dataset() -> None:
    """Show the dataset that the URL names, or why it cannot be shown."""
    name = DatasetName(st.query_params.get("name", ""))
    try:
        entry = access.catalogue_entry(services(), asker(), name)
    except PortalError as error:
        show_faults(error)
        st.page_link("app_pages/catalogue.py", label="To the catalogue")
        return
    _show_head(entry)
    codebook, mine, releases, citing = st.tabs(["Codebook", "My access", "Release and changes", "Source and citation"])
    with codebook:
        _show_codebook(entry)
    with mine:
        _show_access(entry)
    with releases:
        _show_release(entry)
    with citing:
        _show_source(entry)


def _show_head(entry: CatalogueEntry) -> None:
    dataset = entry.dataset
    st.title(dataset.title)
    show_labels(entry, TOPICS[dataset.topic])
    st.markdown(prose(dataset.description))
    st.markdown(prose(dataset.grain))
    if entry.decision.access >= Access.AGGREGATES:
        with st.container(horizontal=True):
            link = {"dataset": dataset.name}
            st.page_link("app_pages/explore.py", label="Explore", icon=":material/bar_chart:", query_params=link)
            st.page_link("app_pages/sql.py", label="Ask in SQL", icon=":material/code:")
    show_errata(tuple((dataset.name, erratum) for erratum in dataset.errata))


def _show_codebook(entry: CatalogueEntry) -> None:
    columns, for_you = entry.dataset.columns, _for_you(entry)
    st.table(
        [
            {
                "Column": f"{code(name)} {plain(column.type.lower())}",
                "Meaning": _meaning(column),
                "For you": plain(for_you[name]),
            }
            for name, column in columns.items()
        ],
        border="horizontal",
        hide_index=True,
        alt=f"Codebook of {entry.dataset.title}",
    )
    labelled = {name: column.values for name, column in columns.items() if column.values}
    name = st.selectbox("Values of", list(labelled), index=None, placeholder="Choose a column") if labelled else None
    if name:
        st.table(
            [{"Value": code(value), "Label": prose(label)} for value, label in labelled[name].items()],
            border="horizontal",
            hide_index=True,
            alt=f"Values of {name}",
        )


def _meaning(column: Column) -> str:
    facts = [prose(column.meaning)]
    facts += [f"Unit: {prose(column.unit)}."] if column.unit else []
    facts += [f"From {column.since}."] if column.since else []
    facts += [f"Until {column.until}."] if column.until else []
    facts += [f"{len(column.values)} values, named below."] if column.values else []
    return " ".join(facts)


def _for_you(entry: CatalogueEntry) -> Mapping[str, str]:
    """Say in a few words what each column is to this person."""
    if isinstance(entry.decision, Deny) or entry.decision.access < Access.AGGREGATES:
        return dict.fromkeys(entry.dataset.columns, "not open")
    obligations = entry.decision.obligations
    if obligations.access is Access.AGGREGATES:
        return {use.column: briefly(use) for use in uses_of(obligations)}
    return {name: obligation_in_words(duty) for name, duty in obligations.columns.items()}


def _show_access(entry: CatalogueEntry) -> None:
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in explain(entry.decision)))
    if isinstance(entry.decision, Permit) and entry.decision.access >= Access.AGGREGATES:
        show_uses(entry.dataset.name, uses_of(entry.decision.obligations))
    policy = services().site.policies.get(entry.dataset.name)
    if policy:
        st.caption(f"Legal basis of the policy: {plain(policy.legal_basis)}")
    st.caption("Legal basis of the data: " + plain("; ".join(entry.dataset.legal_basis)))


def _show_release(entry: CatalogueEntry) -> None:
    if entry.damaged:
        st.error("The latest release is damaged, so nothing of it is served until the operator has restored it.")
    elif entry.release is None:
        st.info("Nothing is published yet.")
    else:
        st.markdown(f"Release {entry.release} of {entry.released_at:%Y-%m-%d}.{copy_in_words(entry.copy)}")
        _show_risk(entry)
    for told in publications_in_words(public_releases(services(), asker(), entry.dataset.name)):
        st.markdown(plain(told))
    for change in entry.dataset.changes:
        st.markdown(f"**{change.date}** {prose(change.note)}")


def _show_risk(entry: CatalogueEntry) -> None:
    """Show how well those in the release are hidden: in words, and whole to a steward."""
    name = entry.dataset.name
    if sentences := risk_in_words(services(), asker(), name):
        with st.container(border=True):
            st.markdown("**How likely is it that somebody is found again?**")
            st.markdown("\n".join(f"- {prose(sentence)}" for sentence in sentences))
            if identify(services(), asker().person).tier is Tier.STEWARD:
                page = page_of(risk_in_full(services(), asker(), name), entry.dataset.title)
                st.download_button("Whole risk report", page, f"{name}-risk.html", "text/html", on_click="ignore")


def _show_source(entry: CatalogueEntry) -> None:
    origin = entry.dataset.provenance
    st.markdown(f"**Publisher:** {plain(origin.publisher)}  \n**Licence:** {plain(origin.licence)}")
    if origin.url:
        st.markdown(f"<{origin.url}>")
    if origin.note:
        st.caption(prose(origin.note))
    _show_citation(describe_for(services(), asker(), entry.dataset.name, address()))


def _show_citation(described: Described) -> None:
    """Show how the dataset is cited, and its description as a file for other catalogues and tools."""
    st.markdown("**Cite as**")
    text, *others = st.tabs(["Text", *(FORMS[form].title for form in CITING)])
    text.code(described.citation, language=None, wrap_lines=True)
    for tab, citing in zip(others, CITING, strict=True):
        tab.code(FORMS[citing].text(described), language=_language(citing), wrap_lines=True)
    form = st.selectbox(
        "For other tools",
        [form for form in FORMS if form not in CITING],
        index=None,
        format_func=_form_in_words,
        placeholder="Choose a form",
    )
    if form:
        file = FORMS[form].text(described)
        name = f"{described.dataset.name}.{form}"
        st.download_button(f"Download {name}", file, name, FORMS[form].media_type, on_click="ignore")
        st.code(file, language=_language(form), height=400)


def _language(form: str) -> str:
    """Return the language in which a form is coloured."""
    return form.rpartition(".")[2].removesuffix("ld")


def _form_in_words(form: str) -> str:
    return f"{FORMS[form].title} (metadata.{form})"


show_dataset()
