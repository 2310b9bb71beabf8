"""The row space of released cells."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from portal.disclosure.span import PRIME, Mask, Space

matrices = st.integers(1, 6).flatmap(
    lambda width: st.lists(st.lists(st.booleans(), min_size=width, max_size=width), min_size=1, max_size=7)
)


def _space(matrix: Mask) -> Space:
    space = Space(matrix.shape[1])
    for row in matrix:
        step = space.step(row)
        if step is not None:
            space.take(step)
    return space


def _basis(space: Space) -> set[tuple[int, ...]]:
    units = np.eye(len(space.known), dtype=np.int64)[space.known]
    return {tuple(row) for row in [*space.rows.tolist(), *units.tolist()]}


@given(matrices)
def test_the_space_holds_just_what_follows_from_its_vectors(rows: list[list[bool]]) -> None:
    matrix = np.array(rows)
    exact, space = matrix.astype(float), _space(matrix)
    rank = np.linalg.matrix_rank(exact)
    assert space.dimension == rank
    for one in np.eye(len(rows[0]), dtype=np.bool_):
        follows = np.linalg.matrix_rank(np.vstack([exact, one])) == rank
        assert (space.step(one) is None) == follows
        assert (not space.remainder(one).any()) == follows


@given(matrices)
def test_the_basis_is_reduced_and_the_same_in_whatever_order_vectors_come(rows: list[list[bool]]) -> None:
    matrix = np.array(rows)
    space = _space(matrix)
    assert _basis(space) == _basis(Space.of(matrix)) == _basis(_space(matrix[::-1]))
    assert not space.rows[:, space.known].any()
    for i, pivot in enumerate(space.pivots):
        assert not space.rows[i, :pivot].any()
        assert space.rows[:, pivot].tolist() == [int(j == i) for j in range(len(space.pivots))]
        assert np.count_nonzero(space.rows[i]) > 1


@given(matrices, st.data())
def test_a_step_says_before_it_is_taken_what_becomes_known(rows: list[list[bool]], data: st.DataObject) -> None:
    matrix = np.array(rows)
    space = _space(matrix)
    before = _basis(space)
    vector = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows[0]), max_size=len(rows[0]))))
    step = space.step(vector)
    assert _basis(space) == before
    if step is not None:
        kept = space.copy()
        space.take(step)
        assert tuple(step.row.tolist()) in _basis(space) - before
        assert len(_basis(space) - before) == 1 + len(step.hit)
        assert _basis(kept) == before
        assert space.step(vector) is None


def test_arithmetic_stays_in_the_field() -> None:
    matrix = np.array([[1, 1, 0, 1], [0, 1, 1, 1], [1, 0, 1, 1]], dtype=np.bool_)
    rows = _space(matrix).rows.astype(np.int64)
    assert (rows >= 0).all()
    assert (rows < PRIME).all()
    # a + b + c = 2 (x1 + x2 + x3) + 3 x4: halves, which no integer is.
    assert ((rows[:, 3] * 2) % PRIME).tolist() == [1, 1, 1]
