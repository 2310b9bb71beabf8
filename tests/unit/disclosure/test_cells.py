"""The rules of one cell."""

import math

import pytest
from support.aggregates import a_disclosure

from portal.disclosure.cells import (
    Contributions,
    Figure,
    Group,
    effect_fault,
    figure_fault,
    group_fault,
    is_dominated,
    is_spread,
)
from portal.policy.model import Dominance
from portal.sql.blocks import Aggregate, Atom

TWO = a_disclosure(entities={"advertiser_id": 10, "user_id": 20})
FILTERED = Aggregate("n", "count_rows", None, (Atom("country", "=", ("FR",)),))
PLAIN = Aggregate("n", "count_rows", None, ())


def a_figure(support: int = 30, outside: int = 0, users: int = 30) -> Figure:
    return Figure(99, None, {"advertiser_id": support, "user_id": users}, {"advertiser_id": outside, "user_id": 0})


def a_group(advertisers: int = 30, users: int = 30) -> Group:
    return Group((), {"advertiser_id": advertisers, "user_id": users}, ())


@pytest.mark.parametrize(("advertisers", "users", "withheld"), [(10, 20, False), (9, 20, True), (10, 19, True)])
def test_a_group_holds_the_threshold_of_every_entity(advertisers: int, users: int, withheld: bool) -> None:  # noqa: FBT001
    assert (group_fault(a_group(advertisers, users), TWO) is not None) is withheld


def test_a_figure_needs_support_of_every_entity() -> None:
    assert figure_fault(a_group(), a_figure(support=9), PLAIN, TWO) == "support: advertiser_id"
    assert figure_fault(a_group(), a_figure(users=19), PLAIN, TWO) == "support: user_id"
    assert figure_fault(a_group(), a_figure(), PLAIN, TWO) is None


@pytest.mark.parametrize("outside", [1, 9])
def test_a_filter_may_not_leave_out_a_few(outside: int) -> None:
    assert figure_fault(a_group(), a_figure(outside=outside), FILTERED, TWO) == "complement: advertiser_id"
    assert figure_fault(a_group(30), a_figure(support=30 - outside, outside=30), FILTERED, TWO) == (
        "complement: advertiser_id"
    )


@pytest.mark.parametrize("outside", [0, 10])
def test_a_filter_may_leave_out_none_or_enough(outside: int) -> None:
    assert figure_fault(a_group(), a_figure(outside=outside), FILTERED, TWO) is None


def test_a_condition_may_not_set_a_few_apart() -> None:
    none = {"advertiser_id": 0, "user_id": 0}
    assert effect_fault([{"advertiser_id": 0, "user_id": 20}, none], TWO) is None
    assert effect_fault([{"advertiser_id": 0, "user_id": 19}, none], TWO) is not None
    assert effect_fault([{"advertiser_id": 40, "user_id": 40}, {"advertiser_id": 9, "user_id": 0}], TWO) is not None


@pytest.mark.parametrize(
    ("total", "largest", "dominated"),
    [
        (100.0, (50.0, 45.0), True),
        (100.0, (50.0, 40.0), False),
        (100.0, (40.0, 51.0), True),
        (0.0, (0.0, 0.0), False),
        (7.0, (7.0,), True),
        (0.0, (), False),
        (math.inf, (math.inf, 1.0), True),
        (math.nan, (1.0, 1.0), True),
    ],
)
def test_dominance(total: float, largest: tuple[float, ...], dominated: bool) -> None:  # noqa: FBT001
    assert is_dominated(Contributions(total, largest), Dominance()) is dominated


def test_each_dominance_rule_speaks_alone() -> None:
    three = Contributions(103.0, (60.0, 40.0, 3.0))
    assert is_dominated(three, Dominance(p=0.10, share=1.0))
    assert not is_dominated(three, Dominance(p=0.04, share=1.0))
    assert is_dominated(three, Dominance(p=0.04, share=0.97))
    assert not is_dominated(three, Dominance(p=0.04, share=0.98))


def test_a_sum_that_errors_of_adding_up_could_have_made_is_not_certified() -> None:
    """What is left of amounts that cancel out may be off by a share of the amounts themselves."""
    assert is_spread(10.0, 10.0, (1.0, 1.0), Dominance())
    assert not is_spread(10.0, 1e12, (1.0, 1.0), Dominance())
