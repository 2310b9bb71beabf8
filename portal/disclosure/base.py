"""Base cells: the finest parts of which every cell of a dataset is a union, with the entities in each.

Opened for one statement, and closed with it. Bitmaps are read when they are asked for, a row group at a time; what is
damaged raises `EngineFailure` with the code `DAMAGED` at the latest when it would be used.
"""

import json
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyroaring import AbstractBitMap, BitMap

from portal.disclosure.cells import Contributions, is_dominated, is_spread, spread_from
from portal.disclosure.coarse import Marginals, read_marginals, values_of
from portal.disclosure.summary import FACTS, MARGINAL, Amounts, numbers_of, size_of
from portal.errors import EngineFailure, Fault
from portal.policy.model import Dominance

DAMAGED = "BASE_DAMAGED"
LARGEST = 20
"""How many of the largest contributions are told; more where a policy's dominance rule asks for more."""
Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Cells = Collection[int] | AbstractBitMap
"""Base cells by their positions: a region."""


class Bitmaps:
    """A column of bitmaps of a summary, by the row; row groups are read at the first need of them."""

    def __init__(self, file: pq.ParquetFile, column: str) -> None:
        self._file = file
        self._column = column
        self._starts = _starts_of(file)
        self._held: dict[int, bytes | BitMap] = {}

    def of(self, rows: Numbers) -> list[BitMap]:
        """Return the bitmaps of some rows; not to be changed."""
        with _undamaged():
            for group in np.unique(np.searchsorted(self._starts, rows, side="right") - 1).tolist():
                first = int(self._starts[group])
                if first not in self._held:
                    stored = _read(self._file, [group], [self._column]).column(0).to_pylist()
                    self._held.update(enumerate(stored, first))
            return [self._bitmap(row) for row in rows.tolist()]

    def _bitmap(self, row: int) -> BitMap:
        found = self._held[row]
        if isinstance(found, bytes):
            found = self._held[row] = BitMap.deserialize(found)
        return found


@dataclass(frozen=True, slots=True)
class Members:
    """The entities of one type in each row of the summary.

    `largest` has by measure the largest absolute sum of one entity in each row, `totals` the largest of the release.
    """

    entities: Bitmaps
    largest: Mapping[str, Amounts]
    totals: Mapping[str, Sequence[float]]
    file: pq.ParquetFile


