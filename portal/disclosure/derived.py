"""Cells that follow once one more is released: combinations of released cells that are zero or one everywhere.

There may be as many as there are subsets, so they are looked for around what is new, in the reduced basis: all sums of
a few of its rows, else those of one or two. The union of a cell that follows now and one that followed before is left
out: where neither is dominated, it is not either (as long as no amounts cancel out).
"""

import itertools
from functools import cache

import numpy as np

from portal.disclosure.span import PRIME, Mask, Places, Space, Step, Vector

FEW_ROWS = 7
"""Rows of which all sums are looked at."""
MANY_ROWS = 12
"""Rows of which, where there are more than a few, sums of one or two are looked at."""


def derived_cells(step: Step, space: Space) -> Mask:
    """Return cells that follow with the step and do not without it, the smallest first."""
    chosen = _around(step, space)
    new_part = space.rows[chosen, step.pivot].astype(np.int64)
    rows = np.concatenate([step.row[None], (space.rows[chosen] - new_part[:, None] * step.row) % PRIME])
    columns = np.flatnonzero(rows.any(axis=0))
    sums = _sums(len(rows))
    # Before, a row was known only together with this much of what is new.
    sums = sums[sums @ np.concatenate([[-1], new_part]) % PRIME != 0]
    vectors = sums @ rows[:, columns] % PRIME
    found = _smallest(vectors[(vectors <= 1).all(axis=1)].astype(np.bool_))
    cells = np.zeros((len(found), rows.shape[1]), dtype=np.bool_)
    cells[:, columns] = found
    return cells


def _around(step: Step, space: Space) -> Places:
    """Return the rows that have something in common with what is new, directly or through others."""
    chosen: Places = np.zeros(0, dtype=np.intp)
    [columns] = step.row.nonzero()
    while True:
        more = np.setdiff1d(space.using(columns), chosen)
        chosen = np.concatenate([chosen, more])
        if not len(more) or len(chosen) >= MANY_ROWS:
            break
        [columns] = (space.rows[more] != 0).any(axis=0).nonzero()
    return chosen[: MANY_ROWS - 1]


def _smallest(cells: Mask) -> Mask:
    """Leave out each cell that holds another."""
    cells = cells[np.argsort(cells.sum(axis=1), kind="stable")]
    kept: list[Mask] = []
    for cell in cells:
        if not any((other <= cell).all() for other in kept):
            kept.append(cell)
    return np.array(kept, dtype=np.bool_).reshape(len(kept), cells.shape[1])


@cache
def _sums(rows: int) -> Vector:
    """Return which rows to add up, a line for each sum."""
    if rows <= FEW_ROWS:
        return np.array(list(itertools.product((0, 1), repeat=rows))[1:], dtype=np.int64)
    chosen = [*itertools.combinations(range(rows), 1), *itertools.combinations(range(rows), 2)]
    sums = np.zeros((len(chosen), rows), dtype=np.int64)
    for line, each in enumerate(chosen):
        sums[line, list(each)] = 1
    return sums
