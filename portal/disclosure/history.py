"""The release history: what the cells that a project was given say together.

One principle: whatever follows from released cells is a cell too, so the rules of a cell apply to it. Differences of
two cells are looked at one by one; combinations of any number through the row space of all of them, over the parts that
the released cells tell apart. Refused is silent: it looks as any withheld cell.

That no combination tells of too few entities is decided exactly, or the cell is refused as undecided. Dominance of a
sum is looked at in differences of cells that overlap, by what each entity adds to the difference, in the simplest cells
that follow (`derived.py`) and in marginals.

After Denning, Denning and Schwartz, "The Tracker" (1979), and the inference control literature that followed it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

import numpy as np
from pyroaring import BitMap

from portal.disclosure.base import BaseCells
from portal.disclosure.cells import is_dominated
from portal.disclosure.kept import KeptSet, keep, packed
from portal.disclosure.marginals import marginals
from portal.disclosure.parts import Cells, Partition, Parts, partition, weigh_parts, with_unions
from portal.disclosure.span import Mask, Space
from portal.disclosure.watch import Reason, Rules, Summed, Watch, Weighed
from portal.policy.model import Disclosure, Dominance

MAX_ENTRIES = 5_400
"""Released cells that one history holds; past it only what was released before is released again.

With 3,700 of them, of mixed groupings over 3,600 parts, 150 groups with three figures take 1.0 s of one core, beside
some 1,000 differences of sums that are looked at exactly, 3 to 11 ms each (`benchmarks/history.py`).
"""
MAX_PARTS = 4_000
"""Parts that released cells may tell apart, for one kind of figure; past it a cell that splits further is refused.

The matrix of a kind is then 80 MB at most: a number of four bytes, and a mark, for each part and independent cell.
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is added up: `rows`, a measure (`sum`), or the `distinct` values of a column; or the `key` of a group.

    The values of a column are counted as the rows that have one.
    """

    figure: str
    column: str | None = None

    def families(self, disclosure: Disclosure) -> tuple["Kind", ...]:
        """Return what this kind is held against, and whatever else is held against it.

        Where each entity has one row, counts of rows and of entities are the same, so they are held together. A key is
        held against other keys and counts; it tells no number, so no count is held against it.
        """
        counts = self == ROWS or (self.figure == "distinct" and self.column in disclosure.entities)
        return (ROWS, KEY) if counts else (self,)


NOBODY = 0
"""The number of the one entity without a name."""
ROWS = Kind("rows")
KEY = Kind("key")


@dataclass(frozen=True, slots=True)
class Entry:
    """One released cell: of what kind, over which base cells, with which entities, and the value that was shown.

    `view` names the row rules and masks under which it was made. `cells` are positions in the history's `names`, as a
    serialised bitmap.

    What was released of two datasets that are joined is noted in the history of either as well, by its entities alone:
    under a view that only the pair has, of no cells, with the `thresholds` of the pair.
    """

    kind: Kind
    view: str
    cells: bytes
    entities: Mapping[str, KeptSet]
    value: float
    thresholds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReleaseHistory:
    """All that one project was given of one release; it only ever grows. `names` are base cells, by first use."""

    names: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A cell that holds every other rule and would be released: its base cells by name, and its rounded value."""

    kind: Kind
    cells: frozenset[str]
    value: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether candidates may leave together, and the values to show; else the reason, which is the steward's only."""

    values: tuple[float, ...]
    reason: Reason | None = None


def always_in_doubt(
    region: Collection[int], entity: str, measure: str, rule: Dominance, minus: Collection[int]
) -> bool:
    """Say that nothing cheap excludes dominance."""
    del region, entity, measure, rule, minus
    return True


@dataclass(frozen=True, slots=True)
class Ground:
    """On what an audit stands: the base cells as they are now, under which row rules and masks, and the policy.

    `in_doubt` says cheaply, of a region, an entity, a measure, and a region whose sum is taken away, whether dominance
    needs an exact look.
    """

    base: BaseCells
    view: str
    disclosure: Disclosure
    in_doubt: Callable[[Collection[int], str, str, Dominance, Collection[int]], bool] = always_in_doubt


