"""Two protected datasets joined on an entity: exact figures of SQL's own join, and no way around either's rules."""

import re
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from support.pairs import ADS, CASES, COUNT, PairWorld, a_pair_world, a_side, ad, alone, case, joined, with_country

from portal.desk import bases as module
from portal.engines.duckdb.trusted import DuckDBTrusted
from portal.errors import EngineFailure, LimitReached, PolicyRefusal
from portal.ids import DatasetName, ProjectId
from portal.policy.decision import DayBound, RowRule
from portal.sql.blocks import Aggregate, Atom

SPEND = Aggregate("s", "sum", "spend", ())
HOURS = Aggregate("h", "sum", "cases.hours", ())


def traders(number: int, start: int = 0) -> range:
    return range(start, start + number)


def a_world(home: Path, unmatched: int = 0, few: int = 0) -> PairWorld:
    """Twenty traders with two ads and three cases each; `unmatched` have no case, `few` have one of another kind."""
    ads = [ad(i) for i in traders(20) for _ in range(2)] + [ad(i) for i in traders(unmatched, 100)]
    ads += [ad(i) for i in traders(few, 200)]
    cases = [case(i) for i in traders(20) for _ in range(3)] + [case(i, "spam") for i in traders(few, 200)]
    return a_pair_world(home, ads, cases)


def test_figures_are_those_of_sqls_own_join(tmp_path: Path) -> None:
    [table] = a_world(tmp_path).ask(joined(COUNT, SPEND, HOURS, Aggregate("t", "count_distinct", "trader", ())))
    assert table.to_pylist() == [{"n": 120, "s": 1200, "h": 240, "t": 20}]