@dataclass(frozen=True, slots=True)
class BaseCells:
    """The base cells of a release; `names` say what each one is, `seen` which of them one project may see now.

    A cell's position is its row in the summary. `values` has a row for each, with the number of its value in each
    dimension.
    """

    names: tuple[str, ...]
    values: Numbers
    members: Mapping[str, Members]
    seen: Mask
    rows: Numbers
    counts: Mapping[str, Numbers]
    sums: Mapping[str, Amounts]
    marginals: Marginals

    def entities_in(self, region: Cells, entity: str) -> BitMap:
        """Return the entities of a region."""
        whole, rows = self.marginals.cover(_positions(region))
        rows = np.concatenate([rows, whole + len(self.names)]) if len(whole) else rows
        return BitMap().union(*self.members[entity].entities.of(rows))

    def contributions(self, region: Cells, entity: str, measure: str, minus: Cells = ()) -> Contributions:
        """Return what each entity adds to a measure's sum over a region, less that over another; reads the members."""
        [found] = self._contributions([region], entity, measure, minus)
        return found

    def adds_to(self, measure: str) -> Mask:
        """Say which base cells make up the sums over a measure that may be asked for."""
        adds: Mask = self.seen & (self.counts[measure] > 0)
        return adds

    def having(self, region: Cells, column: str) -> Numbers:
        """Return the base cells of a region whose rows have a value in a countable column; of others none has."""
        positions = _positions(region)
        return positions[self.counts[column][positions] > 0]

    def count(self, region: Cells) -> int:
        """Count the rows of a region."""
        return int(self.rows[_positions(region)].sum())

    def total(self, region: Cells, measure: str) -> float:
        """Add up a measure over a region, the same in whatever order; NaN where that is no finite number."""
        amounts = self.sums[measure][_positions(region)]
        try:
            return math.fsum(amounts) if np.isfinite(amounts).all() else math.nan
        except OverflowError:
            return math.nan

    def dominated(self, regions: Sequence[Cells], measure: str, rule: Dominance) -> tuple[tuple[str, ...], ...]:
        """Return for each of some disjoint regions by which types of entities its sum is dominated.

        A region whose spread is certain from the summary costs no more; the others are looked at exactly, all in one
        pass over their members. A sum that is no finite number is dominated by whoever made it so.
        """
        found: list[list[str]] = [[] for _ in regions]
        for entity in self.members:
            doubtful = [i for i, region in enumerate(regions) if self.in_doubt(region, entity, measure, rule)]
            finite = [i for i in doubtful if math.isfinite(self.total(regions[i], measure))]
            exact = self._contributions([regions[i] for i in finite], entity, measure)
            heavy = {i for i, each in zip(finite, exact, strict=True) if is_dominated(each, rule)}
            for i in doubtful:
                if i in heavy or i not in finite:
                    found[i].append(entity)
        return tuple(map(tuple, found))

    @np.errstate(over="ignore")
    def in_doubt(self, region: Cells, entity: str, measure: str, rule: Dominance, minus: Cells = ()) -> bool:
        """Say whether only its contributions can tell if a region's sum is dominated; costs next to nothing.

        With `minus`, the sum less that of another region.
        """
        members, positions = self.members[entity], np.concatenate([_positions(region), _positions(minus)])
        within = float(members.largest[measure][positions].sum())
        added = float(np.abs(self.sums[measure][positions]).sum())
        at_most = [min(total, within) for total in members.totals[measure]]
        return not is_spread(abs(self.total(region, measure) - self.total(minus, measure)), added, at_most, rule)

    def sure_from(self, measure: str, rule: Dominance) -> float:
        """Return how large a sum is that cannot be dominated, whatever it is made of."""
        return max(spread_from(members.totals[measure], rule) for members in self.members.values())

    @np.errstate(over="ignore")
    def _contributions(
        self, regions: Sequence[Cells], entity: str, measure: str, minus: Cells = ()
    ) -> Sequence[Contributions]:
        """Read what is in each of some disjoint regions; what is in `minus` counts against the first."""
        members, regions = self.members[entity], [[*regions[0], *minus], *regions[1:]] if minus else regions
        owner = np.full(len(self.names) + 1, -1, dtype=np.int64)
        for number, region in enumerate(regions):
            owner[_positions(region)] = number
        sign = np.ones(len(owner))
        sign[_positions(minus)] = -1
        owners, amounts = _added_up(members.file, owner, sign, f"#sum.{measure}")
        found = []
        for number, region in enumerate(regions):
            sizes = amounts[slice(*np.searchsorted(owners, [number, number + 1]))]
            if len(sizes) != len(self.entities_in(region, entity)):
                raise damaged()
            largest = np.sort(sizes)[::-1][: max(LARGEST, len(members.totals[measure]))]
            found.append(Contributions(float(sizes.sum()), tuple(largest.tolist())))
        return found


@contextmanager
def open_base_cells(summary: Path, members: Mapping[str, Path], view: Numbers | None = None) -> Iterator[BaseCells]:
    """Open the base cells of a summary, with their members by entity type; `view` are the rows that may be seen.

    Raises `EngineFailure` where a file is cut short or damaged.
    """
    with ExitStack() as stack:
        with _undamaged():
            file = stack.enter_context(pq.ParquetFile(summary, page_checksum_verification=True))
            files = {entity: stack.enter_context(pq.ParquetFile(path)) for entity, path in members.items()}
            schema = file.schema_arrow
            plain = [name for name in schema.names if not pa.types.is_binary(schema.field(name).type)]
            facts = json.loads(file.metadata.metadata[FACTS])
            totals, groups = facts["largest totals"], np.searchsorted(_starts_of(file), facts["cells"])
            table = _read(file, range(int(groups)), plain)
        cells = np.arange(table.num_rows)
        seen = np.ones(len(cells), dtype=np.bool_) if view is None else np.isin(cells, view)
        yield BaseCells(
            names=tuple(table.column("#name").to_pylist()),
            values=values_of(table.select([name for name in plain if not name.startswith("#")])),
            members={entity: _members(entity, file, table, each, totals[entity]) for entity, each in files.items()},
            seen=seen,
            rows=_numpy(table, "#rows"),
            counts={name: _numpy(table, f"#count.{name}") for name in _named(plain, "#count.")},
            sums={name: _numpy(table, f"#sum.{name}") for name in _named(plain, "#sum.")},
            marginals=read_marginals([_numpy(table, f"{MARGINAL}{i}") for i in _named(plain, MARGINAL)]),
        )