def audit(
    history: ReleaseHistory, asked: Sequence[Sequence[Candidate]], ground: Ground
) -> tuple[ReleaseHistory, tuple[Verdict, ...]]:
    """Hold candidates, in order, against the history and each other; all of one sequence leave together or not at all.

    The candidates of one sequence are each of a kind of its own. What was released before is released again, at the
    value that was shown then, and adds nothing.
    """
    grown, made = _made(history, asked)
    known = {(entry.kind, entry.cells): entry.value for entry in history.entries if entry.view == ground.view}
    fresh = dict.fromkeys(key for keys in made for key in keys if key not in known)
    families = {kind: kind.families(ground.disclosure) for kind in dict.fromkeys(kind for kind, _ in fresh)}
    look = _look(grown, ground)
    standings = {
        family: _standing(family, [cells for kind, cells in fresh if family in families[kind]], grown, look)
        for family in dict.fromkeys(own for own, *_ in families.values())
    }
    entries = list(history.entries)
    verdicts = []
    for candidates, keys in zip(asked, made, strict=True):
        new = {key: each.value for key, each in zip(keys, candidates, strict=True) if key not in known}
        weighings = {(kind, cells): standings[families[kind][0]].weigh(kind, cells) for kind, cells in new}
        reason = next((each.reason for each in weighings.values() if each.reason), None)
        if new and len(entries) + len(new) > MAX_ENTRIES:
            reason = Reason.FULL
        if reason is None:
            for (kind, cells), each in weighings.items():
                own, *others = families[kind]
                standings[own].take(kind, cells, each)
                for other in others:
                    if other in standings:
                        standings[other].take(kind, cells)
                entries.append(Entry(kind, ground.view, cells, standings[own].kept(cells), new[kind, cells]))
            known |= new
        verdicts.append(Verdict(tuple(known[key] for key in keys) if reason is None else (), reason))
    return replace(grown, entries=tuple(entries)), tuple(verdicts)


@dataclass(frozen=True, slots=True)
class _Look:
    """Base cells as an audit looks at them, by their positions; every question is asked once."""

    ground: Ground
    cells: Callable[[bytes], Cells]
    split: Callable[[tuple[bytes, ...]], Partition]
    space: Callable[[bytes, tuple[int, ...]], Space]
    entities: Callable[[tuple[int, ...], str], BitMap]
    dominated: Callable[[Sequence[int], Sequence[int], str], bool]


@dataclass(frozen=True, slots=True)
class _Standing:
    """One family of figures: its cells under this view, those under others, and what is asked for.

    `rows` are the places of what is asked in the watch; what is not in it would split parts beyond the bound.
    """

    watch: Watch
    rows: Mapping[bytes, int]
    entities: Mapping[bytes, Mapping[str, BitMap]]
    elsewhere: Mapping[str, "_Elsewhere"]

    def weigh(self, kind: Kind, cells: bytes) -> Weighed:
        if cells not in self.rows:
            return Weighed(Reason.PARTS)
        if any(self._apart_by_few(name, entities) for name, entities in self.entities[cells].items()):
            return Weighed(Reason.OTHER_VIEW)
        return self.watch.weigh(self.rows[cells], distinct=kind.figure == "distinct")

    def take(self, kind: Kind, cells: bytes, weighed: Weighed | None = None) -> None:
        if cells in self.rows:
            self.watch.take(self.rows[cells], weighed, distinct=kind.figure == "distinct")

    def kept(self, cells: bytes) -> Mapping[str, KeptSet]:
        return {name: keep(entities) for name, entities in self.entities[cells].items()}

    def _apart_by_few(self, name: str, entities: BitMap) -> bool:
        """Under other row rules the same base cell held other rows, so only entities compare.

        Without a name is one entity in the sets, and none in a number of entities that is shown.
        """
        kept, sizes, thresholds = self.elsewhere[name]
        close = np.flatnonzero(np.abs(sizes - len(entities)) <= thresholds).tolist()
        return any(_differ_by_few(entities, kept[i].bitmap(), thresholds[i]) for i in close)


class _Elsewhere(NamedTuple):
    """The entities of one type in released cells of other views: sets, their sizes, and by how many they may differ."""

    kept: Sequence[KeptSet]
    sizes: Cells
    thresholds: Cells


