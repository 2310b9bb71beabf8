"""Marginals: all base cells with one value for each of some dimensions."""

import itertools
from collections.abc import Sequence

import numpy as np

from portal.disclosure.parts import Cells
from portal.disclosure.span import Mask

MAX_MARGINALS = 500
"""Marginals that are looked at for dominance, coarsest first."""


def marginals(values: Cells, regions: Sequence[tuple[int, ...]], full: Mask) -> Mask:
    """Return the marginals that are unions of regions, each as a mask over these.

    `values` has a row for each base cell, with the number of its value in each dimension. A base cell that is not
    `full` holds nobody, so it does not matter whether it is in.
    """
    part = np.full(len(values), len(regions))
    for p, region in enumerate(regions):
        part[list(region)] = p
    values, part = values[full], part[full]
    # Cells that are in no region are in one more, of which no marginal can hold all.
    lengths = np.bincount(part, minlength=len(regions) + 1)
    lengths[-1] += 1
    found: dict[bytes, Mask] = {}
    numbered: dict[tuple[int, ...], Cells] = {(): np.zeros(len(values), dtype=np.int64)}
    telling = [d for d in range(values.shape[1]) if values[:, d].any()]
    for size in range(1, len(telling) + 1):
        for chosen in itertools.combinations(telling, size):
            numbered[chosen] = _numbered(numbered[chosen[:-1]], values[:, chosen[-1]])
            for mask in _unions(numbered[chosen], part, lengths):
                found[mask.tobytes()] = mask
                if len(found) >= MAX_MARGINALS:
                    return np.array(list(found.values()))
    return np.array(list(found.values()), dtype=np.bool_).reshape(len(found), len(regions))


def _unions(group: Cells, part: Cells, lengths: Cells) -> list[Mask]:
    """Return, of the groups of cells, those that hold every part of which they hold a cell."""
    pairs, counts = np.unique(group * len(lengths) + part, return_counts=True)
    of, touched = np.divmod(pairs, len(lengths))
    broken = np.zeros(int(group.max(initial=-1)) + 1, dtype=np.bool_)
    broken[of[counts < lengths[touched]]] = True
    whole = ~broken[of]
    _, row = np.unique(of[whole], return_inverse=True)
    masks = np.zeros((int(row.max(initial=-1)) + 1, len(lengths) - 1), dtype=np.bool_)
    masks[row, touched[whole]] = True
    return list(masks)


def _numbered(group: Cells, column: Cells) -> Cells:
    """Number groups that are told apart by one more column."""
    finer: Cells = np.unique(group * (int(column.max(initial=0)) + 1) + column, return_inverse=True)[1]
    return finer
