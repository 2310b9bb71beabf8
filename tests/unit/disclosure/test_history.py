"""Each guard of the release history, where no other would speak."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import pytest
from support.aggregates import COUNT, SPEND, World, a_block, a_disclosure, a_subject, a_world, ad
from support.built_cells import Member, some_base_cells

from portal.disclosure import few
from portal.disclosure import history as module
from portal.disclosure.history import Candidate, Ground, Kind, ReleaseHistory, audit
from portal.disclosure.watch import Reason
from portal.sql.blocks import Aggregate

ONLY_SPAN = {"pairwise": False, "span": True}
ONLY_PAIRWISE = {"pairwise": True, "span": False}
ROWS, SPENT = Kind("rows"), Kind("sum", "spend_eur")
ADVERTISERS = Aggregate("n", "count_distinct", "advertiser_id", ())


def some_cells(
    entities: Mapping[str, Sequence[int]], amounts: Mapping[str, Sequence[float]] | None = None
) -> Mapping[str, Sequence[Member]]:
    """Base cells, each named by a letter: capitals are of one country, all others of another."""
    ones = {cell: [1.0] * len(members) for cell, members in entities.items()} | dict(amounts or {})
    return {
        "advertiser_id": [
            (_name(cell), entity + 1, {"spend_eur": amount})
            for cell, members in entities.items()
            for entity, amount in zip(members, ones[cell], strict=True)
        ]
    }


def reasons(
    members: Mapping[str, Sequence[Member]], *regions: str, kind: Kind = ROWS, **history: bool
) -> list[str | None]:
    """Ask for one figure after the other; a region is the letters of its cells."""
    asked = [(Candidate(kind, frozenset(map(_name, region)), 10),) for region in regions]
    with some_base_cells(members, ["spend_eur"]) as base:
        ground = Ground(base, "view", a_disclosure(history=history))
        return [verdict.reason for verdict in audit(ReleaseHistory(), asked, ground)[1]]


def _name(cell: str) -> str:
    return json.dumps({"country": "upper" if cell.isupper() else "lower", "placement": cell})


def test_a_combination_within_the_entities_of_a_small_part_is_found() -> None:
    """a and b hold the same six; neither a+s nor b+s shows so few, and their difference does."""
    base = some_cells({"a": range(6), "b": range(6), "s": range(10, 16)})
    assert reasons(base, "as", "bs", **ONLY_SPAN) == [None, "history: span"]


def test_a_combination_within_two_small_parts_that_overlap_is_found() -> None:
    base = some_cells({"p": range(6), "q": range(3, 9), "t": range(20, 25)})
    assert reasons(base, "pt", "qt", **ONLY_SPAN) == [None, "history: span"]


def test_a_combination_of_small_parts_with_nothing_in_common_is_found() -> None:
    large = {"B": range(50), "C": range(100, 150), "D": range(200, 250)}
    base = some_cells({**large, "x": range(60, 65), "s": range(70, 73), "y": range(80, 82), "z": range(90, 92)})
    found = reasons(base, "Cy", "Dz", "Bx", "Bs", "C", "D", **ONLY_SPAN)
    assert found == [None] * 3 + ["history: span"] * 3


def test_a_dominated_part_that_is_no_marginal_is_found() -> None:
    giant = [1000.0] + [1.0] * 19
    base = some_cells({"A": range(20), "c": range(20, 40), "B": range(50, 90)}, {"A": giant, "B": [500.0] * 40})
    assert reasons(base, "BAc", "B", kind=SPENT, **ONLY_SPAN) == [None, "history: span"]
    assert reasons(base, "BAc", "B", kind=ROWS, **ONLY_SPAN) == [None, None]


def test_a_dominated_marginal_is_found_in_a_combination_of_its_parts() -> None:
    """A + B = As + Bt - st is dominated; nothing else that follows is."""
    cells = {"A": range(20), "B": range(20, 35), "s": range(40, 52), "t": range(60, 100)}
    base = some_cells(cells, {"A": [1000.0] + [1.0] * 19, "s": [2000.0] * 12, "t": [500.0] * 40})
    assert reasons(base, "As", "Bt", "st", kind=SPENT, **ONLY_SPAN) == [None, None, "history: span"]


def test_a_dominated_marginal_of_more_cells_than_are_combined_is_found() -> None:
    """A + ... + I = Aa + ... + Ii - abcdefghi is what one advertiser spends, a little in each."""
    pairs = [upper + upper.lower() for upper in "ABCDEFGHI"]
    cells: dict[str, Sequence[int]] = {}
    for i, (upper, lower) in enumerate(pairs):
        cells |= {upper: [0, *range(100 * i + 1, 100 * i + 21)], lower: range(100 * i + 21, 100 * i + 41)}
    amounts = {cell: [100.0] + [0.1] * 20 if cell.isupper() else [50.0] * 20 for cell in cells}
    asked = [*pairs, "abcdefghi"]
    assert reasons(some_cells(cells, amounts), *asked, kind=SPENT, **ONLY_SPAN) == [None] * 9 + ["history: span"]
    assert reasons(some_cells(cells), *asked, kind=SPENT, **ONLY_SPAN) == [None] * 10


def test_one_refused_cell_does_not_refuse_the_next() -> None:
    base = some_cells({"B": range(50), "x": range(60, 65), "C": range(100, 150)})
    assert reasons(base, "B", "Bx", "BC", pairwise=True, span=True) == [None, "history: pairwise", None]


def test_cells_without_entities_are_no_difference() -> None:
    base = some_cells({"a": range(20), "b": range(20, 40)})
    assert reasons(base, "a", "b", "ab", pairwise=True, span=True) == [None] * 3


@pytest.mark.parametrize("rules", [ONLY_PAIRWISE, ONLY_SPAN])
def test_a_dominated_difference_is_found(tmp_path: Path, rules: Mapping[str, bool]) -> None:
    world = _with_a_giant(tmp_path, a_disclosure(history=rules))
    assert world.figure(a_block(SPEND, country=["FR", "DE"])) == 7000
    assert world.figure(a_block(SPEND, country="FR")) is None
    assert world.figure(a_block(COUNT, country="FR")) == 20


def test_a_withheld_sum_takes_another_with_it(tmp_path: Path) -> None:
    shown = _with_a_giant(tmp_path, a_disclosure()).figures(a_block(SPEND, by=["country"]))
    assert shown == {"DE": None, "FR": None, "IT": 9000}


def test_few_new_entities_are_no_distinct_count_and_still_a_count_of_rows(tmp_path: Path) -> None:
    january, february = date(2026, 1, 3), date(2026, 2, 3)
    rows = [ad(i, campaign_date=january) for i in range(30)] + [ad(i, campaign_date=february) for i in range(4, 34)]
    world = a_world(tmp_path, rows)
    assert list(world.figures(a_block(COUNT, by=["campaign_date"])).values()) == [30, 30]
    assert world.figure(a_block(COUNT)) == 60
    assert list(world.figures(a_block(ADVERTISERS, by=["campaign_date"])).values()) == [30, 30]
    assert world.figure(a_block(ADVERTISERS)) is None


@pytest.mark.parametrize(
    ("bound", "reason"), [("MAX_ENTRIES", "history: full"), ("MAX_PARTS", "history: too many parts")]
)
def test_past_its_bounds_the_history_refuses(monkeypatch: pytest.MonkeyPatch, bound: str, reason: str) -> None:
    base = some_cells({"a": range(20), "b": range(20, 40)})
    assert reasons(base, "a", "b", pairwise=True, span=True) == [None, None]
    monkeypatch.setattr(module, bound, 1)
    assert reasons(base, "a", "b", pairwise=True, span=True)[-1] == reason


def test_past_the_bound_of_parts_what_splits_none_is_still_released(monkeypatch: pytest.MonkeyPatch) -> None:
    members = some_cells({"a": range(20), "b": range(20, 40), "c": range(40, 60), "d": range(60, 90)})
    monkeypatch.setattr(module, "MAX_PARTS", 3)
    history = ReleaseHistory()
    found = []
    with some_base_cells(members, ["spend_eur"]) as base:
        for region in ["ab", "c", "a", "d", "bc", "acd"]:
            asked = [(Candidate(ROWS, frozenset(map(_name, region)), 10),)]
            history, [verdict] = audit(history, asked, Ground(base, "view", a_disclosure()))
            found.append(verdict.reason)
    assert found == [None, None, None, Reason.PARTS, None, Reason.PARTS]


def test_what_cannot_be_decided_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    base = some_cells({"p": range(6), "q": range(3, 9), "t": range(20, 25)})
    assert reasons(base, "pt", "qt", **ONLY_SPAN) == [None, Reason.SPAN]
    monkeypatch.setattr(few, "MAX_STEPS", 0)
    assert reasons(base, "pt", "qt", **ONLY_SPAN) == [Reason.UNDECIDED, Reason.UNDECIDED]


def _with_a_giant(home: Path, disclosure: object) -> World:
    rows = [ad(f"d{i}", "DE", spend_eur=1.0) for i in range(20)] + [ad("giant", "DE", spend_eur=1000.0)]
    rows += [ad(f"f{i}", "FR", spend_eur=300.0) for i in range(20)]
    rows += [ad(f"i{i}", "IT", spend_eur=300.0, placement="search") for i in range(30)]
    return a_world(home, rows, a_subject(disclosure))  # type: ignore[arg-type]
