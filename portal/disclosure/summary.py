"""The summary of a release: one row for each base cell, and all that a block needs but for a sum in doubt.

Made once, from what the trusted engine wrote, in the memory of a few hundred cells. Beside what `cells_query` yields
each row has, by entity type e, measure m and countable column c:

    `#entities.{e}`   the entities in the cell, a serialised Roaring bitmap of their numbers
    `#with.{e}.{c}`   those of them that have a value in c; NULL where all have
    `#largest.{e}.{m}`   the largest absolute sum of one entity in the cell

and the file's metadata holds, falling, the largest totals of absolute sums that entities have in the whole release.
What is no finite number counts as infinitely much. Pages carry checksums.
"""

import itertools
import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pyroaring import BitMap

FORMAT = 2
"""Raised when the making of base cells changes."""
TOTALS = b"largest totals"
GROUP_CELLS = 512
"""Cells in a row group: what is read, and while making held, at once."""
_BATCH_ROWS = 65_536
_FIRST_ENTITIES = 1_024

Amounts = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Columns:
    """What is counted and what is added up; and how many of the largest totals are kept."""

    countable: tuple[str, ...]
    measures: tuple[str, ...]
    largest: int


def summarise(cells: Path, members: Mapping[str, Path], columns: Columns, target: Path) -> None:
    """Write the summary of what `cells_query` and, by entity type, `members_query` yielded.

    Raises `ValueError` where they do not tell of the same cells.
    """
    tallies = {entity: _Tally(entity, columns) for entity in members}
    with pq.ParquetFile(cells) as file:
        schema = pa.schema([*file.schema_arrow, *(each for tally in tallies.values() for each in tally.fields())])
        parts = {entity: _cells_of(path) for entity, path in members.items()}
        plain = [name for name in schema.names if not pa.types.is_binary(schema.field(name).type)]
        with pq.ParquetWriter(
            target, schema, compression="zstd", use_dictionary=plain, write_statistics=plain, write_page_checksum=True
        ) as writer:
            for batch in file.iter_batches(GROUP_CELLS):
                added = [tally.add(parts[entity], batch.num_rows) for entity, tally in tallies.items()]
                arrays = [*batch.columns, *itertools.chain.from_iterable(added)]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=GROUP_CELLS)
            totals = {entity: tally.largest_totals() for entity, tally in tallies.items()}
            writer.add_key_value_metadata({TOTALS.decode(): json.dumps(totals)})
    if any(next(each, None) is not None for each in parts.values()):
        raise ValueError("there are members of a cell that is not there")


def bitmap_of(numbers: npt.NDArray[np.uint32]) -> BitMap:
    """Return the set of some numbers."""
    return BitMap(array("I", numbers.tobytes()))  # by far the fastest way in


def size_of(amounts: Amounts) -> Amounts:
    """Return how much each amount is, whatever its sign; what is no number is infinitely much."""
    sizes: Amounts = np.nan_to_num(np.abs(amounts), nan=np.inf, posinf=np.inf)
    return sizes


@dataclass(slots=True)
class _Tally:
    """What is known of one entity type so far: the absolute amounts of each entity, by measure."""

    entity: str
    columns: Columns
    totals: dict[str, Amounts] = field(default_factory=dict)

    def fields(self) -> Iterator[pa.Field]:
        yield pa.field(f"#entities.{self.entity}", pa.binary())
        yield from (pa.field(f"#with.{self.entity}.{c}", pa.binary()) for c in self.columns.countable)
        yield from (pa.field(f"#largest.{self.entity}.{m}", pa.float64()) for m in self.columns.measures)

    def add(self, cells: Iterator[Mapping[str, Any]], number: int) -> list[pa.Array]:
        rows = [self._row(cell) for cell in itertools.islice(cells, number)]
        if len(rows) != number:
            raise ValueError("a cell has no members")
        return [
            pa.array(column, each.type) for column, each in zip(zip(*rows, strict=True), self.fields(), strict=True)
        ]

    def _row(self, cell: Mapping[str, Any]) -> list[bytes | float | None]:
        entities = cell["#entity"]
        row: list[bytes | float | None] = [bitmap_of(entities).serialize()]
        for column in self.columns.countable:
            having = cell[f"#with.{column}"]
            row.append(None if having.all() else bitmap_of(entities[having]).serialize())
        for measure in self.columns.measures:
            sizes = size_of(cell[f"#sum.{measure}"])
            row.append(float(sizes.max()))
            self._total(measure, int(entities.max()))[entities] += sizes
        return row

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
            arrays = {name: _array(batch.column(name)) for name in batch.schema.names}
            cells = arrays["#cell"]
            cuts = [0, *(np.flatnonzero(np.diff(cells)) + 1).tolist(), len(cells)]
            for first, end in itertools.pairwise(cuts):
                if held and held[-1]["#cell"][0] != cells[first]:
                    yield _joined(held)
                    held = []
                held.append({name: array[first:end] for name, array in arrays.items()})
    if held:
        yield _joined(held)


def _array(column: pa.Array) -> Any:  # noqa: ANN401 - of the column's own type
    """A sum without a value is nothing."""
    filled = column.fill_null(0.0) if pa.types.is_floating(column.type) else column
    return filled.to_numpy(zero_copy_only=False)


def _joined(pieces: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
