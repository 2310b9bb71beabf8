"""Archives and databases as sources: the rows of their tables, and nothing that hostile ones want."""

import os
import shutil
import sqlite3
import struct
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url
from support.archives import sha1_line, with_sums, zipped
from support.publishing import KEY, Row, a_dataset, a_row, now, published, write_csv

from portal.catalogue.release import Manifest
from portal.errors import ContentError, UsageError
from portal.publishing import archives
from portal.publishing.publish import publish
from portal.publishing.sources import source_named

ROWS = [a_row(number) for number in range(60)]
RECIPE = a_dataset().recipe.model_dump(by_alias=True, exclude_unset=True)


def csv_of(rows: list[Row]) -> bytes:
    names = list(rows[0])
    return "".join(",".join(line) + "\n" for line in [names, *([row[n] for n in names] for row in rows)]).encode()


def files_of(manifest: Manifest) -> list[str]:
    return [file.sha256 for file in manifest.files]


def in_a_zip(folder: Path, content: Mapping[str, bytes], name: str = "export.zip") -> Path:
    path = folder / name
    path.write_bytes(zipped(content))
    return path


def code_of(folder: Path, source: Path) -> str:
    with pytest.raises(ContentError) as caught:
        published(folder / "releases", source)
    assert not list((folder / "releases" / "removals").glob("staging-*")), "nothing unpacked stays"
    return caught.value.faults[0].code


def test_a_zip_of_tables_and_of_zips_publishes_what_is_in_it_in_order(tmp_path: Path) -> None:
    plain = published(tmp_path / "a", write_csv(tmp_path / "all.csv", ROWS))
    inner = zipped(with_sums({"part-1.csv": csv_of(ROWS[20:40])}))
    whole = in_a_zip(tmp_path, with_sums({"z.csv": csv_of(ROWS[40:]), "a.csv": csv_of(ROWS[:20]), "b.csv.zip": inner}))
    manifest = published(tmp_path / "b", whole)
    assert files_of(manifest) == files_of(plain)
    names = ["export.zip/a.csv", "export.zip/b.csv.zip/part-1.csv", "export.zip/z.csv"]
    assert [source.name for source in manifest.sources] == names
    assert [source.rows for source in manifest.sources] == [20, 20, 20]


@pytest.mark.parametrize("spoil", ["inside", "beside"])
def test_a_file_that_is_not_what_its_sha1_says_is_refused(tmp_path: Path, spoil: str) -> None:
    table = csv_of(ROWS)
    if spoil == "inside":
        path = in_a_zip(tmp_path, {"a.csv": table, "a.csv.sha1": sha1_line(table + b"x", "a.csv")})
    else:
        path = in_a_zip(tmp_path, {"a.csv": table})
        path.with_name("export.zip.sha1").write_text("0" * 40)
    assert code_of(tmp_path, path) == "SOURCE_CHECKSUM"


@pytest.mark.parametrize("name", ["../../escape.csv", "/etc/escape.csv", "c:\\escape.csv", "a/../../b.csv"])
def test_a_name_that_leads_out_of_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    path = in_a_zip(tmp_path, {name: csv_of(ROWS)})
    assert code_of(tmp_path, path) == "SOURCE_ARCHIVE_REFUSED"
    assert not list(tmp_path.rglob("escape*"))


def test_what_would_unpack_to_far_more_is_refused_before_it_does(tmp_path: Path) -> None:
    header = b"seller_id,day,category,views\n"
    bomb = in_a_zip(tmp_path, {"bomb.csv": header + b"0" * 60_000_000}, "bomb.zip")
    assert code_of(tmp_path, bomb) == "SOURCE_ARCHIVE_REFUSED"
    nested = in_a_zip(tmp_path, {"inner.zip": bomb.read_bytes()}, "nested.zip")
    assert code_of(tmp_path, nested) == "SOURCE_ARCHIVE_REFUSED"


def test_a_size_that_the_archive_lies_about_is_not_unpacked_beyond_it(tmp_path: Path) -> None:
    path = in_a_zip(tmp_path, {"a.csv": b"seller_id,day,category,views\n" + b"0" * 60_000_000})
    content = bytearray(path.read_bytes())
    true_size, claimed = struct.pack("<I", 60_000_029), struct.pack("<I", 5_000)
    assert content.count(true_size) == 2
    path.write_bytes(content.replace(true_size, claimed))
    assert code_of(tmp_path, path) == "SOURCE_UNREADABLE"


def test_archives_too_deep_in_one_another_are_refused(tmp_path: Path) -> None:
    deep = zipped({"c.csv": csv_of(ROWS)})
    path = in_a_zip(tmp_path, {"a.zip": zipped({"b.zip": deep})})
    assert code_of(tmp_path, path) == "SOURCE_ARCHIVE_REFUSED"


def test_other_archives_that_are_not_as_they_should_be_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert code_of(tmp_path, in_a_zip(tmp_path, {})) == "SOURCE_ARCHIVE_REFUSED"
    assert code_of(tmp_path, in_a_zip(tmp_path, {"a.csv": csv_of(ROWS), "a.exe": b"x"})) == "SOURCE_ARCHIVE_REFUSED"
    path = in_a_zip(tmp_path, {"a.csv": csv_of(ROWS)})
    path.write_bytes(path.read_bytes()[:-30])
    assert code_of(tmp_path, path) == "SOURCE_UNREADABLE"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", csv_of(ROWS))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.csv", csv_of(ROWS))
    assert code_of(tmp_path, path) == "SOURCE_ARCHIVE_REFUSED"
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    many = in_a_zip(tmp_path, {f"{n}.csv": csv_of(ROWS) for n in range(3)})
    assert code_of(tmp_path, many) == "SOURCE_ARCHIVE_REFUSED"


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    path = in_a_zip(tmp_path, {"a.csv": csv_of(ROWS)})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert code_of(tmp_path, path) == "SOURCE_ARCHIVE_REFUSED"


