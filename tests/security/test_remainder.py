"""The row over all withheld groups: what it shows, and that nothing can be peeled out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.aggregates import COUNT, SPEND, World, a_block, a_disclosure, a_subject, a_world, ad

from portal.sql.blocks import Aggregate, Block

LARGE = ("DE", "FR", "IT", "NL", "ES")
SIZES: Mapping[str, int] = {**dict.fromkeys(LARGE, 20), "BE": 11, "LU": 8}
UNWATCHED = {"history": {"pairwise": False, "span": False}}


def a_market(home: Path, sizes: Mapping[str, int] = SIZES, *more: Mapping[str, Any], **policy: Any) -> World:
    rows = [ad(f"{country}{i}", country) for country, size in sizes.items() for i in range(size)]
    return a_world(home, [*rows, *more], a_subject(a_disclosure(**policy)))


def with_rest(*aggregates: Aggregate, by: Sequence[str] = ("country",), **atoms: Any) -> Block:
    return replace(a_block(*aggregates, by=by, **atoms), remainder="rest")


def rest_of(world: World, block: Block) -> dict[str, Any] | None:
    """The figures of the remainder; None where there is none."""
    [table] = world.ask(block)
    found = [row for row in table.to_pylist() if row.pop("rest")]
    assert len(found) <= 1
    assert all(row[key.name] is None for row in found for key in block.groupings)
    return {each.name: found[0][each.name] for each in block.aggregates} if found else None


def test_the_remainder_is_over_all_groups_that_are_withheld(tmp_path: Path) -> None:
    world = a_market(tmp_path)
    [plain], [table] = world.ask(a_block(by=["country"])), world.ask(with_rest())
    assert sorted(plain["country"].to_pylist()) == sorted(LARGE)
    assert table.num_rows == len(LARGE) + 1
    assert table.filter(table["rest"]).to_pylist() == [{"country": None, "rest": True, "n": 20}]
    assert table.slice(0, len(LARGE)).drop_columns("rest") == plain


@pytest.mark.parametrize("sizes", [{"DE": 20, "FR": 20}, {"LU": 4, "MT": 3}, {"LU": 8}, {}], ids=str)
def test_there_is_none_where_nothing_is_withheld_or_it_has_too_few(tmp_path: Path, sizes: Mapping[str, int]) -> None:
    assert rest_of(a_market(tmp_path, sizes), with_rest()) is None


def test_a_condition_of_low_effect_leaves_no_remainder(tmp_path: Path) -> None:
    """The condition sets the four of MT apart; the rest of all would tell of them."""
    world = a_market(tmp_path, {**SIZES, "MT": 4})
    assert rest_of(world, with_rest(country=[*SIZES])) is None


def test_what_was_in_two_withheld_groups_is_counted_once(tmp_path: Path) -> None:
    distinct = [Aggregate("sellers", "count_distinct", "advertiser_id", ()),
                Aggregate("places", "count_distinct", "placement", ())]  # fmt: skip
    both = [ad(f"BE{i}", country, placement=place) for i in range(12)
            for country, place in (("BE", "feed"), ("BE", "search"), ("LU", "feed"), ("LU", "search"))]  # fmt: skip
    sizes = dict.fromkeys(LARGE, 20)
    lonely = [ad("LU", "MT"), ad("LU1", "MT")]
    world = a_world(tmp_path, [*(ad(f"{c}{i}", c) for c, n in sizes.items() for i in range(n)), *both, *lonely],
                    a_subject(a_disclosure(round_counts_to=1)))  # fmt: skip
    assert rest_of(world, with_rest(*distinct)) == {"sellers": 14, "places": 2}


@pytest.mark.parametrize("first", ["remainder", "group"])
def test_a_group_is_not_peeled_out_of_the_remainder(tmp_path: Path, first: str) -> None:
    """LU = remainder - BE: whichever is asked second is withheld."""
    world, group = a_market(tmp_path), a_block(country="BE")
    if first == "remainder":
        assert [rest_of(world, with_rest()), world.figure(group)] == [{"n": 20}, None]
    else:
        assert [world.figure(group), rest_of(world, with_rest())] == [10, None]


def test_a_group_is_not_peeled_out_by_several_questions(tmp_path: Path) -> None:
    """BE = (BE + DE) - DE, and so LU = remainder - BE: the third question is withheld."""
    world = a_market(tmp_path)
    assert rest_of(world, with_rest()) == {"n": 20}
    assert world.figures(a_block(by=["country"]))["DE"] == 20
    assert world.figure(a_block(country=["BE", "DE"])) is None


def test_a_finer_remainder_does_not_complete_a_coarser_one(tmp_path: Path) -> None:
    """Of search there are four in LU; the remainder by country, less that of feed alone, would tell of them."""
    more = [ad(f"S{i}", country, placement="search") for country, n in (("LU", 4), ("DE", 20)) for i in range(n)]
    world = a_market(tmp_path, SIZES, *more)
    assert rest_of(world, with_rest(placement="feed")) == {"n": 20}
    assert rest_of(world, with_rest()) is None


@pytest.mark.parametrize("policy", [UNWATCHED, {}], ids=["no history", "history"])
def test_no_total_completes_a_withheld_figure_beside_the_remainder(tmp_path: Path, policy: Mapping[str, Any]) -> None:
    """One of DE has nearly all of its money: DE = all - the others - remainder, so the remainder has no sum."""
    world = a_market(tmp_path, SIZES, ad("DE0", "DE", spend_eur=3e7), **policy)
    [table] = world.ask(with_rest(COUNT, SPEND))
    shown = {row["country"]: row for row in table.to_pylist()}
    assert [shown["DE"]["spend"], shown[None]["spend"]] == [None, None]
    assert [shown["DE"]["n"], shown[None]["n"]] == [20, 20]


def test_a_dominated_remainder_has_no_sum(tmp_path: Path) -> None:
    world = a_market(tmp_path, SIZES, ad("BE0", "BE", spend_eur=3e7))
    assert rest_of(world, with_rest(COUNT, SPEND)) == {"n": 20, "spend": None}


def test_groups_that_the_history_refuses_are_in_the_remainder(tmp_path: Path) -> None:
    """Four of FR are in search only, so after FR in feed all of FR is withheld: 24 of FR, 11 of BE and 8 of LU."""
    more = [
        ad(f"S{country}{i}", country, placement="search") for country, n in (("FR", 4), ("DE", 12)) for i in range(n)
    ]
    world = a_market(tmp_path, SIZES, *more)
    assert "FR" in world.figures(a_block(by=["country"], placement="feed"))
    [table] = world.ask(with_rest())
    assert "FR" not in table["country"].to_pylist()
    assert table.filter(table["rest"])["n"].to_pylist() == [45]
    assert world.ask(with_rest()) == [table], "and the same again"
