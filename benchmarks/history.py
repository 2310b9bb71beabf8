"""The audit of a release history: fresh groups on an empty history, after many statements, and asked again.

Over base cells that are held as bitmaps, so that what is measured is the audit and the file, not the making of cells.
"""

import itertools
import json
import random
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from benchmarks.world import seconds
from portal.catalogue.release import Manifest
from portal.disclosure.cells import Contributions, is_dominated, spread_from
from portal.disclosure.history import KEY, Candidate, Ground, Kind, ReleaseHistory, Verdict, audit
from portal.ids import ProjectId
from portal.policy.model import Disclosure, Dominance
from portal.workspaces.history_store import FileHistoryStore

if TYPE_CHECKING:
    from portal.disclosure.base import BaseCells

COUNTRIES, PLACEMENTS, MONTHS = 30, 5, 24
ENTITIES = 20_000
STATEMENTS = 50
LATER = range(3, 20)
ROUNDS = 5
FIGURES = (Kind("rows"), Kind("sum", "spend_eur"), Kind("distinct", "advertiser_id"))
DISCLOSURE = Disclosure.model_validate(
    {
        "entities": {"advertiser_id": 10},
        "dimensions": {"country": "equal", "placement": "equal", "month": {"range": "month"}},
        "measures": {"spend_eur": {"round": 100}},
    }
)
MANIFEST = Manifest(
    dataset="ads", number=1, created_at=datetime(2026, 1, 1, tzinfo=UTC), tool_version="0", synthetic=True, columns={},
    rows=0, rejected_rows=0, recipe_sha256="", sources=(), files=(),
)  # fmt: skip
Group = frozenset[int]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cells:
    """Base cells of a made-up advertising dataset: what the audit asks of them, and how often it looked exactly."""

    names: tuple[str, ...]
    values: npt.NDArray[np.int64]
    sets: Sequence[BitMap]
    amounts: Sequence[Numbers]
    entities: Sequence[Numbers]
    sums: Mapping[str, Numbers]
    largest: Numbers
    totals: Sequence[float]
    asked: list[int] = field(default_factory=list)
    members: Mapping[str, Any] = field(default_factory=dict)

    def entities_in(self, region: Collection[int], entity: str) -> BitMap:
        """Return the union of the cells' entities."""
        del entity
        return BitMap.union(*(self.sets[i] for i in region)) if region else BitMap()

    def adds_to(self, measure: str) -> npt.NDArray[np.bool_]:
        """Every cell has a value."""
        del measure
        return np.ones(len(self.names), dtype=np.bool_)

    def contributions(
        self, region: Collection[int], entity: str, measure: str, minus: Collection[int] = ()
    ) -> Contributions:
        """Return what each entity spends in a region, less another, and note that it was asked."""
        del entity, measure
        self.asked.append(len(region) + len(minus))
        entities = np.concatenate([self.entities[i] for i in (*region, *minus)])
        amounts = np.concatenate([*(self.amounts[i] for i in region), *(-self.amounts[i] for i in minus)])
        totals = np.sort(np.abs(np.bincount(entities.astype(np.int64), amounts)))[::-1]
        return Contributions(float(totals.sum()), tuple(totals[:20].tolist()))

    def in_doubt(
        self, region: Collection[int], entity: str, measure: str, rule: Dominance, minus: Collection[int]
    ) -> bool:
        """Say whether the sum and the largest amounts of the cells leave dominance open."""
        del entity
        sums = self.sums[measure]
        total, within = abs(sums[list(region)].sum() - sums[list(minus)].sum()), self.largest[[*region, *minus]].sum()
        return bool(total < spread_from([min(within, each) for each in self.totals], rule))

    def sure_from(self, measure: str, rule: Dominance) -> float:
        """Return how large a sum is that is certain."""
        del measure
        return spread_from(self.totals, rule)


def measure() -> Mapping[str, float]:
    """Return seconds, each the best of some rounds, and sizes."""
    base, places = _world()
    fresh = _ask(base, _grouped(places, (0, 1)))
    found: dict[str, float] = {"fresh groups": len(fresh) / (1 + len(FIGURES))}
    found["fresh_s"] = _best(lambda: _audit(ReleaseHistory(), fresh, base))
    with tempfile.TemporaryDirectory() as folder:
        store, project = FileHistoryStore(Path(folder)), ProjectId("bench")
        for statement in _statements(places):
            asked = _ask(base, statement)
            store.update(project, MANIFEST, lambda history, asked=asked: _audit(history, asked, base))
        found["load_s"] = _best(lambda: store.update(project, MANIFEST, lambda history: (history, None)))
        history = store.update(project, MANIFEST, lambda history: (history, history))
        found["file_bytes"] = sum(path.stat().st_size for path in Path(folder).rglob("history"))
        later = _ask(base, _grouped({key: i for key, i in places.items() if key[2] in LATER}, (0, 1)))
        base.asked.clear()
        after, verdicts = _audit(history, later, base)
        found |= {
            "statements": STATEMENTS,
            "entries": len(history.entries),
            "later groups": len(later) / (1 + len(FIGURES)),
        }
        found |= {"refused": sum(v.reason is not None for v in verdicts), "looked at exactly": len(base.asked)}
        found["after_s"] = _best(lambda: _audit(history, later, base))
        found["again_s"] = _best(lambda: _audit(after, later, base))
    return found


