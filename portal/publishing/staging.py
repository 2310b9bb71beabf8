"""The published rows while a release is being made: a DuckDB database in the release's temporary folder.

It takes each source through the recipe once, and gives the rows back a partition at a time, sorted. What does not fit
into memory goes to disk beside it.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from portal.catalogue.dataset import Dataset
from portal.catalogue.release import ColumnStatistics, SourceFile
from portal.policy.masks import literal, quote
from portal.publishing.failures import applying
from portal.publishing.recipe import REJECTED, compile_recipe, recognise_shape
from portal.publishing.sources import open_source

MEMORY = "1GB"
"""What a publication may hold in memory."""


@dataclass(frozen=True, slots=True)
class Partition:
    """The rows of one file: the file's name, and the predicate that picks them."""

    file: str
    predicate: str


@dataclass(frozen=True, slots=True)
class Staging:
    """The rows of one dataset on their way to a release."""

    dataset: Dataset
    connection: duckdb.DuckDBPyConnection

    def add(self, path: Path, key: bytes) -> SourceFile:
        """Take a source file in. Raises `ContentError` where it or the recipe does not fit."""
        source = open_source(self.connection, path, self.dataset.name)
        shape = recognise_shape(self.dataset, source.name, source.columns)
        select = compile_recipe(self.dataset, shape, source.columns, key)
        self.connection.execute(f"CREATE OR REPLACE TEMP VIEW raw AS {source.select}")
        with applying(source.name, self.dataset.name, self._source_reads):
            rows = self._count(f"INSERT INTO staged {select}")
        return SourceFile(name=source.name, shape=shape, rows=rows, bytes=source.bytes, sha256=source.sha256)

    def rejected(self) -> Mapping[str, int]:
        """Return how many rows cannot be published, by column and reason."""
        counts = f"SELECT {quote(REJECTED)}, count(*) FROM staged WHERE {quote(REJECTED)} IS NOT NULL GROUP BY 1"  # noqa: S608 - constants
        return dict(self.connection.execute(f"{counts} ORDER BY 2 DESC, 1").fetchall())

    def partitions(self) -> Iterator[Partition]:
        """Yield the files to be, at least one, in the order of time; rows without a date come last."""
        if not self.dataset.layout.partition:
            yield Partition("data.parquet", "true")
            return
        [(column, grid)] = self.dataset.layout.partition.items()
        start = f"CAST(date_trunc('{grid}', {quote(column)}) AS DATE)"
        distinct = f"SELECT DISTINCT {start} FROM staged WHERE {quote(REJECTED)} IS NULL ORDER BY 1 NULLS LAST"  # noqa: S608 - checked content
        found = [row[0] for row in self.connection.execute(distinct).fetchall()]
        for day in found or [None]:
            label = f"{day:%Y-%m}" if day and grid == "month" else f"{day:%Y}" if day else "undated"
            value = literal(day.isoformat()) if day else "NULL"
            yield Partition(f"{label}.parquet", f"{start} IS NOT DISTINCT FROM CAST({value} AS DATE)")

    def write(self, partition: Partition, target: Path, metadata: Mapping[str, str]) -> int:
        """Write a partition as one zstd Parquet file and return its rows.

        Ties of the layout's order are broken by the published values alone, so that the same rows give the same file,
        and the order tells nothing of what was dropped.
        """
        columns = ", ".join(map(quote, self.dataset.columns))
        order = ", ".join([*map(quote, self.dataset.layout.sort), f"hash({columns})"])
        facts = ", ".join(f"{quote(name)}: {literal(value)}" for name, value in metadata.items())
        select = (
            f"SELECT {columns} FROM staged WHERE {quote(REJECTED)} IS NULL AND {partition.predicate} ORDER BY {order}"  # noqa: S608 - checked content
        )
        options = f"FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{facts}}}"
        return self._count(f"COPY ({select}) TO {literal(str(target))} ({options})")

    def statistics(self, file: Path) -> Mapping[str, ColumnStatistics]:
        """Return what each column of a written file holds."""
        facts = ", ".join(
            f"count(*) - count({name}), {bound('min', name, column.type)}, {bound('max', name, column.type)}"
            for name, column in ((quote(name), column) for name, column in self.dataset.columns.items())
        )
        found = self.connection.execute(f"SELECT {facts} FROM read_parquet({literal(str(file))})").fetchall()[0]  # noqa: S608 - literals
        triples = zip(found[::3], found[1::3], found[2::3], strict=True)
        return {
            name: ColumnStatistics(nulls=nulls, minimum=minimum, maximum=maximum)
            for name, (nulls, minimum, maximum) in zip(self.dataset.columns, triples, strict=True)
        }

    def _count(self, statement: str) -> int:
        return int(self.connection.execute(statement).fetchall()[0][0])

    def _source_reads(self) -> bool:
        try:
            self.connection.execute("SELECT bit_xor(hash(COLUMNS(*))) FROM raw").fetchall()  # needs every value
        except duckdb.Error:
            return False
        return True


def bound(which: str, column: str, column_type: str) -> str:
    """Return the SQL of a column's least or greatest value as text; lists have none."""
    return "NULL" if column_type == "VARCHAR[]" else f"CAST({which}({column}) AS VARCHAR)"


@contextmanager
def staging(dataset: Dataset, folder: Path) -> Iterator[Staging]:
    """Open an empty staging database in a folder that exists."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "temp_directory": str(folder / "spill"),
        "autoload_known_extensions": "false",
    }
    with closing(duckdb.connect(str(folder / "staging.duckdb"), config=config)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        columns = ", ".join(f"{quote(name)} {column.type}" for name, column in dataset.columns.items())
        connection.execute(f"CREATE TABLE staged ({columns}, {quote(REJECTED)} VARCHAR)")
        yield Staging(dataset, connection)
