"""What may be done with a column, said in a few words, for every use that a dimension can have."""

from typing import Any

import pytest

from portal.policy.model import DimensionUse
from portal.policy.uses import filtering_in_words, grouping_in_words


@pytest.mark.parametrize(
    ("written", "group", "condition"),
    [
        ("equal", "by value", "=, IN, IS NULL"),
        ({"range": "month"}, "by month or coarser", ">= and < on the first day of a month, IS NULL"),
        ({"range": 10}, "by steps of 10 or coarser", ">= and < on multiples of 10, IS NULL"),
        ({"prefix": 3}, "by its first 3 characters or fewer", "= and IN on its first characters, IS NULL"),
    ],
)
def test_each_use_has_its_words(written: Any, group: str, condition: str) -> None:
    use = DimensionUse.model_validate(written)
    assert (grouping_in_words(use), filtering_in_words(use)) == (group, condition)
