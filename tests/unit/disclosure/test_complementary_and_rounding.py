"""Complementary suppression and rounding."""

from collections.abc import Collection, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.disclosure.cells import Key
from portal.disclosure.complementary import with_complement
from portal.disclosure.rounding import average, round_to

SIZES = {("a",): 3, ("b",): 6, ("c",): 12, ("d",): 40}
K = {"e": 10}


def _disjoint(keys: Collection[Key]) -> Mapping[str, int]:
    return {"e": sum(SIZES[key] for key in keys)}


def _same_six(keys: Collection[Key]) -> Mapping[str, int]:
    return {"e": max(SIZES[key] for key in keys)}


def test_nothing_withheld_needs_no_complement() -> None:
    assert with_complement(set(), SIZES, _disjoint, K) == frozenset()


def test_a_lone_group_takes_the_smallest_with_it_until_together_they_are_enough() -> None:
    assert with_complement({("a",)}, SIZES, _disjoint, K) == {("a",), ("b",), ("c",)}
    assert with_complement({("c",)}, SIZES, _disjoint, K) == {("c",), ("a",)}


def test_entities_are_counted_together_and_not_added_up() -> None:
    assert with_complement({("a",), ("b",)}, SIZES, _same_six, K) == {("a",), ("b",), ("c",)}


def test_where_all_are_too_few_all_are_withheld() -> None:
    assert with_complement({("a",)}, {("a",): 3, ("b",): 6}, _disjoint, {"e": 99}) == {("a",), ("b",)}


@pytest.mark.parametrize(
    ("value", "base", "rounded"),
    [(7, 5, 5), (7.5, 5, 10), (-7, 5, -5), (0.15, 0.1, 0.2), (12.345, 0.01, 12.35), (0, 5, 0)],
)
def test_rounding_is_to_the_nearest_multiple(value: float, base: float, rounded: float) -> None:
    assert round_to(value, base) == rounded


@given(st.floats(-1e12, 1e12), st.sampled_from([1, 5, 100, 0.1, 0.25]))
def test_rounding_moves_by_half_a_base_at_most_and_is_stable(value: float, base: float) -> None:
    rounded = round_to(value, base)
    assert abs(rounded - value) <= base / 2 + abs(value) * 1e-15 + 1e-12
    assert round_to(rounded, base) == rounded


def test_an_average_follows_from_what_is_shown() -> None:
    assert average(1000, 15) == 66.67
    assert average(0, 0) is None
