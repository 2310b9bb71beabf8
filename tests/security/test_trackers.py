"""Known ways around thresholds, each with the question at which it is stopped. A tracker that is not stopped fails."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from support.aggregates import COUNT, SPEND, World, a_block, a_disclosure, a_subject, a_world, ad, some_atoms

from portal.policy.decision import DayBound, RowRule
from portal.sql.blocks import Aggregate, Block

LARGE = ("DE", "FR", "IT", "NL")


def a_market(home: Path, **policy: Any) -> World:
    """Four countries of twenty advertisers, LU of eight, BE of eleven; nobody is in two."""
    sizes = {**dict.fromkeys(LARGE, 20), "LU": 8, "BE": 11}
    rows = [
        ad(f"{country}{i}", country, placement=placement, campaign_date=date(2026, month, 3))
        for country, size in sizes.items()
        for i in range(size)
        for placement in ("feed", "search")
        for month in (1, 2, 3)
    ]
    return a_world(home, rows, a_subject(a_disclosure(**policy)))


def stopped_at(world: World, *questions: Block, **how: Any) -> int | None:
    """Return the number of the first question whose figure is withheld."""
    for number, question in enumerate(questions, 1):
        if world.figure(question, **how) is None:
            return number
    return None


def test_a_small_set_is_not_answered_in_one_question(tmp_path: Path) -> None:
    assert stopped_at(a_market(tmp_path), a_block(country="LU")) == 1


def test_a_set_and_the_set_with_a_few_more_is_stopped_at_the_second(tmp_path: Path) -> None:
    world = a_market(tmp_path)
    assert stopped_at(world, a_block(country=["FR", "BE"]), a_block(country=["FR", "BE", "LU"])) == 2
    assert world.withheld[-1].reason == "history: pairwise"


def test_the_positive_spelling_of_a_complement_is_stopped_at_once(tmp_path: Path) -> None:
    world = a_market(tmp_path)
    assert stopped_at(world, a_block(country=[*LARGE, "BE"])) == 1
    assert world.withheld[-1].reason == "low effect of a condition"


def test_a_filter_is_no_way_around_its_own_complement(tmp_path: Path) -> None:
    others = Aggregate("n", "count_rows", None, some_atoms("country", [*LARGE, "BE"]))
    world = a_market(tmp_path)
    assert stopped_at(world, a_block(others)) == 1
    assert world.withheld[-1].reason == "complement: advertiser_id"


def test_the_general_tracker_of_two_overlapping_sets_is_stopped_at_the_last(tmp_path: Path) -> None:
    """LU = (FR, LU, DE) + (FR, IT, NL) - (FR) - (FR, DE, IT, NL): pairs differ by many, together they single out."""
    world = a_market(tmp_path)
    questions = [a_block(country=["FR", "LU", "DE"]), a_block(country=["FR", "IT", "NL"]),
                 a_block(country=["FR"]), a_block(country=["FR", "DE", "IT", "NL"])]  # fmt: skip
    assert stopped_at(world, *questions) == 4
    assert world.withheld[-1].reason == "history: span"


def test_the_same_general_tracker_passes_without_the_span_so_that_its_guard_is_what_stops_it(tmp_path: Path) -> None:
    world = a_market(tmp_path, history={"span": False})
    questions = [a_block(country=["FR", "LU", "DE"]), a_block(country=["FR", "IT", "NL"]),
                 a_block(country=["FR"]), a_block(country=["FR", "DE", "IT", "NL"])]  # fmt: skip
    assert stopped_at(world, *questions) is None


def test_a_span_over_sums_of_several_questions_is_stopped(tmp_path: Path) -> None:
    world = a_market(tmp_path)
    questions = [a_block(SPEND, country=[one, other]) for one, other in
                 [("LU", "DE"), ("DE", "FR"), ("FR", "IT"), ("IT", "NL"), ("NL", "FR")]]  # fmt: skip
    assert stopped_at(world, *questions) == 5


def test_groups_of_one_block_and_a_total_of_another_do_not_leave_a_remainder_of_few(tmp_path: Path) -> None:
    world = a_market(tmp_path, history={"span": True, "pairwise": False})
    assert world.figure(a_block()) is not None
    shown = world.figures(a_block(by=["country"]))
    assert "LU" not in shown
    assert "BE" not in shown
    assert world.figure(a_block(country="BE")) is None
    assert world.withheld[-1].reason == "history: span"


def test_blocks_of_one_statement_are_held_against_each_other(tmp_path: Path) -> None:
    world = a_market(tmp_path)
    first, second = world.ask(a_block(country=["FR", "BE"]), a_block(country=["FR", "BE", "LU"]))
    assert first.column("n").to_pylist() == [185]
    assert second.column("n").to_pylist() == [None]


def test_two_members_of_one_project_have_one_history(tmp_path: Path) -> None:
    """The history knows projects, not logins: a colleague's question counts, another project's does not."""
    world = a_market(tmp_path)
    assert world.figure(a_block(country=["FR", "BE"]), project="p1") is not None
    assert World(tmp_path, world.subject).figure(a_block(country=["FR", "BE", "LU"]), project="p1") is None
    assert World(tmp_path, world.subject).figure(a_block(country=["FR", "BE", "LU"]), project="p2") is not None


def test_a_difference_by_time_is_stopped_at_the_second(tmp_path: Path) -> None:
    rows = [ad(i, campaign_date=date(2026, 1, 3)) for i in range(30)]
    rows += [ad(i, campaign_date=date(2026, 2, 3)) for i in range(4)]
    rows += [ad(i, campaign_date=date(2026, 3, 3)) for i in range(30)]
    world = a_world(tmp_path, rows)
    january = a_block(campaign_date=(None, date(2026, 2, 1)))
    february = a_block(campaign_date=(None, date(2026, 3, 1)))
    assert stopped_at(world, january, february) == 2


def test_the_same_few_are_found_though_they_are_in_both_sets(tmp_path: Path) -> None:
    """Four of the thirty advertise in February, too: no entity is new, and yet the rows are those of four."""
    rows = [ad(i, campaign_date=date(2026, 1, 3)) for i in range(30)]
    rows += [ad(i, campaign_date=date(2026, 2, 3)) for i in range(4)]
    world = a_world(tmp_path, rows)
    assert stopped_at(world, a_block(), a_block(campaign_date=(None, date(2026, 2, 1)))) == 2


def test_an_embargo_that_moves_a_day_opens_whole_months_only(tmp_path: Path) -> None:
    rows = [ad(i, campaign_date=date(2026, 1, 3)) for i in range(30)]
    rows += [ad(i, campaign_date=date(2026, 2, 1 + i)) for i in range(20)]
    world = a_world(tmp_path, rows)
    answers = [world.figure(a_block(), subject=a_subject(rows=(_until(date(2026, 2, day)),))) for day in (5, 6, 28)]
    assert answers == [30, 30, 50]


def test_row_rules_that_stand_on_no_grid_are_compared_by_their_entities(tmp_path: Path) -> None:
    world = a_market(tmp_path)
    hidden = RowRule("(\"user_id\" <> 'UFR1') IS TRUE", "one user is left out")
    assert world.figure(a_block()) is not None
    assert world.figure(a_block(), subject=a_subject(rows=(hidden,))) is None
    assert world.withheld[-1].reason == "history: pairwise, under other row rules"


@pytest.mark.parametrize("extra", range(1, 8))
def test_a_rounding_boundary_is_not_reached_by_adding_a_few(tmp_path: Path, extra: int) -> None:
    """Whether a rounded count flips tells of the few that were added; so the second question is not answered."""
    rows = (
        [ad(i) for i in range(32)] + [ad(f"x{i}", "LU") for i in range(extra)] + [ad(f"y{i}", "DE") for i in range(30)]
    )
    world = a_world(tmp_path, rows)
    assert stopped_at(world, a_block(country="FR"), a_block(country=["FR", "LU"])) == 2


def test_an_existing_and_a_missing_small_group_read_the_same(tmp_path: Path) -> None:
    world = a_market(tmp_path)
    few, none = a_block(COUNT, SPEND, country="LU"), a_block(COUNT, SPEND, country="XX")
    assert world.ask(few)[0].equals(world.ask(none)[0])
    few, none = a_block(by=["placement"], country="LU"), a_block(by=["placement"], country="XX")
    assert world.ask(few)[0].equals(world.ask(none)[0])


def test_counting_distinct_values_does_not_tell_of_a_value_of_few(tmp_path: Path) -> None:
    """Two countries round to none, and three to five."""
    distinct = Aggregate("n", "count_distinct", "country", ())
    assert a_market(tmp_path).figure(a_block(distinct, country=["FR", "DE", "LU"])) == 0


def test_asking_again_is_free_and_answers_the_same(tmp_path: Path) -> None:
    world = a_market(tmp_path)
    first = world.figures(a_block(by=["country"]))
    kept = (tmp_path / "history/p1/ads-000001/history").read_bytes()
    again = World(tmp_path, world.subject)
    assert again.figures(a_block(by=["country"])) == first
    assert again.figure(a_block(country="FR")) == first["FR"]
    assert again.figures(a_block(by=["country"], campaign_date=(date(2026, 1, 1), None))) == first
    assert (tmp_path / "history/p1/ads-000001/history").read_bytes() == kept


def _until(day: date) -> RowRule:
    bound = DayBound("campaign_date", "<=", day)
    return RowRule(bound.predicate, "embargo", bound)


@pytest.mark.parametrize("function", ["count_rows", "count", "count_distinct"])
@pytest.mark.parametrize("rows_first", [True, False])
def test_a_count_of_every_row_under_another_name_is_taken_from_no_count_of_rows(
    tmp_path: Path,
    function: Any,
    rows_first: bool,  # noqa: FBT001 - drawn
) -> None:
    """Every advertiser has one row, with a value: the small countries are BE with twelve, and LU with three."""
    rows = [ad(f"{name}{i}", name) for name, size in (("FR", 30), ("LU", 3), ("BE", 12)) for i in range(size)]
    world = a_world(tmp_path, rows, a_subject(a_disclosure(round_counts_to=1)))
    column = {"count_rows": None, "count": "spend_eur", "count_distinct": "advertiser_id"}[function]
    of_belgium = a_block(Aggregate("n", function, column, ()), country="BE")
    small = a_block(COUNT, by=["dim_country.size"])
    asked = (lambda: world.figure(of_belgium), lambda: world.figures(small).get("small"))
    found = [ask() for ask in (asked[::-1] if rows_first else asked)]
    assert found == [15 if rows_first else 12, None]
