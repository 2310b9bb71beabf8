"""k, l in three forms, and t, held against pycanon and against the definitions, on tables made by Hypothesis."""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycanon import anonymity
from pycanon.anonymity import _l_diversity
from support.risk import COLUMNS, Row, a_dataset, classes_of

from portal.publishing.risk.diversity import Diversity, measure_diversity

QUASI, SENSITIVE = ["region", "age"], ["illness", "income"]
MISSING = "(none)"
REGIONS, AGES = st.sampled_from(["north", "south", MISSING]), st.sampled_from([20, 30])
ILLNESSES, INCOMES = st.sampled_from(["flu", "cold", "gout", "none"]), st.sampled_from([1, 2, 5, 7, 9])
PEOPLE = st.sampled_from(["ada", "ben", "cyd", "dan"])
TABLES = st.lists(st.tuples(REGIONS, AGES, ILLNESSES, INCOMES, PEOPLE), min_size=1, max_size=40)


def measured(rows: Sequence[Row], *, entity: bool = False) -> tuple[int, Mapping[str, Diversity]]:
    """Return k and both columns' measures, with the word for what is missing written as NULL."""
    nulled = [(None if region == MISSING else region, *rest) for region, *rest in rows]
    with classes_of(nulled, a_dataset(entities=["person"] if entity else [])) as classes:
        return classes.sizes[0].units, {column: measure_diversity(classes, column) for column in SENSITIVE}


def frame(rows: Sequence[Row]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS))


class DescendingCounts:
    """numpy, but that `sort` puts the most frequent first, as the definition counts: pycanon puts it last."""

    def __getattr__(self, name: str) -> Any:
        return (lambda values: np.sort(values)[::-1]) if name == "sort" else getattr(np, name)


def recursive_by_definition(rows: Sequence[Row], column: int, least: int) -> Fraction:
    classes: dict[Any, Counter[Any]] = {}
    for row in rows:
        classes.setdefault(row[:2], Counter())[row[column]] += 1
    ordered = [sorted(counts.values(), reverse=True) for counts in classes.values()]
    return max(Fraction(counts[0], sum(counts[least - 1 :])) for counts in ordered)


def their_t(facts: pd.DataFrame, column: str) -> float:
    """Return pycanon's t; of a column with one value it divides by zero."""
    return anonymity.t_closeness(facts, QUASI, [column]) if len(set(facts[column])) > 1 else 0.0


@given(rows=TABLES)
@settings(max_examples=60, deadline=None)
def test_k_and_l_and_t_are_pycanons(rows: Sequence[Row]) -> None:
    k, found = measured(rows)
    assert k == anonymity.k_anonymity(frame(rows), QUASI)
    assert min(one.distinct for one in found.values()) == anonymity.l_diversity(frame(rows), QUASI, SENSITIVE)
    entropy = anonymity.entropy_l_diversity(frame(rows), QUASI, SENSITIVE)
    assert entropy - 1e-9 <= min(one.entropy for one in found.values()) < entropy + 1 + 1e-9  # they cut 1.9999999 to 1
    for column in SENSITIVE:
        assert found[column].distinct == anonymity.l_diversity(frame(rows), QUASI, [column])
        assert found[column].closeness == pytest.approx(their_t(frame(rows), column), abs=1e-9)
        assert found[column].ordered == (column == "income")


@given(rows=TABLES)
@settings(max_examples=40, deadline=None)
def test_recursive_c_is_the_definitions_and_pycanons_with_the_most_frequent_value_first(rows: Sequence[Row]) -> None:
    for place, (column, found) in enumerate(measured(rows)[1].items(), start=2):
        if found.recursive_c is None:
            assert found.distinct == 1
            continue
        assert found.recursive_c == pytest.approx(float(recursive_by_definition(rows, place, found.distinct)))
        with patch.object(_l_diversity, "np", DescendingCounts()):
            c, least = anonymity.recursive_c_l_diversity(frame(rows), QUASI, [column])
        assert (int(np.floor(found.recursive_c + 1)), found.distinct) == (c, least)


@given(rows=TABLES)
@settings(max_examples=40, deadline=None)
def test_entities_count_as_pycanon_counts_rows_that_say_each_fact_once(rows: Sequence[Row]) -> None:
    people = frame(rows).drop_duplicates([*QUASI, "person"]).reset_index(drop=True)
    k, found = measured(rows, entity=True)
    assert k == anonymity.k_anonymity(people, QUASI)
    for column in SENSITIVE:
        facts = frame(rows).drop_duplicates([*QUASI, column, "person"]).reset_index(drop=True)
        assert found[column].distinct == anonymity.l_diversity(facts, QUASI, [column])
        assert found[column].closeness == pytest.approx(their_t(facts, column), abs=1e-9)
