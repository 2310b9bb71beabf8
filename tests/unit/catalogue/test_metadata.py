"""Every form of a dataset's description is read by the tools that it is for, or held to the rules of its format."""

import copy
import io
import json
import logging
import re
import warnings
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from ruamel.yaml import YAML

from portal.catalogue.dataset import Dataset
from portal.catalogue.metadata import FORMS, Described
from portal.site.yaml_files import read_model

ROOT = Path(__file__).parents[3]
SHAPES = ROOT / "tests/data/dcat_ap/shapes.ttl"
DDI = "{ddi:codebook:2_5}"
NAMES = sorted(path.parent.name for path in ROOT.glob("datasets/*/dataset.yaml"))


@cache
def a_dataset(name: str) -> Dataset:
    path = ROOT / "datasets" / name / "dataset.yaml"
    found, _, faults = read_model(path.read_text(), path, Dataset)
    assert faults == ()
    assert found is not None
    return found


def described(name: str, **changes: Any) -> Described:
    facts: dict[str, Any] = {
        "release": 3,
        "released_at": datetime(2026, 6, 1, tzinfo=UTC),
        "synthetic": False,
        "address": "https://portal.example.org",
    }
    return Described(a_dataset(name), **{**facts, **changes})


def value(name: str, form: str, **changes: Any) -> Any:
    return json.loads(FORMS[form].text(described(name, **changes)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", FORMS)
def test_what_is_made_up_says_so_in_every_form_and_what_is_real_does_not(form: str, name: str) -> None:
    text = FORMS[form].text(described(name, synthetic=True))
    assert "synthetic data" in text
    assert "https://portal.example.org" in text
    assert "(synthetic data)" not in FORMS[form].text(described(name))


@pytest.mark.parametrize("form", FORMS)
def test_a_dataset_without_a_release_is_described_too(form: str) -> None:
    assert a_dataset(NAMES[0]).title in re.sub(
        r"\s+", " ", FORMS[form].text(described(NAMES[0], release=None, released_at=None))
    )


@pytest.mark.parametrize("form", FORMS)
def test_no_form_tells_what_is_the_platforms_own_business(form: str) -> None:
    text = FORMS[form].text(described("moderation_statements"))
    for inside in ("recipe", "pseudonymise", "rejected", "manifest"):
        assert inside not in text


def issues_of(document: dict[str, Any]) -> tuple[set[str], set[str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the validator's own dependencies are not ours to mend
        import mlcroissant  # noqa: PLC0415 - slow to import, and it warns

        logging.disable(logging.CRITICAL)
        try:
            found = mlcroissant.Dataset(jsonld=copy.deepcopy(document)).metadata.issues
        except mlcroissant.ValidationError as error:
            return {str(error)}, set()
        finally:
            logging.disable(logging.NOTSET)
    return set(found.errors), set(found.warnings)


@pytest.mark.parametrize("name", NAMES)
def test_mlcroissant_reads_the_croissant_without_error_or_warning(name: str) -> None:
    document = value(name, "croissant.json", synthetic=True)
    assert document["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert issues_of(document) == (set(), set())
    del document["recordSet"][0]["field"][0]["source"]["fileObject"]
    assert issues_of(document)[0], "the validator looks"


@pytest.mark.parametrize("name", NAMES)
def test_frictionless_reads_the_data_package_with_every_column(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from frictionless import FrictionlessException, Package  # noqa: PLC0415 - see above

        document = value(name, "datapackage.json")
        package = Package.from_descriptor(document)
        assert [field.name for field in package.resources[0].schema.fields] == list(a_dataset(name).columns)
        for licence in document["licenses"]:
            assert {"name", "path"} & licence.keys()
        document["resources"][0]["schema"]["fields"][0]["type"] = 7
        with pytest.raises(FrictionlessException):
            Package.from_descriptor(document)


def conforms(document: dict[str, Any]) -> tuple[bool, str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pyshacl  # noqa: PLC0415 - see above
        from rdflib import Graph  # noqa: PLC0415 - see above

        data = Graph().parse(data=json.dumps(document), format="json-ld")
        fits, _, words = pyshacl.validate(data, shacl_graph=Graph().parse(SHAPES), advanced=False)
    return bool(fits), str(words)


@pytest.mark.parametrize("name", NAMES)
def test_the_dcat_description_fits_the_shapes_of_dcat_ap(name: str) -> None:
    document = value(name, "dcat.jsonld", synthetic=True)
    fits, words = conforms(document)
    assert fits, words
    del document["dcat:distribution"]["dcat:accessURL"]
    assert not conforms(document)[0], "the shapes look"


@pytest.mark.parametrize("name", NAMES)
def test_the_codebook_of_ddi_has_every_variable_with_its_categories(name: str) -> None:
    text, dataset = FORMS["ddi.xml"].text(described(name)), a_dataset(name)
    book = ET.fromstring(text)
    assert book.tag == f"{DDI}codeBook"
    variables = {each.attrib["name"]: each for each in book.iter(f"{DDI}var")}
    assert list(variables) == list(dataset.columns)
    for column, variable in variables.items():
        categories = [each.findtext(f"{DDI}catValu") for each in variable.iter(f"{DDI}catgry")]
        assert categories == list(dataset.columns[column].values or {})
    assert [each.tag.removeprefix(DDI) for each in book] == ["stdyDscr", "fileDscr", "dataDscr"]


def test_citations_name_the_release_and_read_back_as_what_they_are() -> None:
    one = described("dsa_transparency_daily")
    file = YAML(typ="safe").load(FORMS["cff"].text(one))
    assert {"cff-version", "message", "title", "authors", "type"} <= file.keys()
    assert (file["type"], file["version"], file["date-released"]) == ("dataset", "3", date(2026, 6, 1))
    [item] = value("dsa_transparency_daily", "csl.json")
    assert (item["type"], item["DOI"]) == ("dataset", one.dataset.provenance.doi)
    entry = FORMS["bib"].text(one)
    assert entry.startswith("@misc{dsa_transparency_daily,")
    assert entry.count("{") - entry.count("\\{") == entry.count("}") - entry.count("\\}")
    assert "Release 3" in entry


def test_what_a_steward_writes_breaks_no_form() -> None:
    nasty = 'A "title" with {braces}, \\backslash, <b>&amp;</b>, 100% & $x_1$ #1 ~ ^: yes'
    dataset = a_dataset(NAMES[0]).model_copy(update={"title": nasty, "description": nasty})
    one = Described(dataset, 1, datetime(2026, 6, 1, tzinfo=UTC), synthetic=False, address="https://p.example")
    texts = {form: FORMS[form].text(one) for form in FORMS}
    assert ET.fromstring(texts["ddi.xml"]).findtext(f".//{DDI}titl") == nasty
    assert YAML(typ="safe").load(io.StringIO(texts["cff"]))["title"] == nasty
    assert json.loads(texts["schema-org.jsonld"])["name"] == nasty
    assert issues_of(json.loads(texts["croissant.json"])) == (set(), set())
    assert re.search(r"(?<!\\)[%&$#]", texts["bib"].split("url")[0]) is None
