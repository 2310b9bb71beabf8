"""What cells are to be, from the rows and the rules alone: each group with its figures, and why it may not be seen.

Nothing of this is shared with the portal; it is written from docs/statistics.md.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from support.oracle.data import Row
from support.oracle.questions import Cells, Condition, Figure, joined
from support.oracle.rules import Rules

Group = tuple[Any, ...]
Place = tuple[Group, int]


@dataclass(frozen=True)
class Truth:
    """The cells of a question: the rows of each group, and what every rule but the history says.

    `hidden` has the reason for each group, or figure, that is to be withheld.
    """

    groups: Mapping[Group, Sequence[Row]]
    hidden_groups: Mapping[Group, str]
    hidden_figures: Mapping[Place, str]

    @property
    def shown(self) -> list[Group]:
        return [group for group in self.groups if group not in self.hidden_groups]

    def rows_in(self, place: Place, cells: Cells) -> list[Row]:
        group, j = place
        return [row for row in self.groups[group] if cells.figures[j].counts(row)]


def truth_of(cells: Cells, rows: Sequence[Row], rules: Rules) -> Truth:
    """Work out what is to be withheld before any history is looked at."""
    groups = _groups(cells, rows)
    sizes = {group: min(entities_in(members, rules).values()) for group, members in groups.items()}

    def spread(faults: Mapping[Group, str]) -> dict[Group, str]:
        """Withhold more groups, the smallest first, until two are, with enough entities together."""
        found = dict(faults)
        order = sorted((group for group in groups if group not in found), key=lambda group: (sizes[group], repr(group)))
        while found and order and not _enough([groups[group] for group in found], rules):
            found[order.pop(0)] = "complementary"
        return found

    if _sets_few_apart(cells, rows, rules):
        faults = dict.fromkeys(groups, "low effect")
    else:
        faults = {group: "threshold" for group, members in groups.items() if _too_few(members, rules)}
    hidden = spread(faults) if cells.keys else faults
    figures: dict[Place, str] = {}
    for j, figure in enumerate(cells.figures):
        own = {g: why for g, members in groups.items() if g not in hidden and (why := fault_of(figure, members, rules))}
        withheld = spread({**own, **hidden}) if own and cells.keys else own
        figures |= {(group, j): why for group, why in withheld.items() if group not in hidden}
    return Truth(groups, hidden, figures)


def held(figure: Figure, members: Sequence[Row], chosen: Sequence[Row], rules: Rules) -> Sequence[Row]:
    """Return what a history takes a figure for: of different entities also the rows of none."""
    if figure.function == "distinct" and figure.column in rules.entities:
        return [row for row in members if figure.chooses(row)]
    return chosen


def entities_in(rows: Collection[Row], rules: Rules) -> dict[str, int]:
    """Count the distinct entities of each type; all without a name are one."""
    return {name: len({row[name] for row in rows}) for name in rules.entities}


def fault_of(figure: Figure, members: Sequence[Row], rules: Rules) -> str | None:
    chosen = [row for row in members if figure.counts(row)]
    outside = [row for row in members if not figure.chooses(row)]
    all_of, some = entities_in(members, rules), entities_in(chosen, rules)
    for name, k in rules.entities.items():
        if some[name] < k:
            return "support"
        left = entities_in(outside, rules)[name]
        if figure.conditions and (0 < left < k or 0 < all_of[name] - some[name] < k):
            return "complement"
    return "dominance" if figure.function in ("sum", "avg") and is_dominated(chosen, figure.column, rules) else None


def is_dominated(rows: Collection[Row], measure: str | None, rules: Rules) -> bool:
    """Whether few entities, of some type, make up a sum."""
    return any(_is_dominated(rows, name, measure or "", rules) for name in rules.entities)


def value_of(figure: Figure, rows: Sequence[Row], rules: Rules) -> float | None:
    """Return the rounded figure of the rows that it counts."""
    number = rounded(len(rows), rules.counts)
    if figure.function in ("sum", "avg"):
        assert figure.column is not None
        total = rounded(sum(row[figure.column] for row in rows), rules.rounds[figure.column])
        if figure.function == "sum":
            return total
        return round(total / number, 2) if number else None
    return rounded(len(_told(figure, rows, rules)), rules.counts) if figure.function == "distinct" else number


def rounded(value: float, base: float) -> float:
    step = Fraction(str(base))
    return float(math.floor(Fraction(value) / step + Fraction(1, 2)) * step)


def _told(figure: Figure, rows: Sequence[Row], rules: Rules) -> set[Any]:
    """Return the values that are counted: of a dimension only those that enough entities have."""
    column = figure.column or ""
    values = {row[column] for row in rows}
    if column in rules.entities:
        return values
    return {value for value in values if not _too_few([row for row in rows if row[column] == value], rules)}


def _groups(cells: Cells, rows: Sequence[Row]) -> dict[Group, list[Row]]:
    groups: dict[Group, list[Row]] = {} if cells.keys else {(): []}
    for row in _candidates(cells, rows):
        if all(each.holds(row) for each in cells.conditions):
            groups.setdefault(tuple(key.of(row) for key in cells.keys), []).append(row)
    return groups


def _candidates(cells: Cells, rows: Sequence[Row]) -> list[Row]:
    return [found for row in rows if (found := joined(row))] if cells.joined else list(rows)


def _sets_few_apart(cells: Cells, rows: Sequence[Row], rules: Rules) -> bool:
    """Whether a condition, or the join, leaves out few by itself: of all who are left out, or of those nowhere else."""
    kept = [row for members in _groups(cells, rows).values() for row in members]
    for left_out in _left_out(cells, rows):
        sizes = entities_in(left_out, rules)
        lost = {name: len({row[name] for row in left_out} - {row[name] for row in kept}) for name in rules.entities}
        if rules.few(sizes) or rules.few(lost):
            return True
    return False


def _left_out(cells: Cells, rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Yield what some conditions leave out and all others keep; whether the join is among them is said with them."""
    for chosen, by_join in _together(cells):
        apart = {id(each) for each in chosen}
        others = [each for each in cells.conditions if id(each) not in apart and not (by_join and each.is_public)]
        kept = rows if by_join else _candidates(cells, rows)
        yield [
            row
            for row in kept
            if _all(others)(row) and not ((found := joined(row) if by_join else row) and _all(chosen)(found))
        ]


