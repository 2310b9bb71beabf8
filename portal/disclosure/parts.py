"""The parts that a set of cells tells apart: base cells that lie in exactly the same of them are one part.

Whatever can be derived from the cells by adding and subtracting is a combination of parts, so the audit needs no finer
view than this, however fine the base cells are.
"""

import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pyroaring import BitMap

from portal.disclosure.base import BaseCells
from portal.disclosure.cells import Contributions
from portal.disclosure.span import Mask, Vector

MAX_MARGINALS = 500
"""Marginals (one value for each of some dimensions) that are looked at for dominance, coarsest first."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts in order of falling size. `regions[c]` are the base cells of part c, `entities[e][c]` its entities.

    Base cells without any entity are left out: what is empty adds nothing.
    """

    base: BaseCells
    counted: str | None
    regions: tuple[tuple[int, ...], ...]
    entities: Mapping[str, tuple[BitMap, ...]]

    def vector_of(self, cells: Collection[int]) -> Vector:
        """Return which parts a cell is made of."""
        return np.array([region[0] in cells for region in self.regions], dtype=np.int64)

    def entities_of(self, mask: Mask) -> Mapping[str, int]:
        """Count the entities, by type, of some parts together."""
        chosen = np.flatnonzero(mask)
        return {name: len(BitMap().union(*(sets[c] for c in chosen))) for name, sets in self.entities.items()}

    def contributions(self, mask: Mask, measure: str) -> Iterator[Contributions]:
        """Yield what entities of each type add to a measure over some parts together."""
        region = [cell for c in np.flatnonzero(mask) for cell in self.regions[c]]
        return (self.base.contributions(region, name, measure) for name in self.entities)

    def sensitive(self, thresholds: Mapping[str, int]) -> tuple[Mask, ...]:
        """Return sets of parts that together hold fewer entities than some threshold, closed and grown greedily.

        Around each small part: all parts of no other entities than its own, and as many more as stay below.
        """
        found = {}
        for name, k in thresholds.items():
            sets = self.entities[name]
            small = [c for c, entities in enumerate(sets) if len(entities) < k]
            for seed in small:
                for core in (sets[seed], _grown(sets[seed], [sets[c] for c in small], k)):
                    mask = np.array([entities.issubset(core) for entities in sets], dtype=np.bool_)
                    found[mask.tobytes()] = mask
        return tuple(found.values())

    def marginals(self) -> tuple[Mask, ...]:
        """Return the marginals that are unions of parts: one value for each of some dimensions."""
        part = {cell: c for c, region in enumerate(self.regions) for cell in region}
        contents = [json.loads(name) for name in self.base.names]
        full = {cell for cell in range(len(contents)) if self._reached(cell)}
        dimensions = list(contents[0]) if contents else []
        found: dict[bytes, Mask] = {}
        for size in range(1, len(dimensions) + 1):
            for chosen in itertools.combinations(dimensions, size):
                for region in _by_value(contents, chosen, full):
                    mask = np.zeros(len(self.regions), dtype=np.bool_)
                    mask[[part[cell] for cell in region if cell in part]] = True
                    if sum(len(self.regions[c]) for c in np.flatnonzero(mask)) == len(region):
                        found[mask.tobytes()] = mask
                    if len(found) >= MAX_MARGINALS:
                        return tuple(found.values())
        return tuple(found.values())

    def _reached(self, cell: int) -> bool:
        return any(self.base.entities_in([cell], name, self.counted) for name in self.entities)


def split(cells: Sequence[BitMap], base: BaseCells, counted: str | None) -> Parts:
    """Return the parts that cells, given as positions in `base`, tell apart."""
    lies_in = np.zeros((len(base.names), len(cells)), dtype=np.bool_)
    for column, members in enumerate(cells):
        lies_in[members.to_array(), column] = True
    used = np.flatnonzero(lies_in.any(axis=1))
    _, of = np.unique(np.packbits(lies_in[used], axis=1), axis=0, return_inverse=True)
    regions: dict[int, list[int]] = {}
    for cell, part in zip(used.tolist(), of.ravel().tolist(), strict=True):
        if any(base.entities_in([cell], name, counted) for name in base.members):
            regions.setdefault(part, []).append(cell)
    sets = {name: [base.entities_in(region, name, counted) for region in regions.values()] for name in base.members}
    order = sorted(range(len(regions)), key=lambda c: -min(len(each[c]) for each in sets.values()))
    listed = list(regions.values())
    return Parts(
        base,
        counted,
        tuple(tuple(listed[c]) for c in order),
        {name: tuple(each[c] for c in order) for name, each in sets.items()},
    )


def _grown(core: BitMap, small: Sequence[BitMap], k: int) -> BitMap:
    for entities in sorted(small, key=lambda each: len(each - core)):
        if len(core | entities) < k:
            core = core | entities
    return core


def _by_value(
    contents: Sequence[Mapping[str, object]], chosen: Sequence[str], full: Collection[int]
) -> Iterator[list[int]]:
    regions: dict[str, list[int]] = {}
    for cell in full:
        regions.setdefault(json.dumps([contents[cell][name] for name in chosen]), []).append(cell)
    yield from regions.values()
