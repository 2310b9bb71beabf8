"""DDI-Codebook 2.5 (ddialliance.org), which the archives of social science read. The elements stand in its order."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from portal.catalogue.dataset import Column
from portal.catalogue.metadata.described import ACCESS_TERMS, Described

_NAMESPACE = "ddi:codebook:2_5"
_NUMBERS = ("INTEGER", "BIGINT", "DOUBLE")


def ddi_codebook(described: Described) -> str:
    """Describe a dataset as a codebook: study, file and every variable with its categories."""
    book = Element("codeBook", {"xmlns": _NAMESPACE, "version": "2.5", "ID": described.dataset.name, "xml:lang": "en"})
    _describe_study(book, described)
    file = SubElement(SubElement(book, "fileDscr", ID="F1"), "fileTxt")
    _say(file, "fileName", f"{described.dataset.name}.parquet")
    _say(file, "fileCont", described.dataset.grain)
    _say(file, "fileType", "Apache Parquet")
    variables = SubElement(book, "dataDscr")
    for name, column in described.dataset.columns.items():
        _describe_variable(variables, name, column)
    indent(book)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(book, encoding="unicode") + "\n"


def _describe_study(book: Element, described: Described) -> None:
    dataset, provenance = described.dataset, described.dataset.provenance
    study = SubElement(book, "stdyDscr")
    citation = SubElement(study, "citation")
    titles = SubElement(citation, "titlStmt")
    _say(titles, "titl", described.title)
    _say(titles, "IDNo", provenance.doi or dataset.name, agency="DOI" if provenance.doi else "portal")
    _say(SubElement(citation, "rspStmt"), "AuthEnty", provenance.publisher)
    _say(SubElement(citation, "prodStmt"), "copyright", provenance.licence)
    distributor = SubElement(citation, "distStmt")
    _say(distributor, "distrbtr", "DSA research portal", URI=described.address)
    if described.released_on:
        _say(distributor, "distDate", described.released_on.isoformat(), date=described.released_on.isoformat())
    if described.release:
        _say(SubElement(citation, "verStmt"), "version", f"Release {described.release}")
    _say(citation, "biblCit", described.citation)
    information = SubElement(study, "stdyInfo")
    subject = SubElement(information, "subject")
    _say(subject, "keyword", dataset.topic)
    if described.synthetic:
        _say(subject, "keyword", "synthetic data")
    _say(information, "abstract", described.description)
    _say(SubElement(information, "sumDscr"), "dataKind", "synthetic data" if described.synthetic else "event data")
    _describe_use(SubElement(SubElement(study, "dataAccs"), "useStmt"), described)
    for erratum in dataset.errata:
        _say(study, "notes", f"{erratum.title}: {erratum.description}", type="erratum")


def _describe_use(use: Element, described: Described) -> None:
    _say(use, "restrctn", ACCESS_TERMS)
    _say(use, "citReq", described.citation)
    _say(use, "conditions", "; ".join(described.dataset.legal_basis))


def _describe_variable(variables: Element, name: str, column: Column) -> None:
    variable = SubElement(variables, "var", ID=f"V_{name}", name=name, files="F1")
    _say(variable, "labl", name)
    _say(variable, "txt", column.meaning)
    _describe_categories(variable, (column.values or {}).items())
    if column.unit:
        _say(variable, "concept", f"Unit: {column.unit}")
    _say(variable, "varFormat", column.type, type="numeric" if column.type in _NUMBERS else "character")


def _describe_categories(variable: Element, values: Iterable[tuple[str, str]]) -> None:
    for value, label in values:
        category = SubElement(variable, "catgry")
        _say(category, "catValu", value)
        _say(category, "labl", label)


def _say(parent: Element, name: str, text: str, **attributes: str) -> None:
    SubElement(parent, name, attributes).text = text
