"""How a policy says what statistics may be asked, and how the person reads it."""

from typing import Any

import pytest
from pydantic import ValidationError
from support.aggregates import a_disclosure
from support.factories import a_policy, a_request, a_rule

from portal.policy.decide import decide
from portal.policy.explain import explain, use_in_words
from portal.policy.model import DimensionUse, is_round_step

USES: list[tuple[Any, str]] = [
    ("equal", "x"),
    ({"equal": True}, "x"),
    ({"range": "month"}, "x (by month)"),
    ({"range": 1}, "x (in steps of 1)"),
    ({"range": 500}, "x (in steps of 500)"),
    ({"prefix": 1}, "x (by its first 1 character)"),
    ({"prefix": 3}, "x (by its first 3 characters)"),
]
NO_USES: list[Any] = [
    *("range", "prefix", "any", {}, {"step": 10}, {"equal": True, "range": "day"}, {"range": 10, "prefix": 2}),
    *({"equal": value} for value in (False, None)),
    *({"range": value} for value in (None, "hour", "10", True, 0, -10, 30, 25, 0.1, 10.0, 10**13)),
    *({"prefix": value} for value in (None, 0, -1, True, 2.0, "2", 65)),
]


@pytest.mark.parametrize(("written", "words"), USES)
def test_a_dimension_has_one_use_and_it_is_said_in_words(written: Any, words: str) -> None:
    use = DimensionUse.model_validate(written)
    assert use_in_words("x", use) == words
    assert DimensionUse.model_validate(use.model_dump(exclude_none=True)) == use


@pytest.mark.parametrize("written", NO_USES)
def test_a_use_that_is_none_is_a_fault(written: Any) -> None:
    with pytest.raises(ValidationError):
        DimensionUse.model_validate(written)


def test_a_step_is_one_two_or_five_times_a_power_of_ten() -> None:
    assert [n for n in range(-5, 1001) if is_round_step(n)] == [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]


@pytest.mark.parametrize(
    "changes",
    [
        {"public_joins": {"campaign_date": "days.day"}},
        {"public_joins": {"advertiser_id": "advertisers.id"}},
        {"public_joins": {"spend_eur": "prices.price"}},
        {"public_joins": {"nothing": "dim_country.code"}},
        {"public_joins": {"country": "dim_country"}},
        {"public_joins": {"country": "main.dim_country.code"}},
        {"public_joins": {"country": 'dim_country.code"'}},
        {"entity_joins": {"country": "moderation.country"}},
        {"entity_joins": {"advertiser_id": "moderation"}},
        {"dimensions": {"country": {"prefix": 2}}},
        {"dimensions": {"country": {"range": 10}}},
    ],
)
def test_a_join_is_by_values_that_are_told_apart_or_by_an_entity(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="_joins"):
        a_disclosure(**changes)


def test_joins_and_grids_are_told_to_the_person() -> None:
    disclosure = {
        "entities": {"id": 10},
        "dimensions": {"country": "equal", "price": {"range": 10}, "day": {"range": "week"}},
        "public_joins": {"country": "dim_country.code"},
        "entity_joins": {"id": "returns.sale"},
    }
    rule = a_rule(access="aggregates", disclosure=disclosure)
    sentences = explain(decide(a_request(policy=a_policy(rule))))
    assert "Group and filter by: country, price (in steps of 10), day (by week)." in sentences
    assert "Join on: country = dim_country.code, id = returns.sale." in sentences