def _together(cells: Cells) -> Iterator[tuple[list[Condition], bool]]:
    """Yield each condition alone, the join alone, those that speak of one column, and all."""
    for condition in cells.conditions:
        yield [condition], False
    if cells.joined:
        yield [], True
    for column in {each.column for each in cells.conditions if not each.is_public} | {"country"}:
        by_join = cells.joined and column == "country"
        yield [each for each in cells.conditions if each.column == column or (by_join and each.is_public)], by_join
    yield list(cells.conditions), cells.joined


def _all(conditions: Sequence[Condition]) -> Callable[[Row], bool]:
    return lambda row: all(each.holds(row) for each in conditions)


def _too_few(rows: Collection[Row], rules: Rules) -> bool:
    return any(count < rules.entities[name] for name, count in entities_in(rows, rules).items())


def _enough(groups: Sequence[Sequence[Row]], rules: Rules) -> bool:
    return len(groups) > 1 and not _too_few([row for members in groups for row in members], rules)


def _is_dominated(rows: Collection[Row], name: str, measure: str, rules: Rules) -> bool:
    amounts: dict[Any, float] = {}
    for row in rows:
        amounts[row[name]] = amounts.get(row[name], 0.0) + (row[measure] or 0.0)
    sizes = sorted(map(abs, amounts.values()), reverse=True)
    total = sum(sizes)
    return bool(sizes) and (
        total - sum(sizes[:2]) < rules.p * sizes[0] or sum(sizes[: rules.top]) > rules.share * total
    )
