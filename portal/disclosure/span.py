"""What follows by adding and subtracting: the row space of released cells, exactly, over a finite field.

Vectors of zeros and ones over columns. Working modulo a prime near 2**31 is exact but for a coincidence that would need
a minor of the matrix to be a multiple of the prime; products stay below 2**62.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PRIME = 2**31 - 1
Vector = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Space:
    """A space by its reduced echelon basis: `rows[i]` has 1 at `pivots[i]`, where every other row has 0."""

    rows: Vector
    pivots: tuple[int, ...]

    @classmethod
    def empty(cls, columns: int) -> "Space":
        """Return the space of the zero vector only."""
        return cls(np.zeros((0, columns), dtype=np.int64), ())

    def remainder(self, vector: Vector) -> Vector:
        """Return what the space does not explain of a vector: all zero exactly where it follows from the space."""
        rest = vector % PRIME
        for row, pivot in zip(self.rows, self.pivots, strict=True):
            if rest[pivot]:
                rest = (rest - rest[pivot] * row) % PRIME
        return rest

    def holds(self, vector: Vector) -> bool:
        """Say whether the vector follows from the space."""
        return not self.remainder(vector).any()

    def with_vector(self, vector: Vector) -> "Space":
        """Return the space that this vector, too, is known in."""
        rest = self.remainder(vector)
        [places] = rest.nonzero()
        if not len(places):
            return self
        pivot = int(places[0])
        row = rest * pow(int(rest[pivot]), -1, PRIME) % PRIME
        cleared = (self.rows - self.rows[:, pivot : pivot + 1] * row) % PRIME
        return Space(np.vstack([cleared, row]), (*self.pivots, pivot))

    def dimension_within(self, inside: Mask) -> int:
        """Return how many independent vectors of the space vanish outside `inside`.

        Such a vector is a combination of those rows alone whose pivot is inside, since all others would show outside.
        """
        chosen = [i for i, pivot in enumerate(self.pivots) if inside[pivot]]
        return len(chosen) - _rank(self.rows[chosen][:, ~inside]) if chosen else 0


def _rank(matrix: Vector) -> int:
    space = Space.empty(matrix.shape[1])
    for row in matrix:
        space = space.with_vector(row)
    return len(space.pivots)
