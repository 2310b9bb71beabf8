"""What released cells say together, by brute force: all that follows by adding and subtracting, over whole rows.

A cell is a set of base cells. What two of them tell apart, and every combination of any number, must hold the rules of
a cell; and a cell that holds the other rules is withheld only where something would follow that does not.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from support.oracle.data import Row
from support.oracle.questions import Figure, Key
from support.oracle.rules import Rules
from support.oracle.truth import entities_in, is_dominated

Kind = tuple[str, str | None]
Region = frozenset[Any]
"""Base cells, each by the values that it is known by."""
Matrix = npt.NDArray[np.float64]
MOST_ROWS = 10
"""Independent cells up to which every cell that follows from them is looked at; it may be 2 to this power."""
SURE_ROWS = 7
"""Up to here the audit promises to have looked at all of them itself."""


KEY: Kind = ("key", None)
ROWS: Kind = ("rows", None)


def kinds_of(figure: Figure, rules: Rules) -> list[Kind]:
    """Return what is known once a figure is: an average is a sum and a count, different entities may be rows."""
    distinct: list[Kind] = [("distinct", figure.column), *([ROWS] if figure.column in rules.entities else [])]
    return {"sum": [("sum", figure.column)], "avg": [("sum", figure.column), ROWS],
            "distinct": distinct}.get(figure.function, [ROWS])  # fmt: skip


@dataclass
class Known:
    """What one project was given: cells by kind. `perhaps` are those of which it cannot be seen whether they were."""

    rows: Sequence[Row]
    rules: Rules
    cells: dict[Kind, set[Region]] = field(default_factory=lambda: defaultdict(set))
    perhaps: dict[Kind, set[Region]] = field(default_factory=lambda: defaultdict(set))

    def base_cell(self, row: Row) -> tuple[Any, ...]:
        rules = self.rules
        keys = (Key("country"), Key("day", rules.period), Key("age", "step", rules.step),
                Key("postcode", "prefix", rules.prefix))  # fmt: skip
        return (*(key.of(row) for key in keys), *(row[name] is None for name in (*rules.rounds, *rules.entities)))

    def region(self, rows: Sequence[Row]) -> Region:
        return frozenset(map(self.base_cell, rows))

    def first_wrong(self) -> str | None:
        """Say what the released cells tell that they must not, None where nothing does."""
        for kind, cells in self.cells.items():
            view = View.of(kind, sorted(cells, key=repr), self)
            if self.rules.pairwise and any(view.tells_apart(*pair) for pair in itertools.combinations(view.cells, 2)):
                return f"two cells of {kind}"
            if self.rules.span and view.spans_few():
                return f"a combination of cells of {kind}"
            if self.rules.span and view.is_sure and view.spans_dominated():
                return f"a dominated sum of cells of {kind}"
        return None

    def has_cause(self, kind: Kind, region: Region) -> bool:
        """Whether one more cell would tell, with what was released, what it must not."""
        cells = self.cells[kind] | self.perhaps[kind]
        if kind == KEY:
            cells |= self.cells[ROWS] | self.perhaps[ROWS]
        view = View.of(kind, [region, *sorted(cells - {region}, key=repr)], self)
        own, *others = view.cells
        return (
            (self.rules.pairwise and any(view.tells_apart(own, other, more=1) for other in others))
            or (self.rules.span and view.spans_few())
            or (self.rules.span and kind[0] == "sum" and (view.rank > MOST_ROWS or view.spans_dominated()))
        )


@dataclass(frozen=True)
class View:
    """Some cells of one kind: their parts, which rows lie in each, and the matrix of which cell holds which part."""

    kind: Kind
    known: Known
    cells: Sequence[Region]
    parts: Sequence[Sequence[Row]]
    matrix: Matrix

    @classmethod
    def of(cls, kind: Kind, cells: Sequence[Region], known: Known) -> "View":
        base: dict[Any, list[Row]] = defaultdict(list)
        for row in _usable(kind, known):
            base[known.base_cell(row)].append(row)
        parts: dict[tuple[bool, ...], list[Row]] = defaultdict(list)
        for name, rows in base.items():
            parts[tuple(name in cell for cell in cells)] += rows
        held = [held for held in parts if any(held)]
        matrix = np.array(held, dtype=np.float64).reshape(len(held), len(cells)).T
        return cls(kind, known, cells, [parts[each] for each in held], matrix)

    @property
    def rank(self) -> int:
        return _rank(self.matrix)

    @property
    def is_sure(self) -> bool:
        """Whether the audit promises that no sum that follows is dominated; amounts may not cancel out."""
        measure = self.kind[1]
        is_sum = self.kind[0] == "sum" and self.rank <= SURE_ROWS
        return is_sum and all((row[measure] or 0) >= 0 for part in self.parts for row in part)

    def tells_apart(self, one: Region, other: Region, more: int = 0) -> bool:
        """Whether two cells differ by few, or by what few make up; of different entities, by as many `more`."""
        rules, (kind, column) = self.known.rules, self.kind
        mine, theirs = (self._rows(cell) for cell in (one, other))
        apart = self._rows(one ^ other)
        if kind != "distinct" and rules.few(entities_in(apart, rules)):
            return True
        if kind == "distinct":
            if not (one <= other or other <= one):
                return False
            if column not in rules.entities or more:
                counts = [entities_in(rows, rules) for rows in (mine, theirs)]
                beyond = {name: abs(counts[0][name] - counts[1][name]) for name in rules.entities}
                few = rules.few(entities_in(apart, rules))
                return few or any(0 < n < rules.entities[name] + 1 for name, n in beyond.items())
            named = [{row[column] for row in rows} - {None} for rows in (mine, theirs)]
            return rules.few({column: abs(len(named[0]) - len(named[1]))})
        if kind != "sum" or not apart or not self._rows(one & other):
            return False
        signed = [*self._rows(one - other), *({**row, column: -row[column]} for row in self._rows(other - one))]
        return is_dominated(signed, column, rules)

    def spans_few(self) -> bool:
        """Whether some combination of the cells is zero but in parts that hold few entities."""
        rules, rank = self.known.rules, self.rank
        for name, k in rules.entities.items():
            members = [frozenset(row[name] for row in part) for part in self.parts]
            everyone = sorted(frozenset().union(*members), key=repr)
            for chosen in itertools.combinations(everyone, min(k - 1, len(everyone))):
                outside = [i for i, each in enumerate(members) if not each <= set(chosen)]
                if len(outside) < len(members) and _rank(self.matrix[:, outside]) < rank:
                    return True
        return False

    def spans_dominated(self) -> bool:
        """Whether some sum that follows, other than nothing, is dominated."""
        return any(is_dominated(rows, self.kind[1], self.known.rules) for rows in self._follow() if rows)

    def _follow(self) -> Iterator[list[Row]]:
        """Yield the rows of every cell that is a combination of the cells."""
        basis, pivots = _reduced(self.matrix)
        for chosen in itertools.product((0.0, 1.0), repeat=len(pivots)):
            vector = np.array(chosen) @ basis
            if np.isin(np.round(vector, 9), (0.0, 1.0)).all():
                yield [row for part, held in zip(self.parts, vector, strict=True) if held > 0.5 for row in part]

    def _rows(self, cells: Region) -> list[Row]:
        return [row for row in _usable(self.kind, self.known) if self.known.base_cell(row) in cells]


def _usable(kind: Kind, known: Known) -> list[Row]:
    """Return the rows that take part: where a column is counted or added up, those with a value."""
    column = kind[1] if kind[1] in known.rules.rounds else None
    return [row for row in known.rows if column is None or row[column] is not None]


def _rank(matrix: Matrix) -> int:
    return int(np.linalg.matrix_rank(matrix)) if matrix.size else 0


def _reduced(matrix: Matrix) -> tuple[Matrix, list[int]]:
    """Return the reduced echelon form, without zero rows, and its pivot columns."""
    rows, pivots = matrix.copy(), list[int]()
    for column in range(matrix.shape[1]):
        at = len(pivots)
        if at == len(rows):
            break
        best = at + int(np.abs(rows[at:, column]).argmax())
        if abs(rows[best, column]) < 1e-9:
            continue
        rows[[at, best]] = rows[[best, at]]
        rows[at] /= rows[at, column]
        others = np.arange(len(rows)) != at
        rows[others] -= rows[others, column, None] * rows[at]
        pivots.append(column)
    return rows[: len(pivots)], pivots
