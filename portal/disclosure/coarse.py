"""Marginals: one value for each of up to two dimensions. With their entities at hand, a union of many cells is short.

A union may be made of any sets that lie within it and together cover it, so marginals of different dimensions may
overlap. They only save time: without them every answer is the same.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Numbers = npt.NDArray[np.int64]
MAX_MARGINALS = 2_000
"""Marginals of a release, coarsest first; their bitmaps are all in memory while they are made."""
CELLS_EACH = 4
"""Cells that marginals of some dimensions must hold on average to be worth keeping."""
FEW_CELLS = 16
"""Cells whose union is made of themselves."""


@dataclass(frozen=True, slots=True)
class Marginals:
    """For each choice of dimensions the marginal that a cell is in; `sizes` are the cells of each marginal."""

    of: tuple[Numbers, ...]
    sizes: Numbers

    def cover(self, cells: Numbers) -> tuple[Numbers, Numbers]:
        """Return the marginals that lie within some cells, as far as they cover more, and the cells that are left."""
        found = [np.empty(0, dtype=np.int64)]
        for of in self.of:
            if len(cells) <= FEW_CELLS:
                break
            mine = of[cells]
            whole = np.bincount(mine, minlength=len(self.sizes)) == self.sizes
            found.append(np.flatnonzero(whole))
            cells = cells[~whole[mine]]
        return np.concatenate(found), cells


def values_of(dimensions: pa.Table) -> Numbers:
    """Number the values of each dimension; a row for each cell, as it has them."""
    codes = [_codes(column) for column in dimensions.columns]
    return np.array(codes, dtype=np.int64).reshape(len(codes), dimensions.num_rows).T


def marginals_of(dimensions: pa.Table) -> Marginals:
    """Number the marginals of cells, given by their dimensions, one row each."""
    codes = values_of(dimensions).T
    of: list[Numbers] = []
    number = 0
    for chosen in itertools.chain.from_iterable(itertools.combinations(codes, size) for size in range(3)):
        values, mine = _apart(chosen, dimensions.num_rows)
        if values * CELLS_EACH <= dimensions.num_rows and number + values <= MAX_MARGINALS:
            of.append(mine + number)
            number += values
    return read_marginals(of)


def read_marginals(of: Sequence[Numbers]) -> Marginals:
    """Return marginals by what each cell is in."""
    return Marginals(tuple(of), np.bincount(np.concatenate([*of, np.empty(0, dtype=np.int64)])))


def _codes(column: pa.ChunkedArray) -> Numbers:
    encoded = pc.dictionary_encode(column.combine_chunks(), null_encoding="encode")
    codes: Numbers = encoded.indices.to_numpy().astype(np.int64)
    return codes


def _apart(chosen: Sequence[Numbers], cells: int) -> tuple[int, Numbers]:
    """Number the combinations of values."""
    if not chosen:
        return 1, np.zeros(cells, dtype=np.int64)
    values, mine = np.unique(np.stack(chosen), axis=1, return_inverse=True)
    return values.shape[1], mine.ravel()
