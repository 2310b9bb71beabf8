"""Base cells: the finest parts of which every cell of a dataset is a union, with the entities in each."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from portal.disclosure.cells import Contributions

Numbers = npt.NDArray[np.int64]
LARGEST = 20
"""How many of the largest contributions are kept; at least what any policy's dominance rule asks for."""


@dataclass(frozen=True, slots=True)
class Members:
    """The entities of one kind in each base cell: cell i holds the positions `starts[i]` up to `starts[i + 1]`."""

    starts: Numbers
    entities: Numbers
    counts: Mapping[str, Numbers]
    sums: Mapping[str, npt.NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class BaseCells:
    """The base cells of a release as one project's row rules leave it; `names` say what each one is."""

    names: tuple[str, ...]
    members: Mapping[str, Members]

    def entities_in(self, region: Collection[int], entity: str, counted: str | None = None) -> BitMap:
        """Return the entities of a region; with `counted`, only those that have a value in that column."""
        members = self.members[entity]
        at = _positions(members, region)
        if counted is not None:
            at = at[members.counts[counted][at] > 0]
        return BitMap(np.unique(members.entities[at]).astype(np.uint32))

    def contributions(self, region: Collection[int], entity: str, measure: str) -> Contributions:
        """Return what each entity adds to a measure's sum over a region."""
        members = self.members[entity]
        at = _positions(members, region)
        _, of = np.unique(members.entities[at], return_inverse=True)
        amounts = np.abs(np.bincount(of, weights=members.sums[measure][at]))
        largest = np.sort(amounts)[::-1][:LARGEST]
        return Contributions(float(amounts.sum()), tuple(float(amount) for amount in largest))


def read_base_cells(answers: Mapping[str, pa.Table], measures: Sequence[str]) -> BaseCells:
    """Read what `base_query` yields for each entity; each answer is sorted by cell."""
    columns = [table.column("#cell").to_pylist() for table in answers.values()]
    names = tuple(sorted(set(columns[0])))
    places = {name: i for i, name in enumerate(names)}
    return BaseCells(
        names,
        {
            entity: _members(table, np.array([places[cell] for cell in cells], dtype=np.int64), len(names), measures)
            for (entity, table), cells in zip(answers.items(), columns, strict=True)
        },
    )


def _members(table: pa.Table, cells: Numbers, size: int, measures: Sequence[str]) -> Members:
    order = np.argsort(cells, kind="stable")
    counted = [name.removeprefix("#count.") for name in table.column_names if name.startswith("#count.")]
    return Members(
        starts=np.searchsorted(cells[order], np.arange(size + 1)).astype(np.int64),
        entities=_numbers(table, "#entity")[order],
        counts={name: _numbers(table, f"#count.{name}")[order] for name in counted},
        sums={
            name: np.nan_to_num(table.column(f"#sum.{name}").to_numpy(zero_copy_only=False).astype(float))[order]
            for name in measures
        },
    )


def _numbers(table: pa.Table, name: str) -> Numbers:
    numbers: Numbers = table.column(name).to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers


def _positions(members: Members, region: Collection[int]) -> Numbers:
    return np.concatenate([np.empty(0, dtype=np.int64), *_slices(members, region)])


def _slices(members: Members, region: Collection[int]) -> Iterator[Numbers]:
    for cell in region:
        yield np.arange(members.starts[cell], members.starts[cell + 1])
