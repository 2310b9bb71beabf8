"""What follows by adding and subtracting: the row space of released cells, exactly, over a finite field.

Vectors of zeros and ones over columns. Working modulo a prime near 2**31 is exact but for a coincidence that would need
a minor of the matrix to be a multiple of the prime; products stay below 2**62, sums of rows below 2**63.
"""

import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PRIME = 2**31 - 1
Vector = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]
"""Vectors at rest: what is below the prime takes half the memory."""
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Step:
    """What one more vector makes known: a new `row`, zero but in the columns `places`, of which the first is its pivot.

    The rows `hit` become simpler: in these columns they are `changed`.
    """

    row: Vector
    places: Places
    hit: Places
    changed: Rows

    @property
    def pivot(self) -> int:
        """The column that the row is cleared from all others by."""
        return int(self.places[0])


class Space:
    """A space by its reduced echelon basis, which grows in place.

    A column in `known` follows by itself: its unit vector is in the basis, and so it is zero in every other row. Row i
    of the others has 1 at `pivots[i]`, its first column that is not zero, where every other row has 0. Cells that have
    nothing in common thus cost no arithmetic at all.
    """

    def __init__(self, columns: int) -> None:
        self.known: Mask = np.zeros(columns, dtype=np.bool_)
        self.pivots = np.zeros(0, dtype=np.intp)
        self._rows: Rows = np.zeros((8, columns), dtype=np.int32)
        self._pattern: Mask = np.zeros((8, columns), dtype=np.bool_, order="F")

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
    def rows(self) -> Rows:
        """The basis but for the unit vectors of known columns."""
        return self._rows[: len(self.pivots)]

    def copy(self) -> "Space":
        """Return a space that grows on its own."""
        return copy.deepcopy(self)

    def using(self, columns: Places) -> Places:
        """Return the rows that are not zero in all of some columns."""
        return np.flatnonzero(self._pattern[: len(self.pivots), columns].any(axis=1))

    @property
    def dimension(self) -> int:
        """How many independent vectors the space has."""
        return len(self.pivots) + int(self.known.sum())

    def remainder(self, vector: Mask) -> Vector:
        """Return what the space does not explain of a vector: all zero exactly where it follows from the space."""
        rest = (vector & ~self.known).astype(np.int64)
        on = rest[self.pivots] != 0
        return (rest - self.rows[on].sum(axis=0, dtype=np.int64)) % PRIME if on.any() else rest

    def step(self, vector: Mask) -> Step | None:
        """Return what the vector would make known, None where it follows already."""
        rest = self.remainder(vector)
        [places] = rest.nonzero()
        if not len(places):
            return None
        pivot = int(places[0])
        row = rest if rest[pivot] == 1 else rest * pow(int(rest[pivot]), -1, PRIME) % PRIME
        hit = self.using(places[:1])
        changed = (self._rows[hit[:, None], places] - self._rows[hit, pivot, None] * row[places]) % PRIME
        return Step(row, places, hit, changed.astype(np.int32))

    def take(self, step: Step) -> None:
        """Grow by a step that was made from this very space."""
        size = len(self.pivots)
        if size == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
            self._pattern = np.asfortranarray(np.concatenate([self._pattern, np.zeros_like(self._pattern)]))
        self.pivots = np.append(self.pivots, step.pivot)
        self._rows[size] = step.row
        self._pattern[size, step.places] = True
        self._rows[step.hit[:, None], step.places] = step.changed
        self._pattern[step.hit[:, None], step.places] = step.changed != 0
        touched = np.append(step.hit, size)
        for row in touched[np.count_nonzero(self._rows[touched], axis=1) == 1][::-1]:
            self._forget(row)

    def _forget(self, row: int) -> None:
        """Take a unit vector out of the rows; the last row takes its place."""
        self.known[self.pivots[row]] = True
        last = len(self.pivots) - 1
        self._rows[row], self._pattern[row] = self._rows[last], self._pattern[last]
        self._pattern[last] = False
        self.pivots[row] = self.pivots[last]
        self.pivots = self.pivots[:last]


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