def _standing(family: Kind, asked: Sequence[bytes], history: ReleaseHistory, look: _Look) -> _Standing:
    disclosure, view = look.ground.disclosure, look.ground.view
    entries = [entry for entry in history.entries if family in entry.kind.families(disclosure)]
    here = {entry.cells: entry for entry in entries if entry.view == view}
    distinct = {entry.cells for entry in entries if entry.view == view and entry.kind.figure == "distinct"}
    fresh = list(dict.fromkeys(cells for cells in asked if cells not in here))
    split, fits = _split(tuple(here), fresh, look)
    parts = weigh_parts(split, look.entities, disclosure.entities)
    first = len(split.vectors) - len(fresh)
    before = dict(list(here.items())[:first])
    places = {cells: i for i, cells in enumerate((*before, *fresh))}
    entities = {cells: parts.entities_of(places[cells]) for cells in asked if cells in places}
    counts = {
        name: [
            *(_size(entry, name, parts, i) for i, entry in enumerate(before.values())),
            *(len(entities[cells][name]) for cells in fresh),
        ]
        for name in disclosure.entities
    }
    rules = Rules(disclosure, _summed(family.column, parts, look) if family.figure == "sum" else None)
    released = parts.partition.vectors[: first if disclosure.history.span else 0]
    watch = Watch(
        parts,
        {name: np.array(each, dtype=np.int64) for name, each in counts.items()},
        np.array([cells in distinct for cells in before], dtype=np.bool_),
        look.space(released.tobytes(), released.shape).copy(),
        rules,
    )
    fitting = {*before, *(cells for cells, fit in zip(fresh, fits, strict=True) if fit)}
    return _Standing(
        watch,
        {cells: places[cells] for cells in asked if cells in fitting},
        entities,
        {name: _elsewhere(name, k, entries, view) for name, k in disclosure.entities.items()},
    )


def _size(entry: Entry, name: str, parts: Parts, cell: int) -> int:
    """Count the entities of a released cell; a policy may name more kinds of entity than when it was released."""
    return entry.entities[name].size if name in entry.entities else len(parts.entities_of(cell)[name])


def _split(before: tuple[bytes, ...], asked: Sequence[bytes], look: _Look) -> tuple[Partition, Mask]:
    """Tell parts apart by what was released and what is asked; past the bound by the former, or by nothing."""
    split = look.split((*before, *asked))
    if len(split.regions) <= MAX_PARTS:
        return split, np.ones(len(asked), dtype=np.bool_)
    split = look.split(before)
    if len(split.regions) > MAX_PARTS:
        split = look.split(())
    return with_unions(split, [look.cells(each) for each in asked], len(look.ground.base.names))


def _differ_by_few(one: BitMap, other: BitMap, k: int) -> bool:
    nameless = (NOBODY in one) != (NOBODY in other)
    return 0 < one.symmetric_difference_cardinality(other) < k + nameless


def _elsewhere(name: str, k: int, entries: Sequence[Entry], view: str) -> _Elsewhere:
    found = [entry for entry in entries if entry.view != view and name in entry.entities]
    kept = [entry.entities[name] for entry in found]
    sizes, thresholds = [each.size for each in kept], [max(k, entry.thresholds.get(name, k)) for entry in found]
    return _Elsewhere(kept, np.array(sizes, dtype=np.int64), np.array(thresholds, dtype=np.int64))


def _summed(measure: str | None, parts: Parts, look: _Look) -> Summed:
    assert measure is not None
    base = look.ground.base
    return Summed(
        base.sums[measure],
        base.sure_from(measure, look.ground.disclosure.dominance),
        lambda plus, minus: look.dominated(plus, minus, measure),
        lambda: marginals(base.values, parts.partition.regions, base.adds_to(measure)),
    )


def _look(history: ReleaseHistory, ground: Ground) -> _Look:
    base, dominance = ground.base, ground.disclosure.dominance
    places = {name: i for i, name in enumerate(base.names)}
    here = np.array([places.get(name, -1) for name in history.names], dtype=np.int64)

    def cells(kept: bytes) -> Cells:
        found = here[BitMap.deserialize(kept).to_array()]
        return found[found >= 0]

    def dominated(plus: Sequence[int], minus: Sequence[int], measure: str) -> bool:
        return any(
            ground.in_doubt(plus, name, measure, dominance, minus)
            and is_dominated(base.contributions(plus, name, measure, minus), dominance)
            for name in base.members
        )

    known = cache(cells)
    return _Look(
        ground,
        known,
        cache(lambda kept: partition([known(each) for each in kept], len(base.names))),
        cache(lambda vectors, shape: Space.of(np.frombuffer(vectors, dtype=np.bool_).reshape(shape))),
        cache(base.entities_in),
        dominated,
    )


def _made(
    history: ReleaseHistory, asked: Sequence[Sequence[Candidate]]
) -> tuple[ReleaseHistory, list[list[tuple[Kind, bytes]]]]:
    """Write the base cells of candidates as a history does, after naming those that are new to it."""
    places = {name: i for i, name in enumerate(history.names)}
    used = {name for cells in {each.cells for together in asked for each in together} for name in cells}
    names = (*history.names, *sorted(used - places.keys()))
    places |= {name: i for i, name in enumerate(names[len(places) :], len(places))}
    written = cache(lambda cells: packed(BitMap([places[name] for name in cells])))
    made = [[(each.kind, written(each.cells)) for each in together] for together in asked]
    return replace(history, names=names), made
