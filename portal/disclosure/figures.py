"""The figures of a block as set algebra over base cells: every number of a group is one of the cells it is made of."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from pyroaring import FrozenBitMap

from portal.disclosure.base import BaseCells, Numbers
from portal.disclosure.cells import Figure, Group, Key, effect_fault, figure_fault, group_fault
from portal.disclosure.summary import bitmap_of
from portal.policy.model import Disclosure
from portal.sql.blocks import Aggregate, Block

Region = FrozenBitMap
"""Base cells, by their positions in `BaseCells.names`."""
Count = Callable[[Region, str], int]
"""The distinct entities of one type in a region."""


@dataclass(frozen=True, slots=True)
class FigureRegions:
    """Where an aggregate of a group has its values, what its filter leaves out, and a region for each value's number.

    `held` is what a history takes it for: of different entities also the rows of none, since these are told by nothing
    where an entity has more than one row, and a number of entities could not stand beside one of rows.
    """

    inside: Region
    held: Region
    outside: Region
    values: Mapping[int, Region]


@dataclass(frozen=True, slots=True)
class GroupRegions:
    """The base cells of a group and of each of its figures."""

    whole: Region
    figures: tuple[FigureRegions, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What was computed for a block: its groups with their regions; `fault` withholds the block as a whole."""

    groups: Sequence[Group]
    regions: Mapping[Key, GroupRegions]
    fault: str | None = None


def figures_of(
    answer: pa.Table, block: Block, base: BaseCells, disclosure: Disclosure, unmatched: pa.Table | None = None
) -> Found:
    """Compute a block from what `regions_query` yields, and over a pair from what `unmatched_query` does."""
    regions, dropped = _read(answer, block, base)
    fault = effect_fault([*_effects(regions, dropped, base), *_effects_of_pair(unmatched)], disclosure)
    return compute(regions, block, base, disclosure, fault)


def compute(
    regions: Mapping[Key, GroupRegions],
    block: Block,
    base: BaseCells,
    disclosure: Disclosure,
    fault: str | None = None,
) -> Found:
    """Compute groups from their regions."""
    count = _counting(base)
    groups = [
        Group(
            key,
            {entity: count(region.whole, entity) for entity in base.members},
            tuple(
                _figure(aggregate, cells, base, count, disclosure)
                for aggregate, cells in zip(block.aggregates, region.figures, strict=True)
            ),
        )
        for key, region in regions.items()
    ]
    found = Found(groups, regions, fault)
    sums = [j for j, aggregate in enumerate(block.aggregates) if aggregate.function in ("sum", "avg")]
    for j in sums if not fault else ():
        found = _with_dominance(found, j, block.aggregates[j], base, disclosure)
    return found


def _figure(
    aggregate: Aggregate, cells: FigureRegions, base: BaseCells, count: Count, disclosure: Disclosure
) -> Figure:
    inside, column = cells.inside, aggregate.column
    support = {entity: count(inside, entity) for entity in base.members}
    value: float | None = None
    if aggregate.function in ("sum", "avg"):
        assert column is not None
        value = base.total(inside, column)
    elif aggregate.function == "count_distinct":
        value = support[column] if column in disclosure.entities else _values(cells.values.values(), count, disclosure)
    outside = {entity: count(cells.outside, entity) for entity in base.members}
    return Figure(base.count(inside), value, support, outside)


def _values(values: Iterable[Region], count: Count, disclosure: Disclosure) -> int:
    """Count the values that enough entities have: a value of few is not told apart from a value of none."""
    return sum(all(count(value, name) >= k for name, k in disclosure.entities.items()) for value in values)


def _with_dominance(found: Found, j: int, aggregate: Aggregate, base: BaseCells, disclosure: Disclosure) -> Found:
    """Look at the sums that no other rule withholds, all at once."""
    assert aggregate.column is not None
    held = [
        group
        for group in found.groups
        if not group_fault(group, disclosure) and not figure_fault(group, group.figures[j], aggregate, disclosure)
    ]
    asked = [found.regions[group.key].figures[j].inside for group in held]
    by = base.dominated(asked, aggregate.column, disclosure.dominance)
    heavy = {group.key: names for group, names in zip(held, by, strict=True)}
    return replace(found, groups=[_dominated(group, j, heavy.get(group.key, ())) for group in found.groups])


