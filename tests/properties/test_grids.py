"""A group or bound on a grid is made of whole base cells, in DuckDB's own arithmetic and at its edges."""

import math
from datetime import date

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.aggregates import ADS, COUNT, a_disclosure, a_subject, a_world, ad

from portal.sql.blocks import Atom, Block, Grouping

EXACT, TINY = 2.0**53, 1e-300
"""Between these in size, division and multiplication by a whole step round nothing over an edge."""
STEPS = [1, 2, 5, 10, 20, 50, 100, 1_000, 500_000]
numbers = st.one_of(
    st.floats(-EXACT, EXACT).filter(lambda x: x == 0 or abs(x) > TINY),
    st.integers(-(10**15), 10**15).map(float),
    st.integers(1, 10**15).map(lambda n: math.nextafter(n, -math.inf)),
    st.integers(-(10**15), -1).map(lambda n: math.nextafter(n, math.inf)),
    st.integers(1, 10**9).flatmap(lambda n: st.sampled_from([math.nextafter(n * 10, 0), math.nextafter(n * 10, 1e18)])),
)


@settings(deadline=None, max_examples=300)
@given(numbers, st.sampled_from(STEPS), st.integers(1, 10**6), st.integers(-1000, 1000))
@example(math.nextafter(30.0, 0.0), 10, 1, 3)
@example(-0.0, 10, 1, 0)
def test_a_coarser_step_and_a_bound_say_no_more_than_the_grid(x: float, grid: int, times: int, at: int) -> None:
    step, bound = grid * times, grid * times * at
    with duckdb.connect() as connection:
        base, raw_key, key, raw_side, side = connection.execute(
            f"WITH r AS (SELECT ?::DOUBLE AS x), b AS (SELECT x, floor(x / {grid}) * {grid} AS c FROM r) "
            f"SELECT c, floor(x / {step}) * {step}, floor(c / {step}) * {step}, x >= {bound}, c >= {bound} FROM b",
            [x],
        ).fetchall()[0]
    assert raw_key == key
    assert raw_side == side
    assert base <= x < base + grid


@pytest.mark.parametrize("column", ["impressions", "spend_eur"])
def test_steps_are_counted_as_they_are_written(tmp_path_factory: pytest.TempPathFactory, column: str) -> None:
    rules = a_disclosure(dimensions={column: {"range": 10}, "country": "equal"}, measures={}, round_counts_to=1)
    rows = [ad(i, **{column: n}) for i in range(12) for n in (-10, -1, 0, 9, 10, 19, 20, None)]
    world = a_world(tmp_path_factory.mktemp("steps"), rows, a_subject(rules))
    key = Grouping("k", column, "step", 20)
    found = world.figures(Block("b", ADS, (key,), (COUNT,), (), (), 1, 1))
    assert found == {-20.0: 24, 0.0: 48, 20.0: 12, None: 12}
    atoms = (Atom(column, ">=", (-10,)), Atom(column, "<", (20,)))
    fine = Block("b", ADS, (Grouping("k", column, "step", 10),), (COUNT,), atoms, (), 1, 1)
    assert world.figures(fine) == {-10.0: 24, 0.0: 24, 10.0: 24}
    assert world.figure(Block("b", ADS, (), (COUNT,), (Atom(column, "is null", ()),), (), 1, 1)) == 12


def test_prefixes_are_counted_as_they_are_written(tmp_path_factory: pytest.TempPathFactory) -> None:
    rules = a_disclosure(dimensions={"placement": {"prefix": 3}}, public_joins={}, round_counts_to=1)
    codes = ("1010", "1019", "1020", "10", "éàü1", "éàç", None)
    rows = [ad(i, placement=code) for i in range(12) for code in codes]
    world = a_world(tmp_path_factory.mktemp("prefixes"), rows, a_subject(rules))

    def by(length: int, *atoms: Atom) -> Block:
        return Block("b", ADS, (Grouping("k", "placement", "prefix", length),), (COUNT,), atoms, (), 1, 1)

    assert world.figures(by(3)) == {"101": 24, "102": 12, "10": 12, "éàü": 12, "éàç": 12, None: 12}
    assert world.figures(by(2)) == {"10": 48, "éà": 24, None: 12}
    assert world.figures(by(1, Atom("placement", "=", ("10",), prefix=2))) == {"1": 48}
    assert world.figures(by(3, Atom("placement", "in", ("10", "101"), prefix=3))) == {"101": 24, "10": 12}


def test_a_group_of_weeks_is_of_whole_weeks(tmp_path_factory: pytest.TempPathFactory) -> None:
    rules = a_disclosure(dimensions={"campaign_date": {"range": "week"}}, public_joins={}, round_counts_to=1)
    rows = [ad(i, campaign_date=date(2026, 2, day)) for i in range(12) for day in (1, 2, 8, 9)]
    world = a_world(tmp_path_factory.mktemp("weeks"), rows, a_subject(rules))
    found = world.figures(Block("b", ADS, (Grouping("k", "campaign_date", "trunc", "week"),), (COUNT,), (), (), 1, 1))
    assert list(found.values()) == [12, 24, 12]
