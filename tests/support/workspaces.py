"""A small published release and a store of governed copies over it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from support.factories import NOW, a_dataset, a_request

from portal.catalogue.dataset import Dataset
from portal.catalogue.release import Manifest
from portal.engines.duckdb.trusted import DuckDBTrusted
from portal.engines.port import WrittenFile
from portal.ids import ProjectId
from portal.keys import Keys
from portal.policy.decide import decide
from portal.policy.decision import Obligations, Permit
from portal.publishing.publish import publish
from portal.publishing.releases import ReleaseStore
from portal.workspaces.store import GovernedCopy, WorkspaceStore

KEYS = Keys(b"m" * 32)
BY_MONTH = {"sort": ["day"], "partition": {"day": "month"}}


@dataclass(frozen=True, slots=True)
class CountingEngine:
    """The trusted engine, and how many files it was asked to write."""

    engine: DuckDBTrusted = field(default_factory=lambda: DuckDBTrusted(threads=1, memory_bytes=500_000_000))
    written: list[Path] = field(default_factory=list)

    def copy(
        self,
        select: str,
        tables: Mapping[str, Sequence[Path]],
        target: Path,
        metadata: Mapping[str, str] | None = None,
    ) -> WrittenFile:
        self.written.append(target)
        return self.engine.copy(select, tables, target, metadata)

    def heeding(self, heed: Callable[[], object]) -> "CountingEngine":
        return type(self)(self.engine.heeding(heed), self.written)

    def fetch(self, select: str, tables: Mapping[str, Sequence[Path]]) -> pa.Table:
        return self.engine.fetch(select, tables)


def publish_rows(home: Path, rows: Sequence[Mapping[str, Any]], dataset: Dataset) -> Manifest:
    types = {name: column.type for name, column in dataset.columns.items()}
    source = home / "source.parquet"
    home.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        columns = ", ".join(f'"{name}" {column_type}' for name, column_type in types.items())
        connection.execute(f"CREATE TABLE t ({columns})")
        marks = ", ".join("?" for _ in types)
        if rows:
            connection.executemany(f"INSERT INTO t VALUES ({marks})", [[row[name] for name in types] for row in rows])
        connection.execute(f"COPY t TO '{source}' (FORMAT parquet)")
    return publish(dataset, [source], home / "releases", b"p" * 32, lambda: NOW, synthetic=True)


def a_store(home: Path, engine: CountingEngine | None = None) -> WorkspaceStore:
    return WorkspaceStore(home / "workspaces", ReleaseStore(home / "releases"), engine or CountingEngine(), KEYS)


def obligations_of(**request: Any) -> Obligations:
    decision = decide(a_request(**({"dataset": a_dataset(layout=BY_MONTH)} | request)))
    assert isinstance(decision, Permit)
    return decision.obligations


def rows_of(copy: GovernedCopy) -> list[dict[str, Any]]:
    return [row for file in copy.files for row in pq.read_table(file).to_pylist()]


PROJECT = ProjectId("p1")
