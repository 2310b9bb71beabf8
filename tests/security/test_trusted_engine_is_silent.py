"""The trusted engine's SQL may hold a project's key, and its files what policy hides: no error carries either."""

import logging
import traceback
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from portal.engines.duckdb.trusted import DuckDBTrusted
from portal.errors import EngineFailure


def test_a_failing_statement_tells_neither_the_key_nor_the_data(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / "in.parquet"
    pq.write_table(pa.table({"v": ["private-value"]}), source)
    select = "SELECT v::INT AS x, 'secret-key' AS k FROM source"

    with caplog.at_level(logging.DEBUG), pytest.raises(EngineFailure) as raised:
        DuckDBTrusted().copy(select, {"source": [source]}, tmp_path / "out.parquet")

    printed = "".join(traceback.format_exception(raised.value)) + caplog.text + str(raised.value)
    assert [secret for secret in ("private-value", "secret-key", "in.parquet") if secret in printed] == []
    assert [path.name for path in tmp_path.iterdir()] == ["in.parquet"]
