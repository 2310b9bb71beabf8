import hashlib
import json
import traceback
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from support.publishing import KEY, NOW, a_dataset, a_row, published, write_csv

from portal.errors import ContentError, PortalError
from portal.ids import DatasetName
from portal.pseudonyms import pseudonym_sql
from portal.publishing.rejections import REJECTIONS
from portal.publishing.releases import ReleaseStore

ROWS = [a_row(number) for number in range(300)]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "removals.csv", ROWS)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "releases"


def contents(root: Path, number: int = 1) -> list[tuple[object, ...]]:
    store = ReleaseStore(root)
    files = [str(path) for path in store.paths(store.get(DatasetName("removals"), number))]
    with duckdb.connect() as connection:
        return connection.execute("SELECT * FROM read_parquet($files) ORDER BY ALL", {"files": files}).fetchall()


def refused(root: Path, *sources: Path, **changes: object) -> PortalError:
    """Publish a second time in vain and return the error; the first release is proved to be as it was."""
    before = {path: path.read_bytes() for path in (root / "removals" / "000001").iterdir()}
    with pytest.raises(PortalError) as caught:
        published(root, *sources, dataset=a_dataset(**changes))
    assert {path: path.read_bytes() for path in (root / "removals" / "000001").iterdir()} == before
    assert {entry.name for entry in (root / "removals").iterdir()} - {REJECTIONS} == {".lock", "000001"}
    text = "".join(traceback.format_exception(caught.value))  # as a log would have it
    assert str(root.parent) not in str(caught.value)
    assert pseudonym_sql("x", KEY)[12:80] not in text
    assert not any(row["seller_id"] in text for row in ROWS)
    return caught.value


def test_the_manifest_tells_what_was_read_made_and_how(root: Path, source: Path) -> None:
    manifest = published(root, source)
    assert (manifest.number, manifest.rows, manifest.rejected_rows, manifest.synthetic) == (1, 300, 0, True)
    assert manifest.created_at == NOW
    assert [(s.name, s.shape, s.rows, s.bytes) for s in manifest.sources] == [
        ("removals.csv", "as_published", 300, source.stat().st_size)
    ]
    assert manifest.sources[0].sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert [(file.path, file.rows) for file in manifest.files] == [
        (f"2025-0{month}.parquet", 100) for month in (1, 2, 3)
    ]
    january = manifest.files[0].statistics["day"]
    assert (january.nulls, january.minimum, january.maximum) == (0, "2025-01-01", "2025-01-28")
    written = json.loads((root / "removals" / "000001" / "manifest.json").read_text())
    assert written == manifest.model_dump(mode="json")


def test_files_are_sorted_compressed_labelled_and_read_only(root: Path, source: Path) -> None:
    published(root, source)
    for path in (root / "removals" / "000001").iterdir():
        assert path.stat().st_mode & 0o777 == 0o444
    path = root / "removals" / "000001" / "2025-01.parquet"
    metadata = pq.read_metadata(path)
    assert metadata.row_group(0).column(0).compression == "ZSTD"
    facts = {name.decode(): value.decode() for name, value in metadata.metadata.items()}
    assert facts.items() >= {"dataset": "removals", "synthetic": "true", "licence": "CC0"}.items()
    assert "release" not in facts, "the same rows are the same file in the next release"
    assert facts["citation"] == "Test, 'Removals'"
    order = [(row["category"], row["day"]) for row in pq.read_table(path).to_pylist()]
    assert order == sorted(order)


def test_the_order_and_the_cutting_of_sources_leave_no_trace(root: Path, source: Path, tmp_path: Path) -> None:
    first = published(root, source)
    halves = [write_csv(tmp_path / f"{n}.csv", part) for n, part in enumerate((ROWS[:7:-1], ROWS[7::-1]))]
    second = published(tmp_path / "others", *halves)
    assert [file.sha256 for file in second.files] == [file.sha256 for file in first.files]