def test_a_pair_is_one_whichever_side_comes_first(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    [one] = world.ask(joined(HOURS, by=["country", "cases.kind"]))
    [other] = world.ask(joined(Aggregate("h", "sum", "hours", ()), first=CASES, by=["ads.country", "kind"]))
    assert one == other
    assert one.num_rows == 1
    assert len(list((tmp_path / "bases" / "ads-000001+cases-000001").iterdir())) == 2  # one, and the lock
    assert len(list((tmp_path / "history" / "p1").glob("*+*"))) == 1


def test_a_missing_entity_joins_nothing(tmp_path: Path) -> None:
    ads = [ad(i) for i in traders(20)] + [ad(None)] * 5 + [ad(i) for i in traders(10, 100)]
    cases = [case(i) for i in traders(20)] + [case(None)] * 7 + [case(i) for i in traders(10, 200)]
    assert a_pair_world(tmp_path, ads, cases).figure(joined()) == 20


@pytest.mark.parametrize(("unmatched", "found"), [(0, 120), (1, None), (9, None), (10, 120)])
def test_what_finds_no_partner_is_nobody_or_enough(tmp_path: Path, unmatched: int, found: int | None) -> None:
    assert a_world(tmp_path, unmatched).figure(joined()) == found


@pytest.mark.parametrize(("few", "found"), [(0, 120), (1, None), (9, None), (10, 120)])
def test_a_condition_on_the_other_side_hides_none_either(tmp_path: Path, few: int, found: int | None) -> None:
    assert a_world(tmp_path, few=few).figure(joined(cases__kind="fraud")) == found


def test_the_reverse_side_is_looked_at_too(tmp_path: Path) -> None:
    world = a_pair_world(tmp_path, [ad(i) for i in traders(20)], [case(i) for i in traders(23)])
    assert world.figure(joined()) is None
    assert world.reasons() == {"low effect of a condition"}


def test_other_entities_of_a_side_are_not_set_apart_by_the_join(tmp_path: Path) -> None:
    """All twelve traders that are left out stand for two persons."""
    ads = [ad(i, person=f"P{i}") for i in traders(20)] + [ad(i, person=f"Q{i % 2}") for i in traders(12, 100)]
    side = a_side(ADS, entities={"trader": 10, "person": 3})
    assert a_pair_world(tmp_path, ads, [case(i) for i in traders(20)], side).figure(joined()) is None
    assert a_pair_world(tmp_path / "b", ads, [case(i) for i in traders(20)]).figure(joined()) == 20


def test_a_condition_of_its_own_that_leaves_out_all_of_them_makes_the_join_harmless(tmp_path: Path) -> None:
    ads = [ad(i) for i in traders(20)] + [ad(i, "DE") for i in traders(15, 100)]
    world = a_pair_world(tmp_path, ads, [case(i) for i in traders(20)] + [case(100)])
    assert world.figure(joined(country="FR")) is None  # the one case of trader 100 is left out
    world = a_pair_world(tmp_path / "b", ads[:20] + ads[-3:], [case(i) for i in traders(20)])
    assert world.figure(joined(country="FR")) == 20


def test_public_tables_join_either_side(tmp_path: Path) -> None:
    ads = [ad(i) for i in traders(20)] + [ad(i, "DE") for i in traders(20)] + [ad(i, "XX") for i in traders(20)]
    world = a_pair_world(tmp_path, ads, [case(i) for i in traders(20)])
    for first in (ADS, CASES):
        block = with_country(joined(first=first, by=["dim_country.size"]))
        assert world.figures(block) == {1: 20, 9: 20}
    big = with_country(joined(first=CASES, dim_country__size=[9]))
    assert world.figure(big) == 20


@pytest.mark.parametrize(("k", "found"), [(10, 20), (20, 20), (21, None)])
def test_the_shared_entity_has_the_higher_threshold(tmp_path: Path, k: int, found: int | None) -> None:
    rows = [ad(i) for i in traders(20)], [case(i) for i in traders(20)]
    assert a_pair_world(tmp_path, *rows, a_side(CASES, entities={"trader_ref": k})).figure(joined()) == found


def test_each_other_entity_has_its_own_threshold(tmp_path: Path) -> None:
    rows = [ad(i) for i in traders(20)], [case(i, judge=f"J{i % 4}") for i in traders(20)]
    for k, found in ((4, 20), (5, None)):
        side = a_side(CASES, entities={"trader_ref": 10, "judge": k})
        assert a_pair_world(tmp_path / str(k), *rows, side).figure(joined()) == found


@pytest.mark.parametrize(("rule", "strict"), [("p", 0.5), ("top", 2), ("share", 0.5)])
def test_of_two_rules_the_stricter_holds(tmp_path: Path, rule: str, strict: float) -> None:
    """Of 119 one trader has 100, and so 84.0 percent; with the next, 84.9."""
    ads = [ad(i, spend=100.0 if i == 0 else 1.0) for i in traders(20)]
    loose = {"p": 0.01, "top": 1, "share": 0.845}
    stricter = loose | {rule: strict}
    for number, (of_ads, of_cases) in enumerate([(loose, loose), (loose, stricter), (stricter, loose)]):
        sides = a_side(ADS, dominance=of_ads), a_side(CASES, dominance=of_cases, round_counts_to=7)
        world = a_pair_world(tmp_path / str(number), ads, [case(i) for i in traders(20)], *sides)
        assert world.figure(joined(SPEND)) == (119 if number == 0 else None)
        assert world.figure(joined()) == 21


def test_dominance_is_that_of_the_joined_rows(tmp_path: Path) -> None:
    """Nobody dominates the spending of ads; with a thousand cases, one does that of the pair."""
    ads = [ad(i) for i in traders(20)]
    cases = [case(i) for i in traders(20)] + [case(0)] * 1000
    world = a_pair_world(tmp_path, ads, cases)
    assert world.figure(alone(ADS, SPEND)) == 200
    assert world.figure(joined(SPEND)) is None
    assert world.reasons() == {"dominance: ads.trader, cases.trader_ref"}


def test_bounds_and_row_rules_of_both_hold(tmp_path: Path) -> None:
    ads = [ad(i, month=date(2026, month, 3)) for i in traders(20) for month in (1, 2, 3)]
    bound = DayBound("month", "<=", date(2026, 2, 28))
    rules = (RowRule("kind <> 'spam'", "no spam"),)
    cases = [case(i) for i in traders(20)] + [case(i, "spam") for i in traders(20)]
    sides = a_side(ADS, (RowRule(bound.predicate, "to February", bound),)), a_side(CASES, rules)
    world = a_pair_world(tmp_path, ads, cases, *sides)
    assert world.figure(joined()) == 40
    assert world.figures(joined(by=["cases.kind"])) == {"fraud": 40}


def test_the_bound_of_one_side_takes_partners_away(tmp_path: Path) -> None:
    """Behind the bound three traders have their only ads: their cases find no partner."""
    ads = [ad(i, month=date(2026, 1, 3)) for i in traders(20)]
    ads += [ad(i, month=date(2026, 3, 3)) for i in traders(3, 100)]
    bound = DayBound("month", "<=", date(2026, 2, 28))
    side = a_side(ADS, (RowRule(bound.predicate, "to February", bound),))
    cases = [case(i) for i in (*traders(20), *traders(3, 100))]
    assert a_pair_world(tmp_path, ads, cases, side).figure(joined()) is None
    assert a_pair_world(tmp_path / "all", ads, cases).figure(joined()) == 23


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("name", [ADS, CASES])
def test_a_pair_and_its_dataset_do_not_differ_by_few(tmp_path: Path, order: Sequence[int], name: str) -> None:
    """In France ten traders have no partner, in Germany three: Germany's figures tell of these three."""
    ads = [ad(i) for i in traders(30)] + [ad(i, "DE") for i in traders(20, 100)]
    cases = [case(i) for i in (*traders(20), *traders(17, 100))]
    home = {"FR": 20, "DE": 17}, {"FR": 30, "DE": 20}
    by = ["country"]
    if name == CASES:  # the same, seen from the other side
        ads, cases = [ad(i) for i in (*traders(20), *traders(17, 100))], [case(i) for i in traders(30)]
        cases += [case(i, "DE") for i in traders(20, 100)]
        home, by = ({"fraud": 20, "DE": 17}, {"fraud": 30, "DE": 20}), ["kind"]
    world = a_pair_world(tmp_path, ads, cases)
    asked = [joined(first=name, by=by), alone(name, by=by)]
    assert world.figures(asked[order[0]]) == home[order[0]]
    second = dict(home[order[1]])
    second.pop("DE")
    assert world.figures(asked[order[1]]) == second
    assert "history: pairwise, under other row rules" in world.reasons()
    assert world.figures(asked[order[1]], project="p2") == home[order[1]]


@pytest.mark.parametrize(("k", "found"), [(11, 30), (12, None)])
def test_the_higher_threshold_of_the_pair_holds_when_the_dataset_is_asked_later(
    tmp_path: Path, k: int, found: int | None
) -> None:
    """Of Germany eleven have no partner: enough for ads, and not for cases where these ask for twelve."""
    ads = [ad(i) for i in traders(50)] + [ad(i, "DE") for i in traders(30, 100)]
    cases = [case(i) for i in (*traders(30), *traders(19, 100))]
    world = a_pair_world(tmp_path, ads, cases, a_side(CASES, entities={"trader_ref": k}))
    assert world.figures(joined(by=["country"])) == {"FR": 30, "DE": 19}
    assert world.figures(alone(ADS, by=["country"])).get("DE") == found


def test_a_figure_is_held_against_like_ones_of_the_pair(tmp_path: Path) -> None:
    ads = [ad(i) for i in traders(30)] + [ad(i, "DE") for i in traders(20, 100)]
    cases = [case(i) for i in (*traders(20), *traders(17, 100))]
    of_germany = (Atom("country", "=", ("DE",)),)
    figures = [COUNT, Aggregate("c", "count", "trader", ()), SPEND, Aggregate("t", "count_distinct", "trader", ())]
    figures = [replace(each, filter=of_germany) for each in figures]
    for number, one in enumerate(figures):
        for other in figures:
            world = a_pair_world(tmp_path / f"{number}{other.name}", ads, cases)
            assert world.figure(joined(one)) is not None
            found = world.figure(alone(ADS, other))
            alike = (one.column == "spend") == (other.column == "spend")
            assert (found is None) == alike


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_nameless_are_no_tenth_trader(tmp_path: Path, order: Sequence[int]) -> None:
    """Nine traders of the twenty, and whoever has no name, have no case: the two numbers would tell of the nine."""
    ads = [ad(i) for i in traders(20)] + [ad(None)] * 3
    world = a_pair_world(tmp_path, ads, [case(i) for i in traders(11)])
    distinct = Aggregate("t", "count_distinct", "trader", ())
    asked = [joined(distinct), alone(ADS, distinct)]
    assert world.figure(asked[order[0]]) == (11, 20)[order[0]]
    assert world.figure(asked[order[1]]) is None


@pytest.mark.parametrize("keep", [0, 4, 400, -8])
@pytest.mark.parametrize("place", [0, 1])
def test_a_side_that_is_cut_short_is_made_anew(tmp_path: Path, place: int, keep: int) -> None:
    world = a_world(tmp_path)
    world.engine = DuckDBTrusted(threads=1)
    assert world.figure(joined()) == 120
    [side] = tmp_path.glob(f"bases/*+*/*/side-{place}.parquet")
    whole = side.read_bytes()
    side.write_bytes(whole[:keep])
    assert world.figure(joined()) == 120
    assert len(side.read_bytes()) == len(whole)


@pytest.mark.parametrize("first", [ADS, CASES])
def test_a_remainder_of_a_pair_is_held_against_its_datasets(tmp_path: Path, first: DatasetName) -> None:
    """Spain and Italy have too few; their remainder of the pair and that of ads alone would tell of three."""
    countries = {
        **dict.fromkeys(traders(30), "FR"),
        **dict.fromkeys(traders(9, 30), "ES"),
        **dict.fromkeys(traders(8, 39), "IT"),
    }
    without = {*traders(13), *traders(3, 39)}
    world = a_pair_world(
        tmp_path, [ad(i, c) for i, c in countries.items()], [case(i) for i in countries.keys() - without]
    )
    own = "country" if first == ADS else "ads.country"
    [table] = world.ask(replace(joined(first=first, by=[own]), remainder="rest"))
    assert table.to_pylist() == [{"key0": "FR", "rest": False, "n": 17}, {"key0": None, "rest": True, "n": 14}]
    [table] = world.ask(replace(alone(ADS, by=["country"]), remainder="rest"))
    assert table.to_pylist() == [{"key0": "FR", "rest": False, "n": 30}]


def test_a_count_of_the_other_sides_entities_is_held_against_counts_of_rows(tmp_path: Path) -> None:
    """Each trader has one case and each case a judge of its own, so the pair's judges are its traders."""
    ads = [ad(i) for i in traders(30)] + [ad(i, "DE") for i in traders(20, 100)]
    cases = [case(i) for i in (*traders(20), *traders(17, 100))]
    judges = Aggregate("j", "count_distinct", "cases.judge", (Atom("country", "=", ("DE",)),))
    world = a_pair_world(tmp_path, ads, cases, a_side(CASES, entities={"trader_ref": 10, "judge": 2}))
    assert world.figure(joined(judges)) == 17
    assert world.figure(alone(ADS, replace(COUNT, filter=judges.filter))) is None


def test_two_pairs_are_held_against_each_other_through_the_dataset_they_share(tmp_path: Path) -> None:
    """The second pair is the first under other row rules: a release of its own, and so a pair of its own."""
    ads = [ad(i) for i in traders(20)]
    cases = [case(i) for i in traders(20)]
    world = a_pair_world(tmp_path, ads, cases)
    assert world.figure(joined()) == 20
    rules = (RowRule("trader_ref <> 'T1'", "not one"),)
    less = a_pair_world(tmp_path, [a for a in ads if a["trader"] != "T1"], cases, a_side(CASES, rules))
    assert less.figure(joined()) is None


def test_the_same_is_released_again_and_nothing_is_noted_twice(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    before = world.figure(joined())
    sizes = {path: path.stat().st_size for path in (tmp_path / "history").rglob("history")}
    assert len(sizes) == 3
    assert world.figure(joined(first=CASES)) == before
    assert {path: path.stat().st_size for path in (tmp_path / "history").rglob("history")} == sizes


def test_a_dataset_open_to_the_whole_tier_is_warned_in_the_history_of_the_tier(tmp_path: Path) -> None:
    """The history of the pair is the asking project's, since one of its datasets needs a project."""
    ads = [ad(i) for i in traders(30)] + [ad(i, "DE") for i in traders(20, 100)]
    world = a_pair_world(tmp_path, ads, [case(i) for i in (*traders(20), *traders(17, 100))])
    world.owners = {ADS: ProjectId("tier")}
    assert world.figures(joined(by=["country"])) == {"FR": 20, "DE": 17}
    assert _kept(tmp_path) == {("p1", "ads+cases"), ("tier", "ads"), ("p1", "cases")}
    assert world.figures(alone(ADS, by=["country"]), project="p2") == {"FR": 30}


def test_a_pair_that_is_open_to_the_whole_tier_has_the_history_of_the_tier(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    world.owners = dict.fromkeys((ADS, CASES), ProjectId("tier"))
    world.figure(joined())
    assert _kept(tmp_path) == {("tier", "ads+cases"), ("tier", "ads"), ("tier", "cases")}


def _kept(home: Path) -> set[tuple[str, str]]:
    found = (path.parent for path in (home / "history").glob("*/*/history"))
    return {(each.parent.name, re.sub(r"-\d+", "", each.name)) for each in found}


def test_a_crash_before_the_pairs_own_history_leaves_the_datasets_warned(tmp_path: Path) -> None:
    ads = [ad(i) for i in traders(30)] + [ad(i, "DE") for i in traders(20, 100)]
    world = a_pair_world(tmp_path, ads, [case(i) for i in (*traders(20), *traders(17, 100))])
    world.figures(joined(by=["country"]))
    [own] = (tmp_path / "history" / "p1").glob("*+*/history")
    own.unlink()
    assert "DE" not in world.figures(alone(ADS, by=["country"]))
    assert world.figures(joined(by=["country"])) == {"FR": 20, "DE": 17}


def test_a_damaged_history_of_either_stops_the_pair(tmp_path: Path) -> None:
    world = a_world(tmp_path)
    world.figure(alone(CASES))
    [history] = (tmp_path / "history" / "p1").glob("cases-*/history")
    history.write_bytes(b"x" * history.stat().st_size)
    with pytest.raises(EngineFailure):
        world.figure(joined())


def test_a_pair_of_which_one_side_keeps_no_history_is_refused(tmp_path: Path) -> None:
    off = {"pairwise": False, "span": False}
    rows = [ad(i) for i in traders(20)], [case(i) for i in traders(20)]
    with pytest.raises(PolicyRefusal):
        a_pair_world(tmp_path, *rows, a_side(ADS, history=off)).figure(joined())
    world = a_pair_world(tmp_path, *rows, a_side(ADS, history=off), a_side(CASES, history=off))
    assert world.figure(joined()) == 20
    assert not (tmp_path / "history").exists()


@pytest.mark.parametrize(("bound", "most"), [("MAX_CELLS", 3), ("MAX_MEMBERS", 79), ("MAX_MEMBERS", 19)])
def test_a_pair_that_is_too_large_asks_for_coarser_grids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    ads = [ad(i, country) for i in traders(20) for country in ("FR", "DE")]
    world = a_pair_world(tmp_path, ads, [case(i, kind) for i in traders(20) for kind in ("fraud", "spam")])
    monkeypatch.setattr(module, bound, most)
    with pytest.raises(LimitReached) as caught:
        world.figure(joined())
    assert "ads and cases joined" in caught.value.faults[0].message
    monkeypatch.undo()
    assert world.figure(joined()) == 80


def test_many_threads_asking_of_pair_and_datasets_all_get_an_answer(tmp_path: Path) -> None:
    world, answers = a_world(tmp_path), []
    blocks = [joined(), alone(ADS), alone(CASES), joined(first=CASES), joined(SPEND), alone(ADS, SPEND)] * 2
    threads = [threading.Thread(target=lambda block=block: answers.append(world.figure(block))) for block in blocks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == sorted([120, 40, 60, 120, 1200, 400] * 2)


def test_a_filter_by_the_other_side_keeps_its_complement(tmp_path: Path) -> None:
    atoms = (Atom("cases.kind", "=", ("fraud",)),)
    figure = Aggregate("f", "count_rows", None, atoms)
    ads = [ad(i) for i in traders(40)]
    for few, found in ((3, None), (15, 25)):
        cases = [case(i, "spam" if i < few else "fraud") for i in traders(40)]
        assert a_pair_world(tmp_path / str(few), ads, cases).figure(joined(figure)) == found
