"""The parts that a set of cells tells apart: base cells that lie in exactly the same of them are one part.

Whatever can be derived from the cells by adding and subtracting is a combination of parts, so the audit needs no finer
view than this, however fine the base cells are.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from portal.disclosure.span import Mask

Cells = npt.NDArray[np.int64]
"""Positions of base cells."""
Entities = Callable[[tuple[int, ...], str], BitMap]
"""The entities of some base cells, by type."""


@dataclass(frozen=True, slots=True)
class Partition:
    """`regions[p]` are the base cells of part p; `vectors[i, p]` says that cell i is made of it, among others."""

    regions: tuple[tuple[int, ...], ...]
    vectors: Mask


@dataclass(frozen=True, slots=True)
class Parts:
    """A partition with the entities of its parts: `entities[e][p]`, and how many these are, `sizes[e][p]`.

    In order of falling size, measured by the thresholds: the first `large` parts reach every one of them. Parts without
    any entity are left out: what is empty adds nothing.
    """

    partition: Partition
    entities: Mapping[str, tuple[BitMap, ...]]
    sizes: Mapping[str, Cells]
    large: int

    def entities_of(self, cell: int) -> Mapping[str, BitMap]:
        """Return the entities of a cell, by type."""
        chosen = self.partition.vectors[cell].nonzero()[0].tolist()
        return {name: BitMap().union(*(sets[p] for p in chosen)) for name, sets in self.entities.items()}


def partition(cells: Sequence[Cells], size: int) -> Partition:
    """Tell apart what lies in different cells, of `size` base cells in all."""
    lies_in = np.zeros((size, (len(cells) + 7) // 8), dtype=np.uint8)
    for i, members in enumerate(cells):
        lies_in[members, i // 8] |= np.uint8(128 >> i % 8)
    used = np.flatnonzero(lies_in.any(axis=1))
    width, content = lies_in.shape[1], lies_in[used].tobytes()
    regions: dict[bytes, list[int]] = {}
    for n, cell in enumerate(used.tolist()):
        regions.setdefault(content[n * width : (n + 1) * width], []).append(cell)
    first = [region[0] for region in regions.values()]
    vectors = np.unpackbits(lies_in[first], axis=1, count=len(cells)).T.astype(np.bool_)
    return Partition(tuple(map(tuple, regions.values())), np.ascontiguousarray(vectors))


def with_unions(split: Partition, cells: Sequence[Cells], size: int) -> tuple[Partition, Mask]:
    """Add the cells that are unions of parts; also say which these are."""
    part = np.full(size, -1)
    for p, region in enumerate(split.regions):
        part[list(region)] = p
    lengths = np.array([len(region) for region in split.regions], dtype=np.int64)
    vectors = np.zeros((len(cells), len(split.regions)), dtype=np.bool_)
    fits = np.zeros(len(cells), dtype=np.bool_)
    for i, members in enumerate(cells):
        touched = np.unique(part[members])
        fits[i] = (touched >= 0).all() and lengths[touched].sum() == len(members)
        vectors[i, touched[touched >= 0]] = fits[i]
    return Partition(split.regions, np.concatenate([split.vectors, vectors])), fits


def weigh_parts(split: Partition, entities: Entities, thresholds: Mapping[str, int]) -> Parts:
    """Count the entities of each part, and put the parts in order."""
    sets = {name: [entities(region, name) for region in split.regions] for name in thresholds}
    sizes = {name: np.array([len(each) for each in found], dtype=np.int64) for name, found in sets.items()}
    share = np.min([sizes[name] / k for name, k in thresholds.items()], axis=0)
    order = np.argsort(-share, kind="stable")
    order = order[share[order] > 0]
    return Parts(
        Partition(tuple(split.regions[p] for p in order), np.ascontiguousarray(split.vectors[:, order])),
        {name: tuple(found[p] for p in order) for name, found in sets.items()},
        {name: found[order] for name, found in sizes.items()},
        int((share >= 1).sum()),
    )
