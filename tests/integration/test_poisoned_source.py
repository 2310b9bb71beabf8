"""A source that should not be published: it is stopped, and the report says what is wrong and where, and no value."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.publishing import a_dataset, a_row, published, write_csv

from portal.errors import ContentError, Fault
from portal.publishing.rejections import REJECTIONS

COLUMNS = {
    **a_dataset().model_dump()["columns"],
    "note": {"type": "VARCHAR", "meaning": "A note of the moderator."},
    "tags": {"type": "VARCHAR[]", "meaning": "Tags."},
}
COLUMN_RECIPES = {"trader": {"from": "seller_id", "pseudonymise": True}}


def stopped(folder: Path, *rows: Mapping[str, str], **changes: object) -> tuple[Fault, ...]:
    plain = [{**a_row(number), "note": "as usual", "tags": '["a"]'} for number in range(50)]
    dataset = a_dataset(columns=COLUMNS, recipe={"columns": COLUMN_RECIPES}, **changes)
    source = write_csv(folder / "poison.csv", [*plain, *rows])
    with pytest.raises(ContentError) as caught:
        published(folder / "releases", source, dataset=dataset)
    left = [path.name for path in (folder / "releases" / "removals").iterdir()]
    assert sorted(left) in ([".lock", REJECTIONS], [".lock"])
    return caught.value.faults


def reported(folder: Path) -> list[tuple[str, int, str, str, str]]:
    report = json.loads((folder / "releases" / "removals" / REJECTIONS).read_text())
    return [tuple(row.values()) for row in report["rows"]]


def poison(**cells: str) -> Mapping[str, str]:
    return {**a_row(99), "note": "as usual", "tags": '["a"]', **cells}


@pytest.mark.parametrize(
    ("cells", "column", "kind"),
    [
        ({"note": "write to anna.bell@example.org please"}, "note", "an e-mail address"),
        ({"tags": '["a","anna.bell@example.org"]'}, "tags", "an e-mail address"),
        ({"note": "call +49 (0)30 123-45 67 today"}, "note", "a telephone number"),
        ({"note": "0044 20 7946 0958"}, "note", "a telephone number"),
        ({"note": "paid to DE89 3704 0044 0532 0130 00."}, "note", "a bank account"),
        ({"note": "GB82WEST12345698765432"}, "note", "a bank account"),
        ({"note": "She said that " * 20}, "note", "free text"),
    ],
)
def test_what_leads_to_a_person_in_a_text_stops_the_release_at_its_first_row(
    cells: dict[str, str], column: str, kind: str, tmp_path: Path
) -> None:
    [fault] = stopped(tmp_path, poison(**cells))
    assert fault.code == "PERSONAL_VALUES"
    assert f"column {column}: a value that holds {kind} (first: {kind} in row 51 of 'poison.csv')" in fault.message
    assert reported(tmp_path) == [("poison.csv", 51, column, f"a value that holds {kind}", kind)]
    said = str(fault) + (tmp_path / "releases" / "removals" / REJECTIONS).read_text()
    assert not any(value in said for value in ("anna", "7946", "3704", "WEST", "She said"))


def test_nothing_admits_personal_values_but_a_stated_reason(tmp_path: Path) -> None:
    generous = {"columns": COLUMN_RECIPES, "rejected_share": 1.0}
    rows = [poison(note="anna.bell@example.org")]
    source = write_csv(tmp_path / "poison.csv", rows)
    with pytest.raises(ContentError):
        published(tmp_path / "releases", source, dataset=a_dataset(columns=COLUMNS, recipe=generous))
    admitted = {**COLUMNS, "note": {**COLUMNS["note"], "admits": {"email": "A shop's public contact, by Art. 30(7)."}}}
    assert published(tmp_path / "releases", source, dataset=a_dataset(columns=admitted, recipe=generous)).rows == 1


@pytest.mark.parametrize(
    "harmless",
    [
        "4006381333931", "2025-07-01 00:00:00", "df46338b-e2bd-4ce7-a3e2-7159734bbe27", "1,000,000.50",
        "AB12 CD34 EF56", "@handle", "+5 %", "17841400008460056", "0049", "price 100 - 200 EUR",
        "DE89 3704 4044 0532 4130 41", "STATEMENT_CATEGORY_SCAMS_AND_FRAUD", "1990-1999 2000-2009", "€ 0012345678",
    ],
)  # fmt: skip
def test_numbers_dates_and_codes_are_no_personal_values(harmless: str, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "plain.csv", [poison(note=harmless)])
    dataset = a_dataset(columns=COLUMNS, recipe={"columns": COLUMN_RECIPES})
    assert published(tmp_path / "releases", source, dataset=dataset).rows == 1


def test_a_wrong_value_a_repeated_identifier_and_a_number_that_is_none_are_told_with_their_rows(tmp_path: Path) -> None:
    faults = stopped(
        tmp_path,
        poison(category="anna@example.org"),
        {**a_row(7), "note": "as usual", "tags": "[]"},
        poison(seller_id="other", views="many"),
        unique=["trader", "day"],
    )
    assert {fault.code for fault in faults} == {"ROWS_REJECTED"}
    assert reported(tmp_path) == [
        ("poison.csv", 51, "category", "a value outside the codebook", "an e-mail address"),
        ("poison.csv", 52, "trader, day", "a row whose identifier was there before", "an identifier"),
        ("poison.csv", 53, "views", "a value that is no BIGINT", "a text"),
    ]


def test_a_huge_cell_and_mixed_encodings_are_told_by_line(tmp_path: Path) -> None:
    assert [(f.code, f.line) for f in stopped(tmp_path, poison(note="x" * 3_000_000))] == [("SOURCE_UNREADABLE", 52)]
    path = write_csv(tmp_path / "mixed.csv", [poison(note="müde"), poison(note="ok")])
    path.write_bytes(path.read_bytes() + "seller,2025-01-01,toys,1,müde,[]\n".encode("latin-1"))
    dataset = a_dataset(columns=COLUMNS, recipe={"columns": COLUMN_RECIPES})
    with pytest.raises(ContentError) as caught:
        published(tmp_path / "releases", path, dataset=dataset)
    assert [(fault.code, fault.line) for fault in caught.value.faults] == [("SOURCE_UNREADABLE", 4)]


def test_a_utf_16_file_is_no_source(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "wide.csv", [a_row()])
    path.write_bytes(path.read_text().encode("utf-16"))
    with pytest.raises(ContentError) as caught:
        published(tmp_path / "releases", path)
    assert caught.value.faults[0].code == "SOURCE_UNREADABLE"
