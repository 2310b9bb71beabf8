"""Whether some combination of released cells tells of few entities only: an exact search, with a bound on its length.

All that one more cell makes derivable is `offset` plus any combination of `ways`, times a number. The search asks for
one of these whose parts hold fewer than `k` entities together. It decides part by part whether it may be in: a part
that would bring the entities to `k` must cancel out, and that takes one of the ways; so it ends soon where cells are
few or large. (In general this is the search for a word of least weight, which no quick method is known for.)
"""

from collections.abc import Sequence

import numpy as np
from pyroaring import BitMap

from portal.disclosure.span import PRIME, Places, Rows, Vector

MAX_STEPS = 400
"""Decisions of one search; past it nothing is known, and the cell is refused."""


def tells_of_few(offset: Vector, ways: Rows, sets: Sequence[BitMap], k: int) -> bool | None:
    """Say whether `offset`, plus some combination of `ways`, tells of fewer than `k` entities; None = not found out.

    `sets[c]` are the entities of column c, at least one.
    """
    start, all_ways, columns = _connected(offset, ways)
    entities = [sets[c] for c in columns]
    undecided: list[tuple[Vector, Vector, BitMap, frozenset[int]]] = [(start, all_ways, BitMap(), frozenset())]
    for _ in range(MAX_STEPS):
        if not undecided:
            return False
        now, among, held, inside = undecided.pop()
        live = np.flatnonzero((now != 0) | among.any(axis=0)).tolist()
        out = [c for c in live if c not in inside and held.union_cardinality(entities[c]) >= k]
        reduced = _without(now, among, out)
        if reduced is None:
            continue
        now, among = reduced
        support = np.flatnonzero(now).tolist()
        if len(BitMap.union(*(entities[c] for c in support))) < k:
            return True
        if not len(among):
            continue
        # The parts of `now` hold k entities and those inside do not, so one of them brings some more.
        column = max(support, key=lambda c: held.union_cardinality(entities[c]))
        left_out = _without(now, among, [column])
        if left_out is not None:
            undecided.append((*left_out, held, inside))
        undecided.append((now, among, held | entities[column], inside | {column}))
    return None


def _connected(offset: Vector, ways: Rows) -> tuple[Vector, Vector, Places]:
    """Leave out the ways that have no column in common with the offset, not even through others; and empty columns."""
    reached, joined = offset != 0, np.zeros(len(ways), dtype=np.bool_)
    while True:
        more = (ways[:, reached] != 0).any(axis=1) & ~joined
        if not more.any():
            break
        joined |= more
        reached = reached | (ways[more] != 0).any(axis=0)
    columns = np.flatnonzero(reached)
    return offset[columns], ways[joined][:, columns].astype(np.int64), columns


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
