import os
import resource
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.sandbox import write_parquet

from portal.engines.duckdb.trusted import DuckDBTrusted
from portal.errors import Cancelled, EngineFailure, Fault, LimitReached, PortalError


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def error_of_copy(folder: Path, select: str, source: Path) -> PortalError:
    """Return how the copy fails; the file that was there before stays, and nothing beside it."""
    target = folder / "target.parquet"
    target.write_bytes(b"before")
    names = files_in(folder)
    with pytest.raises(PortalError) as caught:
        DuckDBTrusted(memory_bytes=200_000_000).copy(select, {"source": [source]}, target)
    assert target.read_bytes() == b"before"
    assert files_in(folder) == names
    assert str(folder) not in str(caught.value)
    return caught.value


def test_a_copy_is_one_zstd_file_with_its_metadata(tmp_path: Path) -> None:
    sources = [write_parquet(tmp_path / "a'b.parquet"), write_parquet(tmp_path / "c.parquet")]
    target = tmp_path / "target.parquet"
    metadata = {"portal.manifest": '{"it\'s": "ü"}'}
    written = DuckDBTrusted().copy("SELECT i FROM source WHERE i < 10", {"source": sources}, target, metadata)
    assert (written.path, written.rows) == (target, 20)
    found = pq.read_metadata(target)
    assert found.metadata[b"portal.manifest"].decode() == metadata["portal.manifest"]
    assert found.row_group(0).column(0).compression == "ZSTD"
    assert sorted(pq.read_table(target)["i"].to_pylist()) == sorted([*range(10)] * 2)
    assert files_in(tmp_path) == ["a'b.parquet", "c.parquet", "target.parquet"]


def test_fetch_reads_the_named_tables(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "a.parquet")
    found = DuckDBTrusted().fetch("SELECT count(*) AS n FROM x JOIN y USING (i)", {"x": [source], "y": [source]})
    assert found.to_pylist() == [{"n": 1000}]


def test_a_damaged_source_leaves_what_was_there(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "a.parquet")
    source.write_bytes(source.read_bytes()[:-100])
    error = error_of_copy(tmp_path, "SELECT * FROM source", source)
    assert isinstance(error, EngineFailure)
    assert error.faults[0].code == "CORRUPT_FILE"


def test_a_damaged_page_leaves_what_was_there(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "a.parquet")
    content = bytearray(source.read_bytes())
    content[100:160] = os.urandom(60)
    source.write_bytes(content)
    assert error_of_copy(tmp_path, "SELECT * FROM source", source).faults[0].code == "CORRUPT_FILE"


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "a.parquet")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        error = error_of_copy(tmp_path, "SELECT md5(i::VARCHAR || r) FROM source, range(1000) AS t(r)", source)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert isinstance(error, LimitReached)
    assert error.faults[0].code == "DISK_FULL"


def test_too_little_memory_leaves_what_was_there(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "a.parquet")
    select = "SELECT list(repeat(s, 10000) || r) AS x FROM source, range(100) AS t(r)"
    assert error_of_copy(tmp_path, select, source).faults[0].code == "MEMORY_LIMIT"


@pytest.mark.parametrize("elsewhere", ["'{secret}'", "read_text('{secret}')"])
def test_it_opens_no_file_but_those_of_the_call(tmp_path: Path, elsewhere: str) -> None:
    secret = write_parquet(tmp_path / "secret.parquet")
    source = write_parquet(tmp_path / "a.parquet")
    error = error_of_copy(tmp_path, f"SELECT * FROM {elsewhere.format(secret=secret)}", source)
    assert error.faults[0].code == "ENGINE_FAILED"


def test_a_question_ends_when_who_is_heeded_says_so() -> None:
    begun, asked = time.monotonic(), list[float]()

    def heed() -> None:
        asked.append(time.monotonic())
        raise Cancelled(Fault("CANCELLED", "Enough."))

    engine = DuckDBTrusted(threads=1, memory_bytes=500_000_000).heeding(heed)
    with pytest.raises(Cancelled):
        engine.fetch("SELECT count(*) FROM range(100000000000) a(i) WHERE hash(i) % 7 = 8", {})
    assert asked
    assert time.monotonic() - begun < 5
