"""A release with its risk report: what is written, what is refused, and who sees what of it."""

import json
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from support.publishing import published, write_csv
from support.risk import COLUMNS, a_dataset

from portal.catalogue.dataset import Dataset
from portal.catalogue.release import Manifest
from portal.errors import ContentError
from portal.publishing.risk.assess import PAGE, REPORT, read_report
from portal.publishing.risk.page import page_of

BECAUSE = "People of one region and age are at least three, so that nobody is alone."
RISK = {"k": 3, "l": 1.5, "t": 0.5, "highest_risk": 0.34, "average_risk": 0.3, "because": BECAUSE}


def a_person(number: int, **changes: str) -> Mapping[str, str]:
    illness, income = ("flu", "gout")[number % 2], str(number % 5)
    person = {"region": "north", "age": "20", "illness": illness, "income": income, "person": f"secret-{number}"}
    return person | changes


CROWD = [a_person(number) for number in range(8)] + [a_person(number, region="south") for number in range(8)]


def guarded(**changes: object) -> Dataset:
    columns = {**COLUMNS, "income": COLUMNS["income"] | {"role": "plain"}}
    return a_dataset(columns=columns, risk=RISK | changes)


def publish(folder: Path, rows: Sequence[Mapping[str, str]], dataset: Dataset | None = None) -> Manifest:
    return published(folder / "releases", write_csv(folder / "visits.csv", rows), dataset=dataset or guarded())


def folder_of(folder: Path, number: int = 1) -> Path:
    return folder / "releases" / "visits" / f"{number:06d}"


def refusals(folder: Path, rows: Sequence[Mapping[str, str]], dataset: Dataset | None = None) -> Mapping[str, str]:
    """Publish in vain after a good release; return the messages by the threshold that spoke."""
    publish(folder, CROWD)
    before = {path.name: path.read_bytes() for path in folder_of(folder).iterdir()}
    with pytest.raises(ContentError) as caught:
        publish(folder, rows, dataset)
    assert {path.name: path.read_bytes() for path in folder_of(folder).iterdir()} == before
    assert {path.name for path in folder_of(folder).parent.iterdir()} == {".lock", "000001"}
    assert {fault.code for fault in caught.value.faults} == {"RELEASE_AT_RISK"}
    assert "secret" not in str(caught.value)
    return {fault.rule.partition(":")[0]: fault.message for fault in caught.value.faults}


def test_a_release_has_its_report_beside_its_manifest_for_good(tmp_path: Path) -> None:
    manifest = publish(tmp_path, CROWD)
    report = read_report(folder_of(tmp_path), manifest)
    assert (report.k, report.classes, report.units, report.rows, report.unit) == (8, 2, 16, 16, "row")
    assert report.measured == {"k": 8, "l": pytest.approx(2), "t": 0, "highest_risk": 1 / 8, "average_risk": 1 / 8}
    assert report.declared is not None
    assert report.declared.because == BECAUSE
    assert json.loads((folder_of(tmp_path) / REPORT).read_text())["declared"]["l"] == 1.5
    assert {(folder_of(tmp_path) / name).stat().st_mode & 0o777 for name in (REPORT, PAGE)} == {0o444}
    assert {file.path for file in manifest.files} == {"data.parquet"}


def test_one_unique_person_stops_the_release_and_the_class_is_named(tmp_path: Path) -> None:
    found = refusals(tmp_path, [*CROWD, a_person(1, region="Xanadu", age="97")])
    assert set(found) == {"risk.k", "risk.l", "risk.highest_risk"}
    assert "k-anonymity would be 1, and at least 3 is declared" in found["risk.k"]
    assert "region = X… (length 6), age = about 100 (1 rows)" in found["risk.k"]
    assert "Xanadu" not in str(found)


def test_a_class_where_all_are_ill_alike_stops_the_release_by_l_and_t(tmp_path: Path) -> None:
    alike = [a_person(0, region="west") for _ in range(5)]
    found = refusals(tmp_path, [*CROWD, *alike], guarded(t=0.2))
    assert set(found) == {"risk.l", "risk.t"}
    assert all("region = w… (length 4)" in message for message in found.values())


def test_many_small_classes_stop_the_release_by_the_average(tmp_path: Path) -> None:
    small = [a_person(number, age=str(30 + number // 3)) for number in range(60)]
    assert set(refusals(tmp_path, small, guarded(l=1, t=1))) == {"risk.average_risk"}


def test_entities_and_not_rows_are_what_must_be_three(tmp_path: Path) -> None:
    rows = [a_person(number, region="east", person="the only one") for number in range(9)]
    dataset = guarded().model_copy(update={"entities": ("person",)})
    publish(tmp_path, CROWD, dataset)
    with pytest.raises(ContentError, match=r"region = e… \(length 4\), age = about 20 \(1 person, 9 rows\)"):
        publish(tmp_path, [*CROWD, *rows], dataset)


def test_without_thresholds_a_release_is_measured_and_not_judged(tmp_path: Path) -> None:
    manifest = publish(tmp_path, [a_person(1)], a_dataset())
    report = read_report(folder_of(tmp_path), manifest)
    assert (report.k, report.declared, report.unique_share) == (1, None, 1)
    assert "not judged" in (folder_of(tmp_path) / PAGE).read_text()


@pytest.mark.parametrize("columns", [COLUMNS, {"person": {"type": "VARCHAR", "meaning": "Person."}}])
def test_no_rows_and_no_quasi_identifiers_have_a_report_too(tmp_path: Path, columns: Mapping[str, Any]) -> None:
    source = tmp_path / "visits.csv"
    source.write_text(",".join(columns) + "\n")
    dataset = a_dataset(columns=columns, risk=RISK)
    manifest = published(tmp_path / "releases", source, dataset=dataset)
    report = read_report(folder_of(tmp_path), manifest)
    assert (report.k, report.units, report.in_words()[-1]) == (
        0,
        0,
        BECAUSE if "age" not in columns else report.in_words()[0],
    )


class Outside(HTMLParser):
    """Collects what a page would fetch or run, and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [tag] if tag in {"script", "link", "iframe", "img", "object"} else []
        self.fetched += [name for name, _ in attrs if name in {"src", "href", "srcset"} or name.startswith("on")]
        if tag not in {"meta", "rect"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert self.open.pop() == tag


def test_the_page_fetches_nothing_and_obeys_no_value(tmp_path: Path) -> None:
    rows = [a_person(1, region="<script>alert(1)</script>", illness="<b>", age="") for _ in range(3)]
    manifest = publish(tmp_path, rows, a_dataset(title="<i>Visits</i>"))
    page = Outside()
    page.feed(page_of(read_report(folder_of(tmp_path), manifest), "<i>Visits</i>"))
    assert page.fetched == []
    assert page.open == []


def test_the_summary_for_researchers_names_no_class_and_no_exact_count(tmp_path: Path) -> None:
    manifest = publish(tmp_path, [*CROWD, a_person(1, region="Xanadu")], a_dataset())
    words = " ".join(read_report(folder_of(tmp_path), manifest).in_words())
    assert "6% are alone" in words
    assert not any(word in words for word in ("X…", "17", "16"))
