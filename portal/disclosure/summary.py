"""The summary of a release: one row for each base cell, and all that a block needs but for a sum in doubt.

Made once, from what the trusted engine wrote, in the memory of a few hundred cells. Beside what `cells_query` yields
each row has, by entity type e and measure m:

    `#entities.{e}`   the entities in the cell, a serialised Roaring bitmap of their numbers
    `#largest.{e}.{m}`   the largest absolute sum of one entity in the cell

    `#in.{i}`   the number of a marginal that the cell is in

Behind the cells follow the marginals, in order, with bitmaps and nothing else. The file's metadata holds the number of
cells and, falling, the largest totals of absolute sums that entities have in the whole release. What is no finite
number counts as infinitely much. Pages carry checksums.
"""

import itertools
import json
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pyroaring import BitMap

from portal.disclosure.coarse import Marginals, marginals_of

FORMAT = 4
"""Raised when the making of base cells changes."""
FACTS = b"base cells"
MARGINAL = "#in."
GROUP_CELLS = 512
"""Cells in a row group: what is read, and while making held, at once."""
GROUP_MARGINALS = 32
_BATCH_ROWS = 65_536
_FIRST_ENTITIES = 1_024

Amounts = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Columns:
    """What is added up, and how many of the largest totals are kept."""

    measures: tuple[str, ...]
    largest: int


@np.errstate(over="ignore")
def summarise(cells: Path, members: Mapping[str, Path], columns: Columns, target: Path) -> None:
    """Write the summary of what `cells_query` and, by entity type, `members_query` yielded.

    Raises `ValueError` where they do not tell of the same cells.
    """
    with pq.ParquetFile(cells) as file:
        dimensions = [name for name in file.schema_arrow.names if not name.startswith("#")]
        marginals = marginals_of(file.read(columns=dimensions))
        tallies = [_Tally(entity, columns, _cells_of(path), marginals) for entity, path in members.items()]
        inside = [pa.field(f"{MARGINAL}{i}", pa.int64()) for i in range(len(marginals.of))]
        known = [pa.field(each.name, each.type) for each in file.schema_arrow]  # of marginals it is not known
        schema = pa.schema([*known, *inside, *(each for tally in tallies for each in tally.fields())])
        plain = [each.name for each in schema if not pa.types.is_binary(each.type)]
        with pq.ParquetWriter(
            target, schema, compression="zstd", use_dictionary=plain, write_statistics=plain, write_page_checksum=True
        ) as writer:
            for table in _cells_first(file, marginals, tallies):
                writer.write_table(table.cast(schema), row_group_size=GROUP_CELLS)
            for table in _marginals_last(schema, tallies):
                writer.write_table(table)
            totals = {tally.entity: tally.largest_totals() for tally in tallies}
            facts = {"cells": file.metadata.num_rows, "largest totals": totals}
            writer.add_key_value_metadata({FACTS.decode(): json.dumps(facts)})
    if any(tally.is_left() for tally in tallies):
        raise ValueError("there are members of a cell that is not there")


def _cells_first(file: pq.ParquetFile, marginals: Marginals, tallies: Sequence["_Tally"]) -> Iterator[pa.Table]:
    done = 0
    for batch in file.iter_batches(GROUP_CELLS):
        table = pa.Table.from_batches([batch])
        for i, of in enumerate(marginals.of):
            table = table.append_column(f"{MARGINAL}{i}", pa.array(of[done : done + batch.num_rows]))
        for tally in tallies:
            for each, column in zip(tally.fields(), tally.add(batch.num_rows), strict=True):
                table = table.append_column(each, column)
        done += batch.num_rows
        yield table


def _marginals_last(schema: pa.Schema, tallies: Sequence["_Tally"]) -> Iterator[pa.Table]:
    for together in zip(*(tally.unions() for tally in tallies), strict=True):
        known = {each.name: column for tally, columns in zip(tallies, together, strict=True)
                 for each, column in zip(tally.fields(), columns, strict=True)}  # fmt: skip
        rows = len(next(iter(known.values())))
        yield pa.Table.from_arrays([known.get(each.name, pa.nulls(rows, each.type)) for each in schema], schema=schema)


