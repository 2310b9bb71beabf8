"""What follows by adding and subtracting: the row space of released cells, exactly, over a finite field.

Vectors of zeros and ones over columns. Working modulo a prime near 2**31 is exact but for a coincidence that would need
a minor of the matrix to be a multiple of the prime; products stay below 2**62, sums of rows below 2**63.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PRIME = 2**31 - 1
Vector = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Step:
    """What one more vector makes known: a new `row`, and in place of the rows `hit` simpler ones, `changed`."""

    pivot: int
    row: Vector
    hit: npt.NDArray[np.intp]
    changed: Vector

    def rows(self) -> Iterator[Vector]:
        """Yield all that was not known before."""
        yield self.row
        yield from self.changed


class Space:
    """A space by its reduced echelon basis, which grows in place.

    A column in `known` follows by itself: its unit vector is in the basis, and so it is zero in every other row. Row i
    of the others has 1 at `pivots[i]`, its first column that is not zero, where every other row has 0. Cells that have
    nothing in common thus cost no arithmetic at all.
    """

    def __init__(self, columns: int) -> None:
        self.known: Mask = np.zeros(columns, dtype=np.bool_)
        self.pivots = np.zeros(0, dtype=np.intp)
        self._rows: Vector = np.zeros((8, columns), dtype=np.int64)

    @classmethod
    def of(cls, vectors: Mask) -> "Space":
        """Return the space of the rows of a matrix."""
        space = cls(vectors.shape[1])
        space.known = _peeled(vectors)
        rest = np.unique(np.packbits(vectors & ~space.known, axis=1), axis=0)
        rest = np.unpackbits(rest, axis=1, count=vectors.shape[1]).astype(np.bool_)
        for vector in rest[np.argsort(rest.sum(axis=1), kind="stable")]:
            step = space.step(vector)
            if step is not None:
                space.take(step)
        return space

    @property
    def rows(self) -> Vector:
        """The basis but for the unit vectors of known columns."""
        return self._rows[: len(self.pivots)]

    @property
    def dimension(self) -> int:
        """How many independent vectors the space has."""
        return len(self.pivots) + int(self.known.sum())

    def remainder(self, vector: Mask) -> Vector:
        """Return what the space does not explain of a vector: all zero exactly where it follows from the space."""
        rest = (vector & ~self.known).astype(np.int64)
        on = rest[self.pivots] != 0
        return (rest - self.rows[on].sum(axis=0)) % PRIME if on.any() else rest

    def step(self, vector: Mask) -> Step | None:
        """Return what the vector would make known, None where it follows already."""
        rest = self.remainder(vector)
        [places] = rest.nonzero()
        if not len(places):
            return None
        pivot = int(places[0])
        row = rest if rest[pivot] == 1 else rest * pow(int(rest[pivot]), -1, PRIME) % PRIME
        [hit] = self.rows[:, pivot].nonzero()
        changed = self.rows[hit]
        if len(hit):
            changed[:, places] = (changed[:, places] - changed[:, pivot, None] * row[places]) % PRIME
        return Step(pivot, row, hit, changed)

    def take(self, step: Step) -> None:
        """Grow by a step that was made from this very space."""
        size = len(self.pivots)
        if size == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[step.hit] = step.changed
        self._rows[size] = step.row
        self.pivots = np.append(self.pivots, step.pivot)
        touched = np.append(step.hit, size)
        single = touched[np.count_nonzero(self._rows[touched], axis=1) == 1]
        if len(single):
            self.known[self.pivots[single]] = True
            kept = np.delete(np.arange(size + 1), single)
            [moved] = (kept != np.arange(len(kept))).nonzero()
            self._rows[moved] = self._rows[kept[moved]]
            self.pivots = self.pivots[kept]


def _peeled(vectors: Mask) -> Mask:
    """Return the columns that become known one by one: some vector has no other column that is not yet known."""
    by_column = np.asfortranarray(vectors)
    rows, columns = vectors.nonzero()
    left = np.bincount(rows, minlength=len(vectors))
    column = np.bincount(rows, columns, len(vectors)).astype(np.int64)
    known = np.zeros(vectors.shape[1], dtype=np.bool_)
    queue = np.flatnonzero(left == 1).tolist()
    while queue:
        row = queue.pop()
        if left[row] != 1:
            continue
        # What is left of a row is one column, so the sum of what is left is its number.
        single = int(column[row])
        known[single] = True
        [hit] = by_column[:, single].nonzero()
        left[hit] -= 1
        column[hit] -= single
        queue.extend(hit[left[hit] == 1].tolist())
    return known
