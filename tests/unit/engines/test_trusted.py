"""The trusted engine writes whole files or none, keeps order, and says nothing of its SQL or of the data."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from portal.engines.duckdb.trusted import DuckDBTrusted
from portal.errors import EngineFailure, LimitReached, PortalError

ENGINE = DuckDBTrusted(threads=2, memory_bytes=500_000_000)


def write(path: Path, **columns: object) -> Path:
    pq.write_table(pa.table(columns), path, row_group_size=10_000)
    return path


def numbers(folder: Path, name: str = "numbers", start: int = 0) -> Path:
    return write(folder / f"{name}.parquet", n=list(range(start, start + 50_000)))


def test_rows_keep_their_order_across_files(tmp_path: Path) -> None:
    files = [numbers(tmp_path, "b", 0), numbers(tmp_path, "a", 50_000)]

    written = ENGINE.copy("SELECT n, -n AS m FROM source WHERE n % 2 = 0", files, tmp_path / "out.parquet")

    assert written.rows == 50_000
    assert pq.read_table(written.path)["n"].to_pylist() == list(range(0, 100_000, 2))


def test_a_folder_named_like_a_partition_adds_no_column(tmp_path: Path) -> None:
    folder = tmp_path / "year=2025"
    folder.mkdir()

    assert ENGINE.fetch("FROM t", {"t": [numbers(folder)]}).column_names == ["n"]


def test_the_file_is_zstd_and_carries_its_metadata(tmp_path: Path) -> None:
    facts = {"licence": "CC0", 'it\'s "quoted"': "ünï 'x'"}

    written = ENGINE.copy("FROM source", [numbers(tmp_path)], tmp_path / "out.parquet", facts)

    read = pq.read_metadata(written.path)
    assert {key.decode(): value.decode() for key, value in read.metadata.items()} == facts
    assert read.row_group(0).column(0).compression == "ZSTD"


def test_two_tables_are_joined(tmp_path: Path) -> None:
    tables = {"a b": [numbers(tmp_path, "a")], 'c"d': [numbers(tmp_path, "b", 49_990)]}

    assert ENGINE.fetch('SELECT count(*) AS k FROM "a b" JOIN "c""d" USING (n)', tables).to_pydict() == {"k": [10]}


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def scribble(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 20_000)


@pytest.mark.parametrize("damage", [truncate, scribble, Path.unlink])
def test_a_damaged_file_is_named_as_such_and_leaves_nothing(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    source, target = numbers(tmp_path), write(tmp_path / "out.parquet", old=[1])
    damage(source)
    before = sorted(tmp_path.iterdir())

    with pytest.raises(EngineFailure) as raised:
        ENGINE.copy("SELECT sum(n) AS s FROM source", [source], target)

    assert raised.value.faults[0].code == "CORRUPT_FILE"
    assert sorted(tmp_path.iterdir()) == before
    assert pq.read_table(target).to_pydict() == {"old": [1]}


def test_a_failing_statement_tells_neither_the_key_nor_the_data(tmp_path: Path) -> None:
    source = write(tmp_path / "in.parquet", v=["private-value"])

    with pytest.raises(EngineFailure) as raised:
        ENGINE.copy("SELECT v::INT + 'secret-key'::INT AS x FROM source", [source], tmp_path / "out.parquet")

    assert raised.value.faults[0].code == "ENGINE_FAILED"
    assert_silent(raised.value, "private-value", "secret-key", str(tmp_path))


def assert_silent(error: PortalError, *secrets: str) -> None:
    assert error.__cause__ is None
    assert error.__suppress_context__
    assert not [secret for secret in secrets if secret in str(error)]


def test_its_own_sql_reaches_no_other_file(tmp_path: Path) -> None:
    other = numbers(tmp_path, "other")

    with pytest.raises(EngineFailure):
        ENGINE.fetch(f"FROM read_parquet('{other}')", {"t": [numbers(tmp_path)]})


def test_too_little_memory_is_a_limit(tmp_path: Path) -> None:
    engine = DuckDBTrusted(threads=1, memory_bytes=20_000_000)

    with pytest.raises(LimitReached) as raised:
        engine.fetch("SELECT list(a.n || b.n) FROM t a, t b", {"t": [numbers(tmp_path)]})

    assert raised.value.faults[0].code == "MEMORY_LIMIT"


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("a small file system can only be mounted by root")
    return folder


def test_a_full_disk_is_a_limit_and_leaves_nothing(tmp_path: Path, small_disk: Path) -> None:
    try:
        with pytest.raises(LimitReached) as raised:
            ENGINE.copy(
                "SELECT n, random() AS r, uuid() AS u FROM source", [numbers(tmp_path)], small_disk / "o.parquet"
            )
        assert raised.value.faults[0].code == "DISK_FULL"
        assert not list(small_disk.iterdir())
    finally:
        subprocess.run(["umount", small_disk], check=True)
