"""Whether some combination of released cells tells of few entities only: an exact search, with a bound on its length.

All that one more cell makes derivable is `offset` plus any combination of `ways`, times a number. The search asks for
one of these whose parts hold fewer than `k` entities together. It decides part by part whether it may be in: a part
that would bring the entities to `k` must cancel out, and that takes one of the ways; so it ends soon where cells are
few or large. (In general this is the search for a word of least weight, which no quick method is known for.)
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from portal.disclosure.span import PRIME, Vector

MAX_STEPS = 400
"""Decisions of one search; past it nothing is known, and the cell is refused."""
Places = npt.NDArray[np.intp]


def tells_of_few(offset: Vector, ways: Vector, sets: Sequence[BitMap], k: int) -> bool | None:
    """Say whether `offset`, plus some combination of `ways`, tells of fewer than `k` entities; None = not found out.

    `sets[c]` are the entities of column c, at least one.
    """
    offset, ways, columns = _connected(offset, ways)
    entities = [sets[c] for c in columns]
    open_: list[tuple[Vector, Vector, BitMap, frozenset[int]]] = [(offset, ways, BitMap(), frozenset())]
    for _ in range(MAX_STEPS):
        if not open_:
            return False
        offset, ways, held, inside = open_.pop()
        live = np.flatnonzero((offset != 0) | ways.any(axis=0)).tolist()
        out = [c for c in live if c not in inside and held.union_cardinality(entities[c]) >= k]
        reduced = _without(offset, ways, out)
        if reduced is None:
            continue
        offset, ways = reduced
        support = np.flatnonzero(offset).tolist()
        if len(BitMap.union(*(entities[c] for c in support))) < k:
            return True
        if not len(ways):
            continue
        # The parts of `offset` hold k entities and those inside do not, so one of them brings some more.
        column = max(support, key=lambda c: held.union_cardinality(entities[c]))
        left_out = _without(offset, ways, [column])
        if left_out is not None:
            open_.append((*left_out, held, inside))
        open_.append((offset, ways, held | entities[column], inside | {column}))
    return None


def _connected(offset: Vector, ways: Vector) -> tuple[Vector, Vector, Places]:
    """Leave out the ways that have no column in common with the offset, not even through others; and empty columns."""
    reached, joined = offset != 0, np.zeros(len(ways), dtype=np.bool_)
    while True:
        more = (ways[:, reached] != 0).any(axis=1) & ~joined
        if not more.any():
            break
        joined |= more
        reached = reached | (ways[more] != 0).any(axis=0)
    columns = np.flatnonzero(reached)
    return offset[columns], ways[joined][:, columns], columns


def _without(offset: Vector, ways: Vector, columns: Sequence[int]) -> tuple[Vector, Vector] | None:
    """Return what of them is zero in the columns, None where there is nothing."""
    for column in columns:
        [using] = ways[:, column].nonzero()
        if len(using):
            way = ways[using[0]] * pow(int(ways[using[0], column]), -1, PRIME) % PRIME
            ways = np.delete(ways, using[0], axis=0)
            offset = (offset - offset[column] * way) % PRIME
            ways = (ways - ways[:, column, None] * way) % PRIME
        elif offset[column]:
            return None
    return offset, ways
