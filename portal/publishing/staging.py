"""The published rows while a release is being made: a DuckDB database in the release's temporary folder.

It takes each part of the sources through the recipe once, and gives the rows back a partition at a time, sorted. What
does not fit into memory goes to disk beside it. A part is taken in whole or not at all, so that a publication which was
stopped goes on after the last one. The place of a row in the table tells where it stood in its source.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
from pydantic import TypeAdapter

from portal.catalogue.dataset import Dataset, RareValues
from portal.catalogue.release import ColumnStatistics, RejectedRow, Rejections, SourceFile
from portal.policy.masks import literal, quote
from portal.publishing.failures import applying
from portal.publishing.instance import bounded_instance
from portal.publishing.recipe import REJECTED, REJECTION, compile_recipe, recognise_shape
from portal.publishing.rejections import MOST_LISTED
from portal.publishing.risk.loss import Removal, measure_removal
from portal.publishing.sources import Part
from portal.publishing.tables import open_table

_REMOVAL = TypeAdapter(Removal)
_REPEATED = "a row whose identifier was there before"


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

    def add(self, place: int, part: Part, key: bytes) -> tuple[SourceFile, Removal]:
        """Take a part of the source at this place in, and say what it was and what the recipe took from it.

        Raises `ContentError` where it or the recipe does not fit.
        """
        facts = "SELECT source, removal FROM parts WHERE place = ? AND name = ?"
        if found := self.connection.execute(facts, [place, part.name]).fetchall():
            return SourceFile.model_validate_json(found[0][0]), _REMOVAL.validate_json(found[0][1])
        with part.open() as path:
            table = open_table(self.connection, path, part.name, self.dataset.name)
            shape = recognise_shape(self.dataset, table.name, table.columns)
            select = compile_recipe(self.dataset, shape, table.columns, key)
            self.connection.execute(f"CREATE OR REPLACE TEMP VIEW raw AS {table.select}")
            with applying(table.name, self.dataset.name, self._source_reads), _whole(self.connection):
                before = self._count("SELECT count(*) FROM staged")
                rows = self._count(f"INSERT INTO staged {select}")
                source = SourceFile(name=table.name, shape=shape, rows=rows, bytes=table.bytes, sha256=table.sha256)
                removal = measure_removal(self.connection, self.dataset, source, key)
                taken = [
                    place,
                    before,
                    table.name,
                    rows,
                    source.model_dump_json(),
                    _REMOVAL.dump_json(removal).decode(),
                ]
                self.connection.execute("INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?)", taken)
        return source, removal

    def settle(self) -> None:
        """Do what needs all rows: reject those whose identifier was there before, and group rare values."""
        if unique := self.dataset.unique:
            key = ", ".join(map(quote, unique))
            why = f"{{'column': {literal(', '.join(unique))}, 'rule': {literal(_REPEATED)}, 'kind': 'an identifier'}}"
            with applying("all", self.dataset.name, lambda: True):
                self.connection.execute(f"""
                    UPDATE staged SET {quote(REJECTED)} = {why} FROM (
                        SELECT {key}, min(rowid) AS "first one" FROM staged WHERE {quote(REJECTED)} IS NULL
                        GROUP BY ALL HAVING count(*) > 1
                    ) AS repeated WHERE {" AND ".join(f"staged.{quote(c)} = repeated.{quote(c)}" for c in unique)}
                    AND staged.rowid > repeated."first one" AND staged.{quote(REJECTED)} IS NULL
                """)  # noqa: S608 - checked content
        for column, rare in self._rare_values().items():
            self.connection.execute(_grouped(column, rare))

    def rejections(self) -> Rejections:
        """Return how many rows cannot be published, by column and rule, and where the first of them stand."""
        rejected = f"SELECT rowid AS stood, {quote(REJECTED)} AS why FROM staged WHERE {quote(REJECTED)} IS NOT NULL"  # noqa: S608 - constants
        counts = self.connection.execute(f"""
            SELECT concat(why."column", ': ', why.rule), count(*) FROM ({rejected}) GROUP BY 1 ORDER BY 2 DESC, 1
        """).fetchall()  # noqa: S608 - constants
        rows = self.connection.execute(f"""
            SELECT name, stood - before + 1, why."column", why.rule, why.kind
            FROM ({rejected}) ASOF JOIN (FROM parts WHERE rows > 0) ON stood >= before
            ORDER BY stood LIMIT {MOST_LISTED}
        """).fetchall()  # noqa: S608 - constants
        listed = (RejectedRow(**dict(zip(RejectedRow.model_fields, row, strict=True))) for row in rows)
        return Rejections(counts=dict(counts), rows=tuple(listed))

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

    def _rare_values(self) -> Mapping[str, RareValues]:
        return {column: stated.rare for _, column, stated in self.dataset.recipe.derivations if stated.rare}

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
    """Open the staging database of a folder: an empty one, or what a publication that was stopped left there."""
    with bounded_instance(folder / "spill", folder / "staging.duckdb") as connection:
        connection.execute("SET TimeZone = 'UTC'")
        columns = ", ".join(f"{quote(name)} {column.type}" for name, column in dataset.columns.items())
        connection.execute(f"CREATE TABLE IF NOT EXISTS staged ({columns}, {quote(REJECTED)} {REJECTION})")
        facts = "place INTEGER, before BIGINT, name VARCHAR, rows BIGINT, source VARCHAR, removal VARCHAR"
        connection.execute(f"CREATE TABLE IF NOT EXISTS parts ({facts})")
        yield Staging(dataset, connection)


@contextmanager
def _whole(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Keep all that is done inside, or nothing."""
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _grouped(column: str, rare: RareValues) -> str:
    """Return the UPDATE that groups a column's rare values, and leaves NULL where even the group would be one."""
    cell = quote(column)
    how_many = f"count(DISTINCT {quote(rare.of)})" if rare.of else "count(*)"
    sound = f"FROM staged WHERE {quote(REJECTED)} IS NULL AND {cell} IS NOT NULL"
    few = f"SELECT {cell} {sound} GROUP BY 1 HAVING {how_many} < {rare.below} OR {cell} = {literal(rare.into)}"
    together = f"(SELECT {how_many} {sound} AND {cell} IN ({few}))"
    into = f"CASE WHEN {together} >= {rare.below} THEN {literal(rare.into)} END"
    return f"UPDATE staged SET {cell} = {into} WHERE {quote(REJECTED)} IS NULL AND {cell} IN ({few})"  # noqa: S608 - checked content