def test_csv_json_and_parquet_of_the_same_rows_publish_the_same(source: Path, tmp_path: Path) -> None:
    array, lines, parquet = tmp_path / "a.json", tmp_path / "b.jsonl", tmp_path / "c.parquet"
    array.write_text(json.dumps(ROWS))
    lines.write_text("".join(json.dumps({**row, "views": int(row["views"])}) + "\n" for row in ROWS))
    with duckdb.connect() as connection:
        select = "SELECT * REPLACE (CAST(day AS DATE) AS day) FROM read_csv($csv, all_varchar=true)"
        connection.execute(f"COPY ({select}) TO '{parquet}'", {"csv": str(source)})
    manifests = [
        published(tmp_path / name, path) for name, path in {"w": source, "x": array, "y": lines, "z": parquet}.items()
    ]
    assert len({tuple(file.sha256 for file in manifest.files) for manifest in manifests}) == 1


def test_rows_without_a_date_have_a_file_of_their_own(root: Path, tmp_path: Path) -> None:
    manifest = published(root, write_csv(tmp_path / "a.csv", [a_row(0), a_row(1, day="")]))
    assert [(file.path, file.rows) for file in manifest.files] == [("2025-01.parquet", 1), ("undated.parquet", 1)]


def cut(path: Path) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    return path


def as_json(path: Path) -> Path:
    target = path.with_suffix(".json")
    target.write_text("\n".join(json.dumps(row) for row in ROWS))
    return target


def as_parquet(path: Path) -> Path:
    target = path.with_suffix(".parquet")
    with duckdb.connect() as connection:
        connection.execute(f"COPY (FROM read_csv('{path}', all_varchar=true)) TO '{target}'")
    return target


def zeroed(path: Path) -> Path:
    content = bytearray(path.read_bytes())
    content[4:400] = bytes(396)
    path.write_bytes(content)
    return path


def spoilt(at: int, content: bytes) -> Callable[[Path], Path]:
    def spoil(path: Path) -> Path:
        lines = path.read_bytes().splitlines(keepends=True)
        lines[at - 1] = content + b"\n"
        path.write_bytes(b"".join(lines))
        return path

    return spoil


@pytest.mark.parametrize(
    ("damage", "name", "line"),
    [
        pytest.param(cut, "removals.csv", None, id="csv-cut"),
        pytest.param(lambda path: cut(as_json(path)), "removals.json", 201, id="json-cut"),
        pytest.param(lambda path: cut(as_parquet(path)), "removals.parquet", None, id="parquet-cut"),
        pytest.param(lambda path: zeroed(as_parquet(path)), "removals.parquet", None, id="parquet-zeroed"),
        pytest.param(spoilt(200, b"seller-1,2025-01-01"), "removals.csv", 200, id="too-few-cells"),
        pytest.param(spoilt(200, b"seller-1,2025-01-01,toys,1,2"), "removals.csv", 200, id="too-many-cells"),
        pytest.param(spoilt(200, b"seller-\xff,2025-01-01,toys,1"), "removals.csv", 200, id="not-utf-8"),
        pytest.param(spoilt(300, b'"seller-1,2025-01-01,toys,1'), "removals.csv", 300, id="open-quote"),
        pytest.param(spoilt(200, b"seller-1,2025-01-01,toys," + b"7" * 3_000_000), "removals.csv", 200, id="huge"),
        pytest.param(lambda path: spoilt(200, b'{"a": ')(as_json(path)), "removals.json", 200, id="json-broken"),
        pytest.param(spoilt(1, b"seller_id,day,category,day"), "removals.csv", None, id="column-twice"),
    ],
)
def test_a_damaged_source_is_named_and_leaves_the_previous_release(
    root: Path, source: Path, damage: Callable[[Path], Path], name: str, line: int | None
) -> None:
    published(root, source)
    error = refused(root, damage(source))
    assert isinstance(error, ContentError)
    assert [(fault.code, fault.line) for fault in error.faults] == [("SOURCE_UNREADABLE", line)]
    assert f"Source {name!r}" in error.faults[0].message


@pytest.mark.parametrize("content", [b"", b"\n", b"[]", b"[1, 2]", b"\x00\x01"])
@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_a_file_that_holds_no_table_is_refused(root: Path, source: Path, content: bytes, suffix: str) -> None:
    published(root, source)
    path = root.parent / f"odd{suffix}"
    path.write_bytes(content)
    assert isinstance(refused(root, path), ContentError)


