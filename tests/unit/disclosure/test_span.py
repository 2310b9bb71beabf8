"""The row space of released cells."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from portal.disclosure.span import Space

matrices = st.integers(1, 6).flatmap(
    lambda width: st.lists(st.lists(st.integers(0, 1), min_size=width, max_size=width), min_size=1, max_size=7)
)


def _space(matrix: list[list[int]]) -> Space:
    space = Space.empty(len(matrix[0]))
    for row in matrix:
        space = space.with_vector(np.array(row, dtype=np.int64))
    return space


@given(matrices)
def test_the_space_holds_just_what_follows_from_its_vectors(matrix: list[list[int]]) -> None:
    space = _space(matrix)
    exact = np.array(matrix, dtype=float)
    assert len(space.pivots) == np.linalg.matrix_rank(exact)
    for one in np.eye(len(matrix[0]), dtype=np.int64):
        follows = np.linalg.matrix_rank(np.vstack([exact, one])) == np.linalg.matrix_rank(exact)
        assert space.holds(one) == follows


@given(matrices, st.data())
def test_the_dimension_within_some_columns_is_that_of_the_kernel_outside(
    matrix: list[list[int]], data: st.DataObject
) -> None:
    inside = np.array(data.draw(st.lists(st.booleans(), min_size=len(matrix[0]), max_size=len(matrix[0]))), dtype=bool)
    exact = np.array(matrix, dtype=float)
    outside = exact[:, ~inside]
    rank_outside = np.linalg.matrix_rank(outside) if outside.size else 0
    assert _space(matrix).dimension_within(inside) == np.linalg.matrix_rank(exact) - rank_outside


def test_a_vector_that_follows_adds_nothing() -> None:
    space = _space([[1, 1, 0], [0, 1, 1]])
    assert space.with_vector(np.array([1, 2, 1], dtype=np.int64)) is space