QUERY = "SELECT seller AS seller_id, day, category, views FROM exported"


def fill(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE exported (seller TEXT, day DATE, category TEXT, views BIGINT)")
        for row in ROWS:
            values = ", ".join(f"'{row[name]}'" for name in ("seller_id", "day", "category"))
            connection.exec_driver_sql(f"INSERT INTO exported VALUES ({values}, {row['views']})")
    engine.dispose()


def from_database(url: str, folder: Path, **database: str) -> Manifest:
    dataset = a_dataset(recipe={**RECIPE, "database": database})
    return publish(dataset, [source_named(url)], folder, KEY, now, synthetic=True)


@pytest.fixture(name="sqlite_url")
def _sqlite_url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'a b?#.sqlite'}"
    fill(url)
    return url


def run(command: list[str], user: str | None) -> None:
    subprocess.run(command, check=True, capture_output=True, user=user, cwd="/")


@pytest.fixture(name="postgres_url", scope="module")
def _postgres_url() -> Iterator[str]:
    """Give a PostgreSQL of our own, reached by a socket in a folder of our own; it does not run as root."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    if shutil.which("initdb") is None or shutil.which("pg_ctl") is None:
        pytest.skip("PostgreSQL is not installed")
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory() as name:
        folder, data = Path(name), Path(name, "data")
        if user:
            shutil.chown(folder, user)
        run(["initdb", "-D", str(data), "-U", "portal", "-A", "trust", "--no-sync"], user)
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        run(["pg_ctl", "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start"], user)
        try:
            url = f"postgresql+psycopg://portal@/postgres?host={folder}"
            fill(url)
            yield url
        finally:
            run(["pg_ctl", "-D", str(data), "-m", "fast", "stop"], user)


@pytest.mark.parametrize("kind", ["sqlite_url", "postgres_url"])
def test_a_query_of_a_database_publishes_what_a_file_of_its_rows_would(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    manifest = from_database(request.getfixturevalue(kind), tmp_path / "b", query=QUERY)
    assert files_of(manifest) == files_of(published(tmp_path / "a", write_csv(tmp_path / "all.csv", ROWS)))
    assert manifest.sources[0].name.endswith("database")
    assert str(tmp_path) not in manifest.model_dump_json()


def test_a_table_is_read_by_its_name_alone(sqlite_url: str, tmp_path: Path) -> None:
    recipe: dict[str, Any] = {"columns": {"trader": {"from": "seller", "pseudonymise": True}}}
    dataset = a_dataset(recipe={**recipe, "database": {"table": "exported"}})
    assert publish(dataset, [source_named(sqlite_url)], tmp_path / "b", KEY, now, synthetic=True).rows == len(ROWS)
    with pytest.raises(ContentError, match="could not be reached"):
        from_database(sqlite_url, tmp_path / "c", table="exported; DROP TABLE exported")


@pytest.mark.parametrize(
    "query",
    ["DELETE FROM exported RETURNING *", "SELECT no_such FROM exported", "INSERT INTO exported SELECT * FROM exported"],
)
@pytest.mark.parametrize("kind", ["sqlite_url", "postgres_url"])
def test_a_query_that_fails_or_writes_is_refused_and_changes_nothing(
    kind: str, query: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(kind)
    with pytest.raises(ContentError) as caught:
        from_database(url, tmp_path / "b", query=query)
    assert str(caught.value.faults[0].code) == "SOURCE_DATABASE"
    assert from_database(url, tmp_path / "b", query=QUERY).rows == len(ROWS)


def test_a_database_that_is_away_says_no_password_and_makes_no_file(tmp_path: Path) -> None:
    for url in (
        f"sqlite:///{tmp_path}/gone.sqlite",
        "postgresql+psycopg://portal:s3cret@127.0.0.1:1/none",
        "nosuch://x/y",
    ):
        with pytest.raises(ContentError) as caught:
            from_database(url, tmp_path / "b", query=QUERY)
        assert "s3cret" not in str(caught.value)
        assert str(tmp_path) not in str(caught.value)
    assert not (tmp_path / "gone.sqlite").exists()
    with pytest.raises(UsageError):
        source_named("://")
    with pytest.raises(ContentError, match="does not say what to read"):
        publish(a_dataset(), [make_url("sqlite:///x")], tmp_path / "b", KEY, now, synthetic=True)


def test_values_of_a_database_arrive_as_a_csv_file_would_have_them(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [(None,), (1.5,), (b"\x01\xff",), ("",)])
    dataset = a_dataset(
        columns={"x": {"type": "VARCHAR", "meaning": "x"}}, recipe={"database": {"table": "t"}}, layout={}
    )
    manifest = publish(dataset, [source_named(f"sqlite:///{path}")], tmp_path / "b", KEY, now, synthetic=True)
    statistics = manifest.files[0].statistics["x"]
    assert (statistics.nulls, statistics.minimum, statistics.maximum) == (1, "", "1.5")
