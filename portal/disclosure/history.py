"""The release history: what the cells that a project was given say together.

One principle: whatever follows from released cells is a cell too, so the rules of a cell apply to it. Differences of
two cells are looked at one by one; combinations of any number through the row space of all of them, over the parts that
the released cells tell apart. Refused is silent: it looks as any withheld cell.

That no combination tells of too few entities is decided exactly, or the cell is refused as undecided. Dominance of a
sum is looked at in differences of nested cells, in the simplest cells that follow (`derived.py`) and in marginals.

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

MAX_ENTRIES = 4_000
"""Released cells that one history holds; past it only what was released before is released again.

With 2,800 of them, of mixed groupings over 3,600 parts, 150 groups with three figures take 0.7 s of one busy core
(`benchmarks/history.py`).
"""
MAX_PARTS = 4_000
"""Parts that released cells may tell apart, for one kind of figure; past it a cell that splits further is refused.

The matrix of a kind is then 80 MB at most: a number of four bytes, and a mark, for each part and independent cell.
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is added up: `rows`, the values of a column (`count`), a measure (`sum`) or its `distinct` values.

    Only figures of one kind combine.
    """

    figure: str
    column: str | None = None

    def counted(self, disclosure: Disclosure) -> str | None:
        """Return the column in which an entity must have a value to take part."""
        return self.column if self.column in disclosure.measures or self.column in disclosure.entities else None

    def is_like(self, other: "Kind", disclosure: Disclosure) -> bool:
        """Say whether figures of both kinds may be the same where they hold different rows.

        Where each entity has one row, to count rows is to count these entities.
        """
        counts = [kind.column is None or kind.column in disclosure.entities for kind in (self, other)]
        return self == other or all(counts)


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


def always_in_doubt(region: Collection[int], entity: str, measure: str, rule: Dominance) -> bool:
    """Say that nothing cheap excludes dominance."""
    del region, entity, measure, rule
    return True


@dataclass(frozen=True, slots=True)
class Ground:
    """On what an audit stands: the base cells as they are now, under which row rules and masks, and the policy.

    `in_doubt` says cheaply, of a region, an entity and a measure, whether dominance needs an exact look.
    """

    base: BaseCells
    view: str
    disclosure: Disclosure
    in_doubt: Callable[[Collection[int], str, str, Dominance], bool] = always_in_doubt


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
    look = _look(grown, ground)
    standings = {
        kind: _standing(kind, [cells for of, cells in fresh if of == kind], grown, look)
        for kind in dict.fromkeys(kind for kind, _ in fresh)
    }
    entries = list(history.entries)
    verdicts = []
    for candidates, keys in zip(asked, made, strict=True):
        new = {key: each.value for key, each in zip(keys, candidates, strict=True) if key not in known}
        weighings = {key: standings[key[0]].weigh(key[1]) for key in new}
        reason = next((each.reason for each in weighings.values() if each.reason), None)
        if new and len(entries) + len(new) > MAX_ENTRIES:
            reason = Reason.FULL
        if reason is None:
            for (kind, cells), each in weighings.items():
                entries.append(standings[kind].take(cells, each, ground.view, new[kind, cells]))
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
    entities: Callable[[tuple[int, ...], str, str | None], BitMap]
    dominated: Callable[[Sequence[int], str], bool]


@dataclass(frozen=True, slots=True)
class _Standing:
    """One kind of figure: its cells under this view, those under others, and what is asked for.

    `rows` are the places of what is asked in the watch; what is not in it would split parts beyond the bound.
    """

    kind: Kind
    watch: Watch
    rows: Mapping[bytes, int]
    entities: Mapping[bytes, Mapping[str, BitMap]]
    elsewhere: Mapping[str, "_Elsewhere"]

    def weigh(self, cells: bytes) -> Weighed:
        if cells not in self.rows:
            return Weighed(Reason.PARTS)
        if any(self._apart_by_few(name, entities) for name, entities in self.entities[cells].items()):
            return Weighed(Reason.OTHER_VIEW)
        return self.watch.weigh(self.rows[cells])

    def take(self, cells: bytes, weighed: Weighed, view: str, value: float) -> Entry:
        self.watch.take(self.rows[cells], weighed)
        kept = {name: keep(entities) for name, entities in self.entities[cells].items()}
        return Entry(self.kind, view, cells, kept, value)

    def _apart_by_few(self, name: str, entities: BitMap) -> bool:
        """Under other row rules the same base cell held other rows, so only entities compare."""
        kept, sizes, thresholds = self.elsewhere[name]
        close = np.flatnonzero(np.abs(sizes - len(entities)) < thresholds).tolist()
        return any(0 < entities.symmetric_difference_cardinality(kept[i].bitmap()) < thresholds[i] for i in close)


class _Elsewhere(NamedTuple):
    """The entities of one type in released cells of other views: sets, their sizes, and by how many they may differ."""

    kept: Sequence[KeptSet]
    sizes: Cells
    thresholds: Cells


def _standing(kind: Kind, asked: Sequence[bytes], history: ReleaseHistory, look: _Look) -> _Standing:
    disclosure, counted = look.ground.disclosure, kind.counted(look.ground.disclosure)
    here = [entry for entry in history.entries if entry.kind == kind and entry.view == look.ground.view]
    others = [
        entry for entry in history.entries if entry.view != look.ground.view and entry.kind.is_like(kind, disclosure)
    ]
    split, fits = _split(tuple(entry.cells for entry in here), asked, look)
    parts = weigh_parts(split, lambda region, name: look.entities(region, name, counted), disclosure.entities)
    first = len(split.vectors) - len(asked)
    entities = [parts.entities_of(first + i) for i in range(len(asked))]
    counts = {
        name: [
            *(_size(entry, name, parts, i) for i, entry in enumerate(here[:first])),
            *(len(e[name]) for e in entities),
        ]
        for name in disclosure.entities
    }
    sums = Summed(lambda region: look.dominated(region, kind.column or ""), lambda: _marginals(parts, counted, look))
    rules = Rules(disclosure, kind.figure == "distinct", sums if kind.figure == "sum" else None)
    released = parts.partition.vectors[: first if disclosure.history.span else 0]
    space = look.space(released.tobytes(), released.shape).copy()
    watch = Watch(parts, {name: np.array(each, dtype=np.int64) for name, each in counts.items()}, first, space, rules)
    return _Standing(
        kind,
        watch,
        {cells: first + i for i, cells in enumerate(asked) if fits[i]},
        dict(zip(asked, entities, strict=True)),
        {name: _elsewhere(name, k, others) for name, k in disclosure.entities.items()},
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


def _elsewhere(name: str, k: int, entries: Sequence[Entry]) -> _Elsewhere:
    found = [entry for entry in entries if name in entry.entities]
    kept = [entry.entities[name] for entry in found]
    sizes, thresholds = [each.size for each in kept], [max(k, entry.thresholds.get(name, k)) for entry in found]
    return _Elsewhere(kept, np.array(sizes, dtype=np.int64), np.array(thresholds, dtype=np.int64))


def _marginals(parts: Parts, counted: str | None, look: _Look) -> Mask:
    base = look.ground.base
    [name, *_] = base.members
    full = [counted is None or bool(look.entities((cell,), name, counted)) for cell in range(len(base.names))]
    return marginals(base.names, parts.partition.regions, np.array(full, dtype=np.bool_))


def _look(history: ReleaseHistory, ground: Ground) -> _Look:
    base, dominance = ground.base, ground.disclosure.dominance
    places = {name: i for i, name in enumerate(base.names)}
    here = np.array([places.get(name, -1) for name in history.names], dtype=np.int64)

    def cells(kept: bytes) -> Cells:
        found = here[BitMap.deserialize(kept).to_array()]
        return found[found >= 0]

    def dominated(region: Sequence[int], measure: str) -> bool:
        return any(
            ground.in_doubt(region, name, measure, dominance)
            and is_dominated(base.contributions(region, name, measure), dominance)
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
