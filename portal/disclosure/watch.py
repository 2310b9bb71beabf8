"""What the released cells of one kind of figure say together, and what one more would add."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from portal.disclosure.cells import ROUNDING
from portal.disclosure.derived import derived_cells
from portal.disclosure.few import tells_of_few
from portal.disclosure.parts import Cells, Parts
from portal.disclosure.span import PRIME, Mask, Places, Space, Step, Vector
from portal.policy.model import Disclosure

Amounts = npt.NDArray[np.float64]


class Reason(StrEnum):
    """Why a cell that holds every other rule is withheld: the steward's to know, nobody else's."""

    FULL = "history: full"
    PARTS = "history: too many parts"
    OTHER_VIEW = "history: pairwise, under other row rules"
    PAIRWISE = "history: pairwise"
    SPAN = "history: span"
    UNDECIDED = "history: too many combinations"


@dataclass(frozen=True, slots=True)
class Summed:
    """How a sum is held against dominance.

    `sums` are those of the base cells; a sum of `sure_from` or more is not dominated whatever it is made of.
    `dominated` tells whether the sum over some base cells, less that over others, is; and there are `marginals` to look
    at. These two may cost, and are asked only where nothing cheaper decides.
    """

    sums: Amounts
    sure_from: float
    dominated: Callable[[Sequence[int], Sequence[int]], bool]
    marginals: Callable[[], Mask]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the cells of one family must hold; `summed` where a measure is added up."""

    disclosure: Disclosure
    summed: Summed | None = None


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is to be said of one more cell: why it is withheld, if it is, and what it would make known."""

    reason: Reason | None
    step: Step | None = None


class Watch:
    """The cells of one family by their parts, released or asked for; it grows by each cell that is released.

    `counts` are the entities of each cell, by type. The first cells were released before, as `distinct` says for each
    also or only as a number of different things, and are what `space` is made of; the others are asked for.
    """

    def __init__(self, parts: Parts, counts: Mapping[str, Cells], distinct: Mask, space: Space, rules: Rules) -> None:
        vectors = parts.partition.vectors
        self._parts, self._counts, self._rules = parts, counts, rules
        self._thresholds = rules.disclosure.entities
        self._vectors, self._packed = vectors, np.packbits(vectors, axis=1)
        self._by_part, self._common = np.asfortranarray(vectors), vectors.sum(axis=0)
        self._first = vectors.argmax(axis=1) if vectors.size else np.zeros(len(vectors), dtype=np.intp)
        self._is_released = np.arange(len(vectors)) < len(distinct)
        self._is_distinct = np.concatenate([distinct, np.zeros(len(vectors) - len(distinct), dtype=np.bool_)])
        # Two cells that differ in a part of k entities differ by k, so only cells of one signature need a look.
        self._signatures = {
            name: [row.tobytes() for row in self._packed & np.packbits(parts.sizes[name] >= k)]
            for name, k in self._thresholds.items()
        }
        self._seen: dict[tuple[bytes, bytes], bool] = {}
        self._alike: dict[tuple[str, bytes], list[int]] = {}
        for cell in range(len(distinct)):
            self._sign(cell)
        self._space = space

    def weigh(self, cell: int, *, distinct: bool = False) -> Weighed:
        """Say what the cell would give away together with what was released."""
        rules = self._rules.disclosure.history
        if rules.pairwise and (self._tells_apart(cell) or (distinct and self._counts_few_more(cell))):
            return Weighed(Reason.PAIRWISE)
        if self._is_released[cell]:
            return Weighed(None)
        step = self._step(cell)
        return Weighed(self._spans(cell, step) if step else None, step)

    def take(self, cell: int, weighed: Weighed | None = None, *, distinct: bool = False) -> None:
        """Note that a cell is released, as it was just weighed or whatever it gives away."""
        self._is_distinct[cell] |= distinct
        if self._is_released[cell]:
            return
        self._is_released[cell] = True
        self._sign(cell)
        step = weighed.step if weighed else self._step(cell)
        if step is None:
            return
        self._space.take(step)
        if self._rules.summed is not None:
            _, rest = self._marginals
            [using] = rest[:, step.pivot].nonzero()
            rest[using] = (rest[using] - rest[using, step.pivot, None] * step.row) % PRIME

    def _step(self, cell: int) -> Step | None:
        return self._space.step(self._vectors[cell]) if self._rules.disclosure.history.span else None

    @cached_property
    def _marginals(self) -> tuple[Mask, Vector]:
        """The marginals, and what the space does not explain of each."""
        masks = self._rules.summed.marginals() if self._rules.summed else self._vectors[:0]
        rest = [self._space.remainder(mask) for mask in masks]
        return masks, np.array(rest, dtype=np.int64).reshape(masks.shape)

    @cached_property
    def _owned(self) -> tuple[Cells, Cells]:
        """The base cells of all parts, and the part of each."""
        owned = [(cell, p) for p, region in enumerate(self._parts.partition.regions) for cell in region]
        cells, part = np.array(owned, dtype=np.int64).T
        return cells, part

    def _sign(self, cell: int) -> None:
        for name, signatures in self._signatures.items():
            self._alike.setdefault((name, signatures[cell]), []).append(cell)

    def _tells_apart(self, cell: int) -> bool:
        own = self._vectors[cell]
        return any(self._differs_by_few(cell, name, k) for name, k in self._thresholds.items()) or any(
            self._is_dominated(own & ~self._vectors[other], self._vectors[other] & ~own)
            for other in self._overlapping(cell)
        )

    def _differs_by_few(self, cell: int, name: str, k: int) -> bool:
        others = np.array(self._alike.get((name, self._signatures[name][cell]), ()), dtype=np.intp)
        close = others[np.abs(self._counts[name][others] - self._counts[name][cell]) < k]
        return any(0 < self._reach(self._vectors[cell] ^ self._vectors[other], name) < k for other in close)

    def _counts_few_more(self, cell: int) -> bool:
        """Say whether the entities of a cell are those of another and a few: nested sets differ by their counts.

        Without a name is one entity in the counts here, and none in what is shown.
        """
        few = np.zeros(len(self._vectors), dtype=np.bool_)
        for name, k in self._thresholds.items():
            more = np.abs(self._counts[name] - self._counts[name][cell])
            few |= (more > 0) & (more <= k)
        few &= self._is_distinct
        return bool(few.any()) and bool(few[self._holding(cell)].any() or few[self._held(cell)].any())

    def _overlapping(self, cell: int) -> Places:
        """Return the released cells that have a part in common and of which the difference may be dominated."""
        if self._rules.summed is None:
            return np.zeros(0, dtype=np.intp)
        totals, added = self._totals
        surely = np.abs(totals - totals[cell]) - ROUNDING * (added + added[cell])
        close = np.flatnonzero(self._is_released & (surely < self._rules.summed.sure_from))
        found: Places = close[(self._packed[close] & self._packed[cell]).any(axis=1)]
        return found

    @cached_property
    def _totals(self) -> tuple[Amounts, Amounts]:
        """The sum of each cell, and how much was added up for it at most; no cell holds what is no finite number."""
        cells, part = self._owned
        sums = self._rules.summed.sums[cells] if self._rules.summed else np.zeros(len(cells))
        finite = np.where(np.isfinite(sums), sums, 0.0)
        by_part = [np.bincount(part, each, self._vectors.shape[1]) for each in (finite, np.abs(finite))]
        totals: Amounts = self._vectors @ np.array(by_part, dtype=np.float64).T
        return totals[:, 0], totals[:, 1]

    def _holding(self, cell: int) -> Places:
        [places] = self._vectors[cell].nonzero()
        if not len(places):
            return np.zeros(0, dtype=np.intp)
        rarest = places[self._common[places].argmin()]
        [others] = (self._by_part[:, rarest] & self._is_released).nonzero()
        found: Places = others[~(self._packed[cell] & ~self._packed[others]).any(axis=1)]
        return found

    def _held(self, cell: int) -> Places:
        [others] = (self._vectors[cell][self._first] & self._is_released).nonzero()
        found: Places = others[~(self._packed[others] & ~self._packed[cell]).any(axis=1)]
        return found

    def _spans(self, cell: int, step: Step) -> Reason | None:
        parts = self._parts
        if step.pivot >= parts.large:
            # Only now is there something new that lies in small parts alone.
            ways = self._space.rows[self._space.pivots >= parts.large]
            for name, k in self._thresholds.items():
                found = tells_of_few(step.row, ways, parts.entities[name], k)
                if found is not False:
                    return Reason.SPAN if found else Reason.UNDECIDED
        if self._rules.summed is None:
            return None
        own = self._vectors[cell]
        sums = itertools.chain(derived_cells(step, self._space), self._new_marginals(step))
        return Reason.SPAN if any(self._is_dominated(each) for each in sums if (each != own).any()) else None

    def _new_marginals(self, step: Step) -> Mask:
        """Return the marginals that follow with this step and did not before."""
        masks, rest = self._marginals
        factor = rest[:, step.pivot, None]
        [using] = factor[:, 0].nonzero()
        follows = ((rest[using] - factor[using] * step.row) % PRIME == 0).all(axis=1)
        found: Mask = masks[using[follows]]
        return found

    def _reach(self, mask: Mask, name: str) -> int:
        sets = self._parts.entities[name]
        return len(BitMap().union(*(sets[p] for p in mask.nonzero()[0])))

    def _is_dominated(self, plus: Mask, minus: Mask | None = None) -> bool:
        """Look at a sum, less another, once: the same cell may follow in several ways."""
        less = np.zeros_like(plus) if minus is None else minus
        if self._rules.summed is None or not (plus.any() or less.any()):
            return False
        key = (plus.tobytes(), less.tobytes())
        if key not in self._seen:
            cells, part = self._owned
            self._seen[key] = self._rules.summed.dominated(cells[plus[part]].tolist(), cells[less[part]].tolist())
        return self._seen[key]
