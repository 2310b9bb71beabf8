"""The release history: what the cells that a project was given say together.

One principle: whatever follows from released cells is a cell too, so the rules of a cell apply to it. Differences of
two cells are looked at one by one; combinations of any number through the row space of all of them, over the parts that
the released cells tell apart. Refused is silent: it looks as any withheld cell.

After Denning, Denning and Schwartz, "The Tracker" (1979), and the inference control literature that followed it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from pyroaring import BitMap

from portal.disclosure.base import BaseCells
from portal.disclosure.cells import is_dominated
from portal.disclosure.parts import Parts, split
from portal.disclosure.span import Mask, Space, Vector
from portal.policy.model import Disclosure

MAX_ENTRIES = 4_000
"""Released cells that one history holds; past it only what was released before is released again."""
MAX_PARTS = 1_500
"""Parts that released cells may tell apart, for one kind of figure; past it a cell that splits further is refused."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is added up: `rows`, the values of a column (`count`), a measure (`sum`) or its `distinct` values.

    Only figures of one kind combine.
    """

    figure: str
    column: str | None = None

    def counted(self, base: BaseCells) -> str | None:
        """Return the column in which an entity must have a value to take part."""
        known = next(iter(base.members.values())).counts
        return self.column if self.column in known else None


@dataclass(frozen=True, slots=True)
class Entry:
    """One released cell: of what kind, over which base cells, with which entities, and the value that was shown.

    `view` names the row rules and masks under which it was made. `cells` are positions in the history's `names`.
    """

    kind: Kind
    view: str
    cells: BitMap
    entities: Mapping[str, BitMap]
    value: float


@dataclass(frozen=True, slots=True)
class ReleaseHistory:
    """All that one project was given of one release. `names` are the base cells, in order of first use."""

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
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """On what an audit stands: the base cells as they are now, under which row rules and masks, and the policy."""

    base: BaseCells
    view: str
    disclosure: Disclosure


def audit(
    history: ReleaseHistory, asked: Sequence[Sequence[Candidate]], ground: Ground
) -> tuple[ReleaseHistory, tuple[Verdict, ...]]:
    """Hold candidates, in order, against the history and each other; all of one sequence leave together or not at all.

    What was released before is released again, at the value that was shown then, and adds nothing.
    """
    grown = _with_names(history, asked)
    made = [[_entry(each, ground, grown.names) for each in together] for together in asked]
    known = {_identity(entry): entry for entry in grown.entries}
    kinds = dict.fromkeys(entry.kind for together in made for entry in together)
    new = [entry for together in made for entry in together if _identity(entry) not in known]
    audits: Mapping[Kind, _Audit] = {kind: _begin(kind, grown, new, ground) for kind in kinds}
    verdicts = []
    for together in made:
        fresh = [entry for entry in together if _identity(entry) not in known]
        after, reason = _try(audits, fresh)
        if fresh and len(known) + len(fresh) > MAX_ENTRIES:
            reason = "history: full"
        if reason is None:
            audits = after
            known |= {_identity(entry): entry for entry in fresh}
        values = tuple(known[_identity(entry)].value for entry in together) if reason is None else ()
        verdicts.append(Verdict(values, reason))
    return replace(grown, entries=tuple(known.values())), tuple(verdicts)


@dataclass(frozen=True, slots=True)
class _Audit:
    """What is known of one kind of figure: the released cells of this view by their parts, and what they span.

    `elsewhen` are cells of other views: the same base cell held other rows then, so only entities compare.
    """

    kind: Kind
    disclosure: Disclosure
    parts: Parts
    here: Mapping[int, int]
    space: Space
    released: tuple[tuple[Vector, Entry], ...]
    elsewhen: tuple[Entry, ...]
    sensitive: tuple[Mask, ...]
    marginals: tuple[Mask, ...]

    def vector_of(self, entry: Entry) -> Vector:
        return self.parts.vector_of({self.here[cell] for cell in entry.cells if cell in self.here})

    def with_entry(self, entry: Entry) -> "_Audit":
        vector = self.vector_of(entry)
        return replace(self, space=self.space.with_vector(vector), released=(*self.released, (vector, entry)))

    def fault(self, entry: Entry) -> str | None:
        """Say what the cell would give away together with what was released, None where nothing."""
        if len(self.parts.regions) > MAX_PARTS:
            return "history: too many parts"
        vector, rules = self.vector_of(entry), self.disclosure.history
        if any(self._too_few(_apart(entry, other)) for other in self.elsewhen):
            return "history: pairwise, under other row rules"
        if rules.pairwise and any(self._tells_apart(vector, entry, *other) for other in self.released):
            return "history: pairwise"
        return "history: span" if rules.span and self._spans(vector) else None

    def _tells_apart(self, vector: Vector, entry: Entry, other: Vector, before: Entry) -> bool:
        difference = vector != other
        if self._too_few(self.parts.entities_of(difference)):
            return True
        nested = bool((vector <= other).all() or (other <= vector).all())
        if nested and self.kind.figure == "distinct" and self._too_few(_apart(entry, before)):
            return True
        return nested and self._is_dominated(difference)

    def _spans(self, vector: Vector) -> bool:
        after = self.space.with_vector(vector)
        if after is self.space:
            return False
        for inside in self.sensitive:
            within = after.dimension_within(inside)
            if within and within > self.space.dimension_within(inside):
                return True
        new = [row for row in after.rows if not self.space.holds(row)]
        if any(self._too_few(self.parts.entities_of(row != 0)) for row in new):
            return True
        sums = [row != 0 for row in new if len(set(row[row != 0].tolist())) == 1]
        sums += [mask for mask in self.marginals if self._is_new(mask, after)]
        return any(self._is_dominated(mask) for mask in sums)

    def _is_new(self, mask: Mask, after: Space) -> bool:
        vector = mask.astype(np.int64)
        return after.holds(vector) and not self.space.holds(vector)

    def _too_few(self, entities: Mapping[str, int]) -> bool:
        return any(0 < entities[name] < k for name, k in self.disclosure.entities.items())

    def _is_dominated(self, mask: Mask) -> bool:
        if self.kind.figure != "sum" or self.kind.column is None or not mask.any():
            return False
        amounts = self.parts.contributions(mask, self.kind.column)
        return any(is_dominated(each, self.disclosure.dominance) for each in amounts)


def _begin(kind: Kind, history: ReleaseHistory, new: Sequence[Entry], ground: Ground) -> _Audit:
    base = ground.base
    places = {name: i for i, name in enumerate(base.names)}
    here = {i: places[name] for i, name in enumerate(history.names) if name in places}
    before = [entry for entry in history.entries if entry.kind == kind]
    same = [entry for entry in before if entry.view == ground.view]
    asked = [*same, *(entry for entry in new if entry.kind == kind)]
    cells = [BitMap(here[cell] for cell in entry.cells if cell in here) for entry in asked]
    parts = split(cells, base, kind.counted(base))
    bounded = len(parts.regions) <= MAX_PARTS
    audit = _Audit(
        kind,
        ground.disclosure,
        parts,
        here,
        Space.empty(len(parts.regions)),
        (),
        tuple(entry for entry in before if entry.view != ground.view),
        parts.sensitive(ground.disclosure.entities) if bounded else (),
        parts.marginals() if bounded and kind.figure == "sum" else (),
    )
    return reduce(_Audit.with_entry, same if bounded else (), audit)


def _try(audits: Mapping[Kind, _Audit], fresh: Sequence[Entry]) -> tuple[Mapping[Kind, _Audit], str | None]:
    after = dict(audits)
    for entry in fresh:
        reason = after[entry.kind].fault(entry)
        if reason is not None:
            return audits, reason
        after[entry.kind] = after[entry.kind].with_entry(entry)
    return after, None


def _apart(one: Entry, other: Entry) -> Mapping[str, int]:
    return {
        name: entities.symmetric_difference_cardinality(other.entities[name])
        for name, entities in one.entities.items()
        if name in other.entities
    }


def _identity(entry: Entry) -> tuple[str, Kind, bytes]:
    return entry.view, entry.kind, entry.cells.serialize()


def _with_names(history: ReleaseHistory, asked: Sequence[Sequence[Candidate]]) -> ReleaseHistory:
    used = {name for together in asked for each in together for name in each.cells}
    return replace(history, names=(*history.names, *sorted(used - set(history.names))))


def _entry(candidate: Candidate, ground: Ground, names: Sequence[str]) -> Entry:
    base = ground.base
    places = {name: i for i, name in enumerate(names)}
    here = {name: i for i, name in enumerate(base.names)}
    region, counted = [here[name] for name in candidate.cells], candidate.kind.counted(base)
    entities = {entity: base.entities_in(region, entity, counted) for entity in base.members}
    return Entry(
        candidate.kind, ground.view, BitMap(places[name] for name in candidate.cells), entities, candidate.value
    )