def bitmap_of(numbers: npt.NDArray[np.uint32]) -> BitMap:
    """Return the set of some numbers."""
    return BitMap(array("I", numbers.tobytes()))  # by far the fastest way in


def size_of(amounts: Amounts) -> Amounts:
    """Return how much each amount is, whatever its sign; what is no number is infinitely much."""
    sizes: Amounts = np.nan_to_num(np.abs(amounts), nan=np.inf, posinf=np.inf)
    return sizes


@dataclass(slots=True)
class _Tally:
    """What is known of one entity type so far: absolute amounts, by measure and entity; entities, by marginal."""

    entity: str
    columns: Columns
    cells: Iterator[Mapping[str, Any]]
    marginals: Marginals
    done: int = 0
    totals: dict[str, Amounts] = field(default_factory=dict)
    coarse: dict[int, BitMap] = field(default_factory=lambda: defaultdict(BitMap))

    def fields(self) -> Iterator[pa.Field]:
        yield pa.field(f"#entities.{self.entity}", pa.binary())
        yield from (pa.field(f"#largest.{self.entity}.{m}", pa.float64()) for m in self.columns.measures)

    def add(self, number: int) -> list[pa.Array]:
        """Return the columns of the next cells."""
        rows = [self._row(cell) for cell in itertools.islice(self.cells, number)]
        if len(rows) != number:
            raise ValueError("a cell has no members")
        return self._columns(rows)

    def unions(self) -> Iterator[list[pa.Array]]:
        """Yield the columns of the marginals of all cells, of a few at a time."""
        none, marginals = [None] * len(self.columns.measures), iter(sorted(self.coarse))
        while some := list(itertools.islice(marginals, GROUP_MARGINALS)):
            yield self._columns([[self.coarse[each].serialize(), *none] for each in some])

    def is_left(self) -> bool:
        return next(self.cells, None) is not None

    def _columns(self, rows: Sequence[Sequence[bytes | float | None]]) -> list[pa.Array]:
        return [pa.array([row[i] for row in rows], each.type) for i, each in enumerate(self.fields())]

    def _row(self, cell: Mapping[str, Any]) -> list[bytes | float | None]:
        numbers = cell["#entity"]
        entities = bitmap_of(numbers)
        for of in self.marginals.of:
            self.coarse[int(of[self.done])] |= entities
        self.done += 1
        largest = []
        for measure in self.columns.measures:
            sizes = size_of(cell[f"#sum.{measure}"])
            largest.append(float(sizes.max()))
            self._total(measure, int(numbers.max()))[numbers] += sizes
        return [entities.serialize(), *largest]

    def _total(self, measure: str, number: int) -> Amounts:
        totals = self.totals.setdefault(measure, np.zeros(_FIRST_ENTITIES))
        if number >= len(totals):
            totals = np.concatenate([totals, np.zeros(max(number + 1, 2 * len(totals)) - len(totals))])
            self.totals[measure] = totals
        return totals

    def largest_totals(self) -> Mapping[str, Sequence[float]]:
        return {
            measure: np.sort(self.totals.get(measure, np.zeros(0)))[::-1][: self.columns.largest].tolist()
            for measure in self.columns.measures
        }


def _cells_of(path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the members of one cell after the other, as arrays by column."""
    held: list[Mapping[str, Any]] = []
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH_ROWS):
            arrays = {name: numbers_of(batch.column(name)) for name in batch.schema.names}
            cells = arrays["#cell"]
            cuts = [0, *(np.flatnonzero(np.diff(cells)) + 1).tolist(), len(cells)]
            for first, end in itertools.pairwise(cuts):
                if held and held[-1]["#cell"][0] != cells[first]:
                    yield _joined(held)
                    held = []
                held.append({name: array[first:end] for name, array in arrays.items()})
    if held:
        yield _joined(held)


def numbers_of(column: pa.Array) -> Any:  # noqa: ANN401 - of the column's own type
    """Return a column's numbers; a sum without a value is nothing."""
    # Arrow's own `fill_null` would load pandas.
    numbers = column.to_numpy(zero_copy_only=False)
    return np.where(column.is_null().to_numpy(zero_copy_only=False), 0.0, numbers) if column.null_count else numbers


def _joined(pieces: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