def damaged() -> EngineFailure:
    """Say that base cells cannot be used as they are on disk."""
    message = "The base cells of the release are cut short or damaged, so nothing is released from them."
    return EngineFailure(Fault(DAMAGED, message, rule="disclosure", fix="Ask again; if it stays, tell the operator."))


@contextmanager
def _undamaged() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError):
        raise damaged() from None


def _members(
    entity: str, file: pq.ParquetFile, table: pa.Table, members: pq.ParquetFile, totals: Mapping[str, Sequence[float]]
) -> Members:
    return Members(
        Bitmaps(file, f"#entities.{entity}"),
        {measure: _numpy(table, f"#largest.{entity}.{measure}") for measure in totals},
        totals,
        members,
    )


def _named(columns: Iterable[str], prefix: str) -> Iterator[str]:
    return (name.removeprefix(prefix) for name in columns if name.startswith(prefix))


def _added_up(file: pq.ParquetFile, owner: Numbers, sign: Amounts, column: str) -> tuple[Numbers, Amounts]:
    """Return what each entity has in the cells of each owner, as owners in order and absolute amounts.

    `owner` tells for each row of the summary whose it is, -1 for nobody's, and `sign` whether it adds or takes away;
    past its last but one it is nobody's.
    """
    parts = []
    for group in _groups_of(file, np.flatnonzero(owner >= 0)):
        with _undamaged():
            part = _read(file, [group], ["#cell", "#entity", column])
            cells = np.minimum(_numpy(part, "#cell"), len(owner) - 1)
        part = part.append_column("owner", _arrow(owner[cells]))
        part = part.append_column("signed", _arrow(_numpy(part, column) * sign[cells]))
        parts.append(part.filter(pc.greater_equal(part.column("owner"), 0)))
    if not parts:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    added = pa.concat_tables(parts).group_by(["owner", "#entity"], use_threads=False).aggregate([("signed", "sum")])
    order = np.argsort(_numpy(added, "owner"), kind="stable")
    return _numpy(added, "owner")[order], size_of(_numpy(added, "signed_sum")[order])


def _groups_of(file: pq.ParquetFile, cells: Numbers) -> Iterator[int]:
    """Yield the row groups that may hold some of these cells; members are sorted by cell."""
    metadata = file.metadata
    for group in range(metadata.num_row_groups):
        found = metadata.row_group(group).column(0).statistics
        if found is None or np.searchsorted(cells, found.min) < np.searchsorted(cells, found.max, side="right"):
            yield group


def _read(file: pq.ParquetFile, groups: Collection[int], columns: Sequence[str]) -> pa.Table:
    return file.read_row_groups(list(groups), columns=list(columns), use_threads=False).combine_chunks()


def _numpy(table: pa.Table, name: str) -> Any:  # noqa: ANN401 - of the column's own type
    return numbers_of(table.column(name).combine_chunks())


def _arrow(numbers: npt.NDArray[Any]) -> pa.Array:
    """Return numbers as Arrow has them; `pa.array` would load pandas to look at them."""
    held = np.ascontiguousarray(numbers)
    return pa.Array.from_buffers(pa.from_numpy_dtype(held.dtype), len(held), [None, pa.py_buffer(held)])


def _starts_of(file: pq.ParquetFile) -> Numbers:
    metadata = file.metadata
    sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    return np.cumsum([0, *sizes])[:-1]


def _positions(region: Cells) -> Numbers:
    if isinstance(region, AbstractBitMap):
        return np.array(region.to_array(), dtype=np.int64)
    return np.fromiter(region, dtype=np.int64, count=len(region))
