"""Base cells made by hand, in memory, by the builder that makes those of releases."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from portal.disclosure.base import LARGEST, BaseCells, open_base_cells
from portal.disclosure.summary import Columns, summarise

Member = tuple[str, int, Mapping[str, float | None]]
"""A cell's name, an entity's number, and what it adds to each measure; None where it has no value."""


@contextmanager
def some_base_cells(
    members: Mapping[str, Sequence[Member]], measures: Sequence[str], *, largest: int = LARGEST, row_group: int = 64
) -> Iterator[BaseCells]:
    """Open base cells of some members by entity type; names are JSON, and every type is in every cell."""
    with tempfile.TemporaryDirectory() as folder:
        summary, files = write_base_cells(Path(folder), members, measures, largest=largest, row_group=row_group)
        with open_base_cells(summary, files) as base:
            yield base


def write_base_cells(
    folder: Path,
    members: Mapping[str, Sequence[Member]],
    measures: Sequence[str],
    *,
    largest: int = LARGEST,
    row_group: int = 64,
) -> tuple[Path, dict[str, Path]]:
    names = sorted({name for every in members.values() for name, _, _ in every})
    columns = Columns(tuple(measures), largest)
    files = {entity: folder / f"members-{entity}.parquet" for entity in members}
    for entity, path in files.items():
        pq.write_table(_members(members[entity], names, columns), path, row_group_size=row_group)
    pq.write_table(_cells(members, names, columns), folder / "cells.parquet")
    summarise(folder / "cells.parquet", files, columns, folder / "summary.parquet")
    return folder / "summary.parquet", files


def _members(members: Sequence[Member], names: Sequence[str], columns: Columns) -> pa.Table:
    ordered = sorted(members, key=lambda each: (each[0], each[1]))
    places = {name: i for i, name in enumerate(names)}
    sums = {f"#sum.{m}": pa.array([each[2].get(m) for each in ordered], pa.float64()) for m in columns.measures}
    return pa.table(
        {
            "#cell": pa.array([places[each[0]] for each in ordered], pa.uint32()),
            "#entity": pa.array([each[1] for each in ordered], pa.uint32()),
            **sums,
        }
    )


def _cells(members: Mapping[str, Sequence[Member]], names: Sequence[str], columns: Columns) -> pa.Table:
    """Each member of the first type has one row; entity 0 of any type is in one row of its cell."""
    held: dict[str, list[Member]] = {name: [] for name in names}
    for each in next(iter(members.values())):
        held[each[0]].append(each)
    nobody = {entity: {name for name, number, _ in every if number == 0} for entity, every in members.items()}
    amounts = {m: [[x for each in held[name] if (x := each[2].get(m)) is not None] for name in names]
               for m in columns.measures}  # fmt: skip
    counts = {m: [len(x) for x in each] for m, each in amounts.items()}
    counts |= {e: [len(held[name]) - (name in cells) for name in names] for e, cells in nobody.items()}
    dimensions = {key: [json.loads(name)[key] for name in names] for key in json.loads(names[0])} if names else {}
    return pa.table(
        {
            "#position": pa.array(range(len(names)), pa.int64()),
            "#name": pa.array(names, pa.string()),
            **dimensions,
            "#rows": [len(held[name]) for name in names],
            **{f"#count.{c}": each for c, each in counts.items()},
            **{f"#sum.{m}": [float(sum(x)) for x in amounts[m]] for m in columns.measures},
        }
    )