def test_a_source_that_is_not_there_or_of_no_known_format_is_refused(root: Path, source: Path) -> None:
    published(root, source)
    assert refused(root, source.with_name("gone.csv")).faults[0].code == "SOURCE_MISSING"
    assert refused(root, source.rename(source.with_suffix(".xlsx"))).faults[0].code == "SOURCE_MISSING"
    assert refused(root).faults[0].code == "NO_SOURCES"


def test_a_missing_and_an_extra_column_are_named(root: Path, source: Path, tmp_path: Path) -> None:
    published(root, source)
    rows = [{**{name: value for name, value in row.items() if name != "category"}, "mail": "a@b.c"} for row in ROWS]
    faults = refused(root, write_csv(tmp_path / "b.csv", rows)).faults
    assert [(fault.code, fault.message.split("'")[1]) for fault in faults] == [
        ("SOURCE_COLUMN_MISSING", "category"),
        ("SOURCE_COLUMN_UNKNOWN", "mail"),
    ]


def test_rejected_rows_stop_the_release_with_columns_and_counts_but_no_values(
    root: Path, source: Path, tmp_path: Path
) -> None:
    published(root, source)
    bad = [a_row(1, category="poison-X"), a_row(2, category="poison-X"), a_row(3, views="poison-X")]
    error = refused(root, source, write_csv(tmp_path / "b.csv", bad))
    assert [fault.message for fault in error.faults] == [
        f"{rows} of 303 rows cannot be published; column {reason} (first: a text in row {first} of 'b.csv')."
        for rows, reason, first in [
            (2, "category: a value outside the codebook", 1),
            (1, "views: a value that is no BIGINT", 3),
        ]
    ]
    report = (root / "removals" / REJECTIONS).read_text()
    assert [row["row"] for row in json.loads(report)["rows"]] == [1, 2, 3]
    assert "poison" not in f"{error} {report}"
    published(root, source)
    assert not (root / "removals" / REJECTIONS).exists(), "the next release has a report of its own"


def test_up_to_the_admitted_share_rejected_rows_are_left_out_and_counted(
    root: Path, source: Path, tmp_path: Path
) -> None:
    bad = write_csv(tmp_path / "b.csv", [a_row(1, category="fruit"), a_row(2, category="fruit"), a_row(3, day="soon")])
    columns = a_dataset().recipe.model_dump(by_alias=True)["columns"]
    manifest = published(root, source, bad, dataset=a_dataset(recipe={"columns": columns, "rejected_share": 0.01}))
    assert (manifest.rows, manifest.rejected_rows) == (300, 3)
    assert manifest.rejected == {"category: a value outside the codebook": 2, "day: a value that is no DATE": 1}
    assert "fruit" not in {row[2] for row in contents(root)}
    tight = a_dataset(recipe={"columns": columns, "rejected_share": 0.009})
    with pytest.raises(ContentError, match="2 of 303 rows"):
        published(root, source, bad, dataset=tight)


@pytest.mark.parametrize("derive", ["CAST(category AS BIGINT)", "strptime(day, '%d.%m.%Y')", "no_such(day)", "1 + [1]"])
def test_an_expression_that_fails_is_blamed_on_the_recipe_and_not_on_the_source(
    root: Path, source: Path, derive: str
) -> None:
    published(root, source)
    columns = {"trader": {"from": "seller_id", "pseudonymise": True}, "views": {"derive": f"views || ({derive})"}}
    error = refused(root, source, recipe={"columns": columns})
    assert [fault.code for fault in error.faults] == ["RECIPE_DOES_NOT_FIT"]


def test_releases_of_one_raw_identifier_join(root: Path, source: Path, tmp_path: Path) -> None:
    published(root, source)
    published(tmp_path / "others", source, dataset=a_dataset(title="Another"))
    assert {row[0] for row in contents(root)} == {row[0] for row in contents(tmp_path / "others")}
    assert KEY.decode() not in (root / "removals" / "000001" / "manifest.json").read_text()
