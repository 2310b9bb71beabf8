"""Attacks in several statements. Each says at which question it is stopped; what is not stopped yet is marked so.

The name of a hole says what is learned; its reason says in how many questions, and what would mend it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from support.aggregates import COUNT, SPEND, World, a_block, a_disclosure, a_subject, a_world, ad, some_atoms

from portal.policy.decision import DayBound, RowRule
from portal.sql.blocks import Aggregate, Block

LARGE = ("DE", "FR", "IT", "NL", "ES")
SIZES: Mapping[str, int] = {**dict.fromkeys(LARGE, 20), "BE": 11, "LU": 8}
SELLERS = Aggregate("n", "count_distinct", "advertiser_id", ())
AVERAGE = Aggregate("n", "avg", "spend_eur", ())
VALUES = Aggregate("n", "count", "spend_eur", ())
NAMED = Aggregate("n", "count", "advertiser_id", ())
JANUARY, FEBRUARY = (date(2026, 1, 1), date(2026, 2, 1)), (date(2026, 2, 1), date(2026, 3, 1))


def hole(reason: str) -> pytest.MarkDecorator:
    """Mark what is not stopped yet."""
    return pytest.mark.xfail(strict=True, reason=reason)


def the_advertisers(sizes: Mapping[str, int] = SIZES, **changes: Any) -> list[dict[str, Any]]:
    """So many advertisers of one row in each country; nobody is in two."""
    return [ad(f"{country}{i}", country, **changes) for country, size in sizes.items() for i in range(size)]


def a_market(home: Path, *more: Mapping[str, Any], **policy: Any) -> World:
    return a_world(home, [*the_advertisers(), *more], a_subject(a_disclosure(**policy)))


def stopped_at(world: World, *questions: Block) -> int | None:
    """Return the number of the first question whose figure is withheld."""
    return next((i for i, question in enumerate(questions, 1) if world.figure(question) is None), None)


def total_of(*countries: str, of: Aggregate = COUNT) -> Block:
    return a_block(of, country=list(countries))


def until(day: date) -> RowRule:
    bound = DayBound("campaign_date", "<=", day)
    return RowRule(bound.predicate, "embargo", bound)


def test_a_general_tracker_is_stopped_at_its_last_question(tmp_path: Path) -> None:
    """LU = (LU + T) + (LU + rest of T's padding) - all, with T = DE, FR and the rest IT, NL, ES, BE."""
    one, rest = ("DE", "FR"), ("IT", "NL", "ES", "BE")
    questions = [total_of("LU", *one), total_of("LU", *rest), a_block()]
    assert stopped_at(a_market(tmp_path), *questions) == 3


@pytest.mark.parametrize("length", [3, 4, 5, 6])
@pytest.mark.parametrize("of", [COUNT, SPEND, AVERAGE, SELLERS], ids=lambda of: of.function)
def test_a_chain_of_overlapping_pairs_is_stopped_at_its_last_link(tmp_path: Path, length: int, of: Aggregate) -> None:
    """LU + DE, DE + FR, FR + IT ..., and the last of them alone: adding and subtracting in turn leaves LU."""
    chain = ("LU", *LARGE)[:length]
    pairs = [total_of(*chain[i : i + 2], of=of) for i in range(length - 1)]
    assert stopped_at(a_market(tmp_path), *pairs, total_of(chain[-1], of=of)) == length


@pytest.mark.parametrize("of", [COUNT, SPEND, AVERAGE, SELLERS, VALUES], ids=lambda of: f"{of.function} {of.column}")
def test_a_set_with_a_few_more_is_stopped_at_the_second_question(tmp_path: Path, of: Aggregate) -> None:
    assert stopped_at(a_market(tmp_path), total_of("FR", of=of), total_of("FR", "LU", of=of)) == 2


def test_a_few_more_by_a_filter_are_stopped_at_the_second_question(tmp_path: Path) -> None:
    chosen = replace(COUNT, filter=some_atoms("country", ["FR", "LU"]))
    assert stopped_at(a_market(tmp_path), total_of("FR"), a_block(chosen)) == 2


def test_a_few_more_by_a_public_column_are_stopped_at_the_second_question(tmp_path: Path) -> None:
    """The public table calls BE and LU small."""
    world = a_market(tmp_path)
    assert world.figure(total_of("BE")) is not None
    assert world.figures(a_block(by=["dim_country.size"])).get("small") is None


def test_a_sum_and_a_count_do_not_complete_an_average_of_a_few_more(tmp_path: Path) -> None:
    """sum(FR + LU) and count(FR + LU) after avg(FR): neither part of the second average is given."""
    world = a_market(tmp_path)
    assert world.figure(total_of("FR", of=AVERAGE)) is not None
    assert [world.figure(total_of("FR", "LU", of=of)) for of in (SPEND, VALUES, AVERAGE)] == [None, None, None]


@pytest.mark.parametrize("size", [*range(1, 10)])
def test_nested_cells_never_differ_by_a_rounding_step_of_a_few(tmp_path: Path, size: int) -> None:
    """Around a boundary (32 rounds to 30, 33 to 35) the step would tell of one; so both cells are never shown."""
    rows = the_advertisers({"FR": 32, "LU": size, "DE": 20})
    world = a_world(tmp_path, rows)
    shown = [world.figure(total_of("FR")), world.figure(total_of("FR", "LU"))]
    assert shown == [30, None]


def test_finer_groups_leave_no_remainder_of_a_coarser_one(tmp_path: Path) -> None:
    """Placement search has four of the twenty of FR; FR in all and in feed would tell of them."""
    more = [ad(f"FR{i}", "FR", placement="search") for i in range(4)]
    world = a_market(tmp_path, *more)
    assert world.figure(total_of("FR")) is not None
    assert world.figures(a_block(by=["placement"], country="FR")) == {}
    assert world.figure(a_block(country="FR", placement="feed")) is None


def test_a_total_does_not_complete_a_dominated_group(tmp_path: Path) -> None:
    """One of BE has nearly all of BE's money; the others, and the total over all, would give it away."""
    rows = [*the_advertisers({**SIZES, "LU": 12}, spend_eur=50_000.0), ad("BE0", "BE", spend_eur=3e7)]
    world = a_world(tmp_path, rows)
    shown = world.figures(a_block(SPEND, by=["country"]))
    assert shown["BE"] is None
    others = [country for country in (*LARGE, "LU") if shown[country] is not None]
    assert stopped_at(world, *(total_of(country, of=SPEND) for country in others), a_block(SPEND)) == len(others) + 1


def test_refunds_do_not_hide_who_has_nearly_all(tmp_path: Path) -> None:
    """The sum is near nothing, and yet it is one advertiser's: amounts count without their sign."""
    rows = [*the_advertisers({"FR": 20}, spend_eur=-100.0), ad("FR0", "FR", spend_eur=2_000.0 + 1e6)]
    assert a_world(tmp_path, rows).figure(total_of("FR", of=SPEND)) is None


def test_rows_of_nobody_are_one_entity(tmp_path: Path) -> None:
    """A thousand rows without an advertiser do not make a group of ten."""
    rows = [*the_advertisers(), *(ad(None, "XX", user_id=f"U{i}") for i in range(1_000))]
    world = a_world(tmp_path, rows)
    assert world.figure(total_of("XX")) is None
    assert world.figure(total_of("FR", "XX")) is not None
    assert world.figure(total_of("FR")) is None


def test_each_kind_of_entity_has_its_own_threshold(tmp_path: Path) -> None:
    """Twenty advertisers of LU aim at twenty users, and the twenty of MT at four: many of the one, few of the other."""
    rows = [ad(f"M{i}", "MT", user_id=f"v{i % 4}") for i in range(20)]
    world = a_market(tmp_path, *rows, entities={"advertiser_id": 10, "user_id": 5})
    assert world.figure(total_of("BE")) is not None
    assert stopped_at(world, total_of("MT")) == 1
    assert stopped_at(world, total_of("FR"), total_of("FR", "MT")) == 2


def test_an_embargo_that_moves_within_a_month_shows_nothing_of_its_days(tmp_path: Path) -> None:
    rows = the_advertisers({"FR": 30}) + [ad(f"FR{i}", campaign_date=date(2026, 2, 1 + i)) for i in range(20)]
    world = a_world(tmp_path, rows)
    shown = {world.figure(a_block(), subject=a_subject(rows=(until(date(2026, 2, day)),))) for day in (1, 9, 27)}
    assert shown == {30}


def test_a_month_of_few_that_an_embargo_opens_stays_closed(tmp_path: Path) -> None:
    rows = the_advertisers({"FR": 30}) + [ad(f"FR{i}", campaign_date=date(2026, 2, 9)) for i in range(3)]
    world = a_world(tmp_path, rows)
    shown = [
        world.figure(a_block(), subject=a_subject(rows=(until(day),))) for day in (date(2026, 2, 10), date(2026, 3, 1))
    ]
    assert shown == [30, None]


@pytest.mark.parametrize(
    ("first", "second"),
    [(COUNT, VALUES), (COUNT, NAMED), (COUNT, SELLERS), (COUNT, AVERAGE), (SELLERS, NAMED)],
    ids=lambda of: f"{of.function} {of.column or ''}",
)
def test_figures_of_two_kinds_with_one_value_do_not_differ_by_a_few(
    tmp_path: Path, first: Aggregate, second: Aggregate
) -> None:
    """Where nothing is missing and each has one row, count(*), count(x), count(DISTINCT e) and avg's count are one."""
    assert stopped_at(a_market(tmp_path), total_of("FR", of=first), total_of("FR", "LU", of=second)) == 2


def test_the_missing_values_of_few_are_not_counted_by_a_difference(tmp_path: Path) -> None:
    """Three of FR have ten rows each without an amount."""
    world = a_market(tmp_path, *(ad(f"FR{i % 3}", "FR", spend_eur=None) for i in range(30)))
    [table] = world.ask(a_block(COUNT, replace(VALUES, name="m"), country="FR"))
    assert None in table.to_pylist()[0].values()


def test_missing_values_of_few_cost_an_average_by_groups_nothing(tmp_path: Path) -> None:
    """Their count of rows is shown nowhere; that the groups are there tells no number."""
    world = a_market(tmp_path, *(ad(f"FR{i % 3}", "FR", spend_eur=None) for i in range(30)))
    assert world.figures(a_block(AVERAGE, by=["country"]))["FR"] == 100
    assert world.figures(a_block(COUNT, by=["country"]))["FR"] is None


def test_entities_are_counted_beside_rows_that_have_none(tmp_path: Path) -> None:
    world = a_market(tmp_path, *(ad(None, "FR", user_id=f"U{i}") for i in range(37)))
    [table] = world.ask(a_block(COUNT, replace(SELLERS, name="m"), country="FR"))
    assert table.to_pylist() == [{"n": 55, "m": 20}]


def test_the_rows_of_nobody_are_not_counted_by_a_difference(tmp_path: Path) -> None:
    world = a_market(tmp_path, *(ad(None, "FR", user_id=f"U{i}") for i in range(37)))
    [table] = world.ask(a_block(COUNT, replace(NAMED, name="m"), country="FR"))
    assert None in table.to_pylist()[0].values()


def giants(home: Path) -> World:
    """One of BE and twelve of NL have a million; the twelve of IT and the others have a hundred."""
    rows = the_advertisers({"BE": 14, "IT": 13, "FR": 20}) + the_advertisers({"NL": 12}, spend_eur=1e6)
    return a_world(home, [*rows, ad("BE0", "BE", spend_eur=1e6)])


def test_the_difference_of_two_overlapping_sums_is_not_one_advertisers(tmp_path: Path) -> None:
    world = giants(tmp_path)
    assert stopped_at(world, total_of("BE", of=SPEND)) == 1
    assert stopped_at(world, total_of("BE", "NL", of=SPEND), total_of("IT", "NL", of=SPEND)) == 2


def test_a_dominated_sum_does_not_follow_from_three_that_are_not(tmp_path: Path) -> None:
    """BE + IT = (BE + NL) + (FR + IT) - (FR + NL)."""
    pairs = [("BE", "NL"), ("FR", "IT"), ("FR", "NL")]
    assert stopped_at(giants(tmp_path), *(total_of(*pair, of=SPEND) for pair in pairs)) == 3


def test_a_set_below_the_threshold_that_is_not_grown_greedily_is_found(tmp_path: Path) -> None:
    """A + B = (A + C + D) + (P + B) - (P + C + D); C and D are told apart by R + C."""
    world = a_world(tmp_path, the_advertisers({"P": 20, "R": 20, "A": 5, "B": 4, "C": 3, "D": 3}))
    sets = [("R", "C"), ("A", "C", "D"), ("P", "B"), ("P", "C", "D")]
    assert stopped_at(world, *(total_of(*each, of=SPEND) for each in sets)) == 4


def test_a_set_of_four_among_many_small_parts_is_found(tmp_path: Path) -> None:
    small, large = [f"C{i}" for i in range(9)], [f"P{i}" for i in range(10)]
    world = a_world(tmp_path, the_advertisers({"A": 2, "B": 2, **dict.fromkeys(small, 1), **dict.fromkeys(large, 20)}))
    sets = [*zip(large, small, strict=False), ("A", *small), ("P9", "B"), ("P9", *small)]
    assert stopped_at(world, *(total_of(*each, of=SPEND) for each in sets)) == 12


def test_a_condition_that_is_said_twice_still_leaves_out_a_few(tmp_path: Path) -> None:
    once, again = some_atoms("country", [*LARGE, "BE"]), some_atoms("country", [*LARGE, "BE", "XX"])
    world = a_market(tmp_path, history={"pairwise": False, "span": False})
    assert world.figure(replace(a_block(), atoms=once)) is None
    assert world.figure(replace(a_block(), atoms=(*once, *again))) is None


def test_a_join_that_leaves_out_a_few_is_looked_at_as_a_condition_is(tmp_path: Path) -> None:
    """LU is not in the public table."""
    world = a_market(tmp_path, history={"pairwise": False, "span": False})
    rows = [row for row in the_advertisers() if row["country"] != "LU"]
    a_world(tmp_path / "without", rows)
    (tmp_path / "without" / "dim_country.parquet").replace(tmp_path / "dim_country.parquet")
    assert world.figures(a_block(by=["dim_country.size"])) == {}


@hole(
    "3 questions: |J| + |F| - |J or F| is the number of those in both; hold numbers of entities against each other "
    "as vectors over entities, not over rows"
)
def test_the_few_that_are_in_two_sets_are_not_counted_by_inclusion_and_exclusion(tmp_path: Path) -> None:
    """Twenty in January, twenty in February, three of them in both; rounding hides some of it and repeats do not."""
    rows = [ad(i, campaign_date=date(2026, 1, 3)) for i in range(20)]
    rows += [ad(i, campaign_date=date(2026, 2, 3)) for i in range(17, 37)]
    questions = [a_block(SELLERS, campaign_date=month) for month in (JANUARY, FEBRUARY)]
    assert stopped_at(a_world(tmp_path, rows), *questions, a_block(SELLERS)) == 3


def test_a_group_that_the_history_refuses_looks_as_a_group_of_few(tmp_path: Path) -> None:
    world = a_market(tmp_path)
    assert world.figure(total_of("FR")) is not None
    [refused] = world.ask(a_block(by=["placement"], country=["FR", "LU"]))
    [few] = world.ask(a_block(by=["placement"], country=["LU", "XX"]))
    assert refused.num_rows == few.num_rows


def test_groups_without_figures_are_held_against_each_other(tmp_path: Path) -> None:
    def is_there(*countries: str) -> bool:
        keys = replace(a_block(by=["placement"], country=list(countries)), aggregates=())
        return world.ask(keys)[0].num_rows > 0

    world = a_world(tmp_path, the_advertisers({"DE": 20, "A": 9, "B": 1, "C": 1}))
    assert [is_there("A"), is_there("A", "B"), is_there("A", "B", "C")] == [False, True, False]


def test_an_embargo_that_grows_does_not_show_the_few_that_it_takes_away(tmp_path: Path) -> None:
    rows = [ad(i) for i in range(30)] + [ad(i % 3, campaign_date=date(2026, 2, 9)) for i in range(30)]
    world = a_world(tmp_path, rows)
    days = (date(2026, 2, 28), date(2026, 2, 10))
    shown = [world.figure(a_block(), subject=a_subject(rows=(until(day),))) for day in days]
    assert shown == [60, None]


def test_a_policy_that_gets_a_coarser_grid_does_not_take_a_month_for_a_quarter(tmp_path: Path) -> None:
    rows = [ad(i, campaign_date=date(2026, month, 3)) for i in range(30) for month in (1, 2, 3)]
    coarser = {"country": "equal", "placement": "equal", "campaign_date": {"range": "quarter"}}
    world = a_world(tmp_path, rows)
    assert world.figure(a_block(campaign_date=JANUARY)) == 30
    quarter = a_block(campaign_date=(date(2026, 1, 1), date(2026, 4, 1)))
    assert world.figure(quarter, subject=a_subject(a_disclosure(dimensions=coarser))) in (90, None)


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), float("-inf")])
def test_an_amount_that_is_no_number_is_withheld_as_any_other(tmp_path: Path, amount: float) -> None:
    world = a_market(tmp_path, ad("FR1", "FR", spend_eur=amount))
    assert world.figure(total_of("FR", of=SPEND)) is None
    assert world.figure(total_of("FR", of=AVERAGE)) is None
