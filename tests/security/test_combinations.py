"""Random unions asked in random order: whatever few entities could be singled out by arithmetic must stay unknown.

The oracle is brute force over exact fractions: for every set of base cells with too few entities, whether some
combination of what was released lies within it. The audit must never miss one, and never refuse without one.
"""

import itertools
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from support.aggregates import a_disclosure, a_manifest
from support.base_cells import Amounts, PlainCells, cell_name

from portal.disclosure.cells import is_dominated
from portal.disclosure.history import Candidate, Ground, Kind, audit
from portal.disclosure.watch import Reason
from portal.ids import ProjectId
from portal.policy.model import Disclosure
from portal.workspaces.history_store import FileHistoryStore

ROWS, SPENT = Kind("rows"), Kind("sum", "spend_eur")
Region = frozenset[int]
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Case:
    """A world, its rules, and unions of its base cells in the order in which they are asked for."""

    base: PlainCells
    disclosure: Disclosure
    asked: Sequence[Region]

    def few(self, region: Collection[int]) -> bool:
        """Whether a region tells of somebody, and of fewer than some threshold."""
        sizes = [(len(self.base.entities_in(region, name)), k) for name, k in self.disclosure.entities.items()]
        return any(0 < n < k for n, k in sizes)

    def dominated(self, region: Collection[int]) -> bool:
        return any(
            is_dominated(self.base.contributions(region, name, "spend_eur"), self.disclosure.dominance)
            for name in self.base.members
        )

    @property
    def full(self) -> list[int]:
        """The base cells that hold somebody."""
        return [i for i in range(len(self.base.names)) if any(cells[i] for cells in self.base.members.values())]


@st.composite
def cases(draw: st.DrawFn, rules: Mapping[str, bool], amounts: Sequence[float] = (1.0,)) -> Case:
    width = draw(st.integers(2, 7))
    names = tuple(cell_name(country="upper" if i % 2 else "lower", placement=str(i)) for i in range(width))
    types = {"advertiser_id": draw(st.integers(2, 4)), "user_id": draw(st.integers(2, 4))}
    members: dict[str, tuple[Amounts, ...]] = {}
    for name in types:
        entity = st.integers(1, draw(st.sampled_from([5, 9, 40])))
        members[name] = tuple(
            draw(st.dictionaries(entity, st.sampled_from(amounts), min_size=1, max_size=6)) for _ in range(width)
        )
    used = types if draw(st.booleans()) else {"advertiser_id": types["advertiser_id"]}
    base = PlainCells(names, {name: members[name] for name in used})
    unions = st.frozensets(st.integers(0, width - 1), min_size=1)
    return Case(base, a_disclosure(entities=used, history=rules), draw(st.lists(unions, min_size=2, max_size=9)))


def released(case: Case, kind: Kind) -> Iterator[tuple[Region, Reason | None, list[Region]]]:
    """Ask for one union after the other, each in a process of its own as it were; yield what had been released."""
    ground = Ground(case.base, "view", case.disclosure)  # type: ignore[arg-type]
    given_: list[Region] = []
    with tempfile.TemporaryDirectory() as home:
        for region in case.asked:
            if not _allowed_alone(case, region, kind) or region in given_:
                continue
            asked = [(Candidate(kind, frozenset(case.base.names[i] for i in region), 1.0),)]
            [verdict] = FileHistoryStore(Path(home)).update(
                ProjectId("p"), a_manifest(), lambda history, asked=asked: audit(history, asked, ground)
            )
            yield region, verdict.reason, list(given_)
            if verdict.reason is None:
                given_.append(region)


@unhurried
@given(cases({"pairwise": False, "span": True}))
def test_no_combination_of_released_cells_tells_of_few_and_none_is_refused_without_one(case: Case) -> None:
    small = [each for each in _subsets(case.full) if case.few(each)]
    for region, reason, before in released(case, ROWS):
        derived = any(_within(case, [*before, region], each) > _within(case, before, each) for each in small)
        event(str(reason))
        assert reason == (Reason.SPAN if derived else None)


@unhurried
@given(cases({"pairwise": True, "span": True}))
def test_with_both_rules_no_combination_tells_of_few(case: Case) -> None:
    small = [each for each in _subsets(case.full) if case.few(each)]
    for region, reason, before in released(case, ROWS):
        if reason is None:
            assert not any(_within(case, [*before, region], each) for each in small)
        elif reason is Reason.PAIRWISE:
            assert any(case.few(region ^ other) for other in before)


@unhurried
@given(cases({"pairwise": True, "span": True}, (1.0, 1.0, 2.0, 5.0, 60.0)))
def test_no_sum_that_follows_is_dominated(case: Case) -> None:
    heavy = [each for each in _subsets(case.full) if case.dominated(each)]
    for region, reason, before in released(case, SPENT):
        event(str(reason))
        assert reason is not None or not any(_follows(case, [*before, region], each) for each in heavy)


def _follows(case: Case, regions: Sequence[Region], cell: Region) -> bool:
    return _rank([*regions, cell], case.full) == _rank(regions, case.full)


def _allowed_alone(case: Case, region: Region, kind: Kind) -> bool:
    enough = all(len(case.base.entities_in(region, name)) >= k for name, k in case.disclosure.entities.items())
    return enough and not (kind == SPENT and case.dominated(region))


def _subsets(cells: Sequence[int]) -> list[Region]:
    return [frozenset(each) for n in range(1, len(cells) + 1) for each in itertools.combinations(cells, n)]


def _within(case: Case, regions: Sequence[Region], inside: Region) -> int:
    """How many independent combinations of regions lie within a set of base cells."""
    return _rank(regions, case.full) - _rank(regions, [i for i in case.full if i not in inside])


def _rank(regions: Sequence[Region], columns: Sequence[int]) -> int:
    rows = [[Fraction(i in region) for i in columns] for region in regions]
    rank = 0
    for column in range(len(columns)):
        pivot = next((r for r in range(rank, len(rows)) if rows[r][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        for r in range(rank + 1, len(rows)):
            factor = rows[r][column] / rows[rank][column]
            rows[r] = [a - factor * b for a, b in zip(rows[r], rows[rank], strict=True)]
        rank += 1
    return rank