def _world() -> tuple[Cells, Mapping[tuple[int, int, int], int]]:
    """A few countries hold most advertisers; each is active in some placements and months of its country."""
    draw = random.Random(1)
    amounts: dict[tuple[int, int, int], dict[int, float]] = {}
    weights = [1 / (1 + c) for c in range(COUNTRIES)]
    for entity in range(1, ENTITIES + 1):
        [country] = draw.choices(range(COUNTRIES), weights)
        first = draw.randrange(MONTHS)
        for placement in draw.sample(range(PLACEMENTS), draw.randint(1, 3)):
            for month in range(first, min(MONTHS, first + draw.randint(1, 8))):
                amounts.setdefault((country, placement, month), {})[entity] = round(draw.lognormvariate(4, 1), 2)
    keys = sorted(amounts)
    names = tuple(json.dumps({"country": c, "placement": p, "month": m}) for c, p, m in keys)
    listed = [np.array(list(amounts[key].values())) for key in keys]
    numbered = [np.array(list(amounts[key]), dtype=float) for key in keys]
    cells = Cells(
        names,
        np.array(keys),
        [BitMap(amounts[key]) for key in keys],
        listed,
        numbered,
        {"spend_eur": np.array([each.sum() for each in listed])},
        np.array([each.max() for each in listed]),
        np.sort(np.bincount(np.concatenate(numbered).astype(np.int64), np.concatenate(listed)))[::-1][:20].tolist(),
        members={"advertiser_id": None},
    )
    return cells, dict(zip(keys, itertools.count(), strict=False))


def _statements(places: Mapping[tuple[int, int, int], int]) -> Iterator[list[Group]]:
    """Mixed groupings: by some dimensions, of some countries, over a range of months."""
    draw = random.Random(2)
    for _ in range(STATEMENTS):
        by = draw.choice([(0,), (1,), (2,), (0, 1), (1, 2), (0,), ()])
        countries = set(draw.sample(range(COUNTRIES), draw.choice([30, 30, 12, 5, 3])))
        placements = set(draw.sample(range(PLACEMENTS), draw.choice([5, 5, 3, 2])))
        first, last = sorted(draw.sample(range(MONTHS + 1), 2)) if draw.choice([True, False]) else (0, MONTHS)
        chosen = {k: i for k, i in places.items() if k[0] in countries and k[1] in placements and first <= k[2] < last}
        yield _grouped(chosen, by)


def _grouped(places: Mapping[tuple[int, int, int], int], by: Sequence[int]) -> list[Group]:
    groups: dict[tuple[int, ...], set[int]] = {}
    for key, i in places.items():
        groups.setdefault(tuple(key[d] for d in by), set()).add(i)
    return [frozenset(group) for group in groups.values()]


def _ask(base: Cells, groups: Sequence[Group]) -> list[tuple[Candidate, ...]]:
    """The key and every figure of the groups that hold the rules of a cell by themselves."""
    asked: list[tuple[Candidate, ...]] = []
    for group in groups:
        if len(base.entities_in(group, "")) < DISCLOSURE.entities["advertiser_id"]:
            continue
        names = frozenset(base.names[i] for i in group)
        heavy = is_dominated(base.contributions(group, "", ""), DISCLOSURE.dominance)
        key = Candidate(KEY, names, 0)
        asked.append((key,))
        asked += [(key, Candidate(kind, names, 10.0)) for kind in FIGURES if not (heavy and kind.figure == "sum")]
    return asked


def _audit(
    history: ReleaseHistory, asked: Sequence[tuple[Candidate, ...]], base: Cells
) -> tuple[ReleaseHistory, tuple[Verdict, ...]]:
    return audit(history, asked, Ground(cast("BaseCells", base), "view", DISCLOSURE, base.in_doubt))


def _best(run: Callable[[], object]) -> float:
    return min(seconds(run) for _ in range(ROUNDS))


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