def _dominated(group: Group, j: int, heavy: Collection[str]) -> Group:
    figures = [replace(each, dominated=heavy) if i == j else each for i, each in enumerate(group.figures)]
    return replace(group, figures=tuple(figures))


def _effects(
    regions: Mapping[Key, GroupRegions], dropped: Sequence[Region], base: BaseCells
) -> Iterator[Mapping[str, int]]:
    """Yield for each atom the entities with rows that it alone leaves out, and those of them that are nowhere else."""
    if not dropped:
        return
    kept = Region.union(Region(), *(region.whole for region in regions.values()))
    reached = {entity: base.entities_in(kept, entity) for entity in base.members}
    for region in dropped:
        left_out = {entity: base.entities_in(region, entity) for entity in base.members}
        yield {entity: len(each) for entity, each in left_out.items()}
        yield {entity: len(each - reached[entity]) for entity, each in left_out.items()}


def _effects_of_pair(unmatched: pa.Table | None) -> Iterator[Mapping[str, int]]:
    """Yield for each side and type the entities with rows that the join leaves out, and those it leaves with none."""
    for row in unmatched.to_pylist() if unmatched is not None else ():
        yield {row["entity"]: row["left_out"]}
        yield {row["entity"]: row["gone"]}


def _counting(base: BaseCells) -> Count:
    """Count each region once: most figures of a group are made of the same cells."""

    @cache
    def count(region: Region, entity: str) -> int:
        return len(base.entities_in(region, entity))

    return count


def _read(answer: pa.Table, block: Block, base: BaseCells) -> tuple[Mapping[Key, GroupRegions], Sequence[Region]]:
    regions: dict[Key, GroupRegions] = {}
    dropped: Sequence[Region] = ()
    for row in _rows(answer):
        if row["dropped"] is not None:
            dropped = [_region(cells or ()) for cells in row["dropped"]]
        else:
            key = tuple(row[f"k{i}"] for i in range(len(block.groupings)))
            figures = tuple(_figure_regions(row, j, each, base) for j, each in enumerate(block.aggregates))
            regions[key] = GroupRegions(_region(row["region"]), figures)
    return regions, dropped


def _rows(answer: pa.Table) -> Iterator[Mapping[str, Any]]:
    """Yield rows as `to_pylist` has them, but lists of cells as arrays: there may be a hundred thousand in one."""
    columns = [_arrays(column) if _holds_cells(column.type) else column.to_pylist() for column in answer.columns]
    return (dict(zip(answer.column_names, row, strict=True)) for row in zip(*columns, strict=True))


def _holds_cells(type_: pa.DataType) -> bool:
    return bool(pa.types.is_list(type_) and pa.types.is_integer(type_.value_type))


def _arrays(column: pa.ChunkedArray) -> Sequence[Numbers]:
    """Return each list, NULL as an empty one."""
    lists = column.combine_chunks()
    ends = np.cumsum(np.diff(lists.offsets.to_numpy()) * lists.is_valid().to_numpy(zero_copy_only=False))
    return np.split(lists.flatten().to_numpy(), ends[:-1])[: len(lists)]


def _figure_regions(row: Mapping[str, Any], j: int, aggregate: Aggregate, base: BaseCells) -> FigureRegions:
    cells, column = row[f"r{j}"], aggregate.column
    told = row.get(f"w{j}", cells[:0])  # from 1, in order, so that the cells of one value stand together
    starts = np.flatnonzero(np.diff(told, prepend=0))
    parts = zip(told[starts].tolist(), np.split(cells, starts)[1:], strict=True)
    held = _region(cells)
    inside = _region(base.having(held, column)) if column and column in base.counts else held
    return FigureRegions(inside, held, _region(row[f"o{j}"]), {value: _region(part) for value, part in parts})


def _region(cells: Sequence[int] | Numbers) -> Region:
    return Region(bitmap_of(np.asarray(cells, dtype=np.uint32)))
