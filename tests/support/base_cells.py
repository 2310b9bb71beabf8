"""Base cells from plain Python sets, with what the release history asks of them and nothing more."""

import json
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from portal.disclosure.base import BaseCells
from portal.disclosure.cells import Contributions
from portal.policy.model import Dominance

Amounts = Mapping[int, float | None]
"""By entity, what it adds to the measure in one cell; None where it has rows there and no value."""


@dataclass(frozen=True)
class PlainCells:
    """Cells by name; `amounts[entity][i]` are those of cell i."""

    names: tuple[str, ...]
    members: Mapping[str, tuple[Amounts, ...]]

    @property
    def values(self) -> npt.NDArray[np.int64]:
        """Number the values of each dimension, as the names tell them."""
        contents = [json.loads(name) for name in self.names]
        columns = []
        for dimension in contents[0] if contents else ():
            found = list(dict.fromkeys(content[dimension] for content in contents))
            columns.append([found.index(content[dimension]) for content in contents])
        return np.array(columns, dtype=np.int64).reshape(len(columns), len(self.names)).T

    def entities_in(self, region: Collection[int], entity: str) -> BitMap:
        """Return the entities of a region."""
        return BitMap(e for i in region for e in self.members[entity][i])

    def adds_to(self, measure: str) -> npt.NDArray[np.bool_]:
        """Every cell has a value."""
        del measure
        return np.ones(len(self.names), dtype=np.bool_)

    def sure_from(self, measure: str, rule: Dominance) -> float:
        """Nothing is sure."""
        del measure, rule
        return math.inf

    @property
    def sums(self) -> Mapping[str, npt.NDArray[np.float64]]:
        """Nothing is sure of these."""
        return defaultdict(lambda: np.zeros(len(self.names)))

    def contributions(
        self, region: Collection[int], entity: str, measure: str, minus: Collection[int] = ()
    ) -> Contributions:
        """Return what each entity adds."""
        del measure
        totals: dict[int, float] = {}
        for sign, cells in ((1.0, region), (-1.0, minus)):
            for e, amount in (each for i in cells for each in self.members[entity][i].items()):
                totals[e] = totals.get(e, 0.0) + sign * (amount or 0.0)
        sizes = sorted(map(abs, totals.values()), reverse=True)
        return Contributions(sum(sizes), tuple(sizes[:20]))


def plain_cells(cells: Mapping[str, Amounts], entity: str = "advertiser_id") -> BaseCells:
    """Make base cells of one kind of entity."""
    made = PlainCells(tuple(sorted(cells)), {entity: tuple(cells[name] for name in sorted(cells))})
    return cast("BaseCells", made)


def cell_name(**dimensions: str) -> str:
    """Name a base cell as the trusted query does: by its content."""
    return json.dumps(dimensions)


def ones(entities: Iterable[int]) -> Amounts:
    """Each entity adds one."""
    return dict.fromkeys(entities, 1.0)
