"""Questions by their meaning, made at random: what is asked of which rows, however it will be written."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from hypothesis import strategies as st
from support.oracle.data import PLACES, Row
from support.oracle.rules import Rules

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, given: value == given[0],
    "in": lambda value, given: value in given,
    ">=": lambda value, given: value >= given[0],
    "<": lambda value, given: value < given[0],
    "<=": lambda value, given: value <= given[0],
    ">": lambda value, given: value > given[0],
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; with `prefix` on the first so many characters. Public columns begin with `places.`."""

    column: str
    op: str
    values: tuple[Any, ...] = ()
    prefix: int | None = None

    @property
    def is_public(self) -> bool:
        return self.column.startswith("places.")

    def holds(self, row: Row) -> bool:
        value = row.get(self.column)
        if self.op == "is null":
            return value is None
        return value is not None and OPERATORS[self.op](value[: self.prefix] if self.prefix else value, self.values)


@dataclass(frozen=True, slots=True)
class Key:
    """What makes groups: `value`, `month`, `quarter`, `year`, `step` or `prefix` of a column."""

    column: str
    kind: str = "value"
    size: int = 0

    def of(self, row: Row) -> Any:
        value = row.get(self.column)
        return None if value is None else _KEYS[self.kind](value, self.size)


_KEYS: Mapping[str, Callable[[Any, int], Any]] = {
    "value": lambda value, _: value,
    "month": lambda value, _: datetime(value.year, value.month, 1),  # noqa: DTZ001 - as DuckDB gives it
    "quarter": lambda value, _: datetime(value.year, 3 * ((value.month - 1) // 3) + 1, 1),  # noqa: DTZ001 - as above
    "year": lambda value, _: value.year,
    "step": lambda value, size: float(value // size * size),
    "prefix": lambda value, size: value[:size],
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: `rows`, `count`, `distinct`, `sum` or `avg` of a column, of the rows that meet conditions."""

    function: str
    column: str | None = None
    conditions: tuple[Condition, ...] = ()

    def counts(self, row: Row) -> bool:
        return self.chooses(row) and (self.column is None or row[self.column] is not None)

    def chooses(self, row: Row) -> bool:
        return all(each.holds(row) for each in self.conditions)


@dataclass(frozen=True, slots=True)
class Cells:
    """Figures for groups of rows: what a block is to yield. With `joined`, of rows with a partner in `places`.

    With `remainder` there is a mark after the keys, and where it may be one row over all groups that are withheld.
    """

    keys: tuple[Key, ...]
    figures: tuple[Figure, ...]
    conditions: tuple[Condition, ...] = ()
    joined: bool = False
    remainder: bool = False

    @property
    def before(self) -> int:
        """How many columns stand before the figures."""
        return len(self.keys) + self.remainder

    @property
    def width(self) -> int:
        return self.before + len(self.figures)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of cells. `how` is `plain`, `union`, `except`, `intersect` (of both) or `beside` (joined).

    A plain one may keep the rows whose figure number `having[0]` is at least `having[1]`, sort all, and take the first
    few. `spelling` chooses among ways to write the same.
    """

    cells: tuple[Cells, ...]
    how: str = "plain"
    having: tuple[int, float] | None = None
    first: int | None = None
    spelling: int = 0


def joined(row: Row) -> Row | None:
    """Return the row beside its partner in the public table, if it has one."""
    partner = next((place for place in PLACES if place["code"] == row["country"]), None)
    return None if partner is None else {**row, **{f"places.{name}": value for name, value in partner.items()}}


def _bounds(rules: Rules) -> list[date]:
    return [date(2025, 10, 1), date(2026, 1, 1), date(2026, 4, 1)] + (
        [date(2025, 12, 1), date(2026, 2, 1)] if rules.period == "month" else []
    )


def _one_of(values: Sequence[Any]) -> st.SearchStrategy[tuple[str, tuple[Any, ...]]]:
    chosen = st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(
        lambda some: tuple(sorted(some))
    )
    return chosen.map(lambda some: ("in" if len(some) > 1 else "=", some))


def conditions(rules: Rules, *, public: bool) -> st.SearchStrategy[Condition]:
    """Make a condition that the policy allows."""
    starts = [value[:size] for value in ("101", "109", "201", "2") for size in range(1, rules.prefix + 1)]
    made = [
        _one_of(["DE", "FR", "LU", "XK"]).map(lambda each: Condition("country", *each)),
        st.sampled_from(["country", "day", "postcode"]).map(lambda column: Condition(column, "is null")),
        st.builds(
            lambda op, bound: Condition("day", op, (bound,)),
            st.sampled_from([">=", "<"]),
            st.sampled_from(_bounds(rules)),
        ),
        st.builds(
            lambda op, bound: Condition("age", op, (bound,)),
            st.sampled_from([">=", "<"]),
            st.sampled_from([-10, 0, 10, 20]),
        ),
        st.integers(1, rules.prefix).flatmap(
            lambda size: _one_of(sorted({each for each in starts if len(each) <= size})).map(
                lambda each: Condition("postcode", *each, prefix=size)
            )
        ),
    ]
    if public:
        made += [
            _one_of(["middle", "west"]).map(lambda each: Condition("places.area", *each)),
            st.builds(
                lambda op, bound: Condition("places.size", op, (bound,)),
                st.sampled_from([">=", "<", "<=", ">", "="]),
                st.integers(1, 3),
            ),
        ]
    return st.one_of(made)


def _keys(rules: Rules, *, public: bool) -> list[Key]:
    periods = ["month", "quarter", "year"] if rules.period == "month" else ["quarter", "year"]
    keys = [Key("country"), *(Key("day", period) for period in periods)]
    keys += [Key("age", "step", rules.step * times) for times in (1, 2)]
    keys += [Key("postcode", "prefix", size) for size in range(1, rules.prefix + 1)]
    return keys + ([Key("places.area")] if public else [])


def _some_keys(rules: Rules, *, public: bool) -> st.SearchStrategy[list[Key]]:
    return st.lists(st.sampled_from(_keys(rules, public=public)), max_size=2, unique=True)


_FIGURES = [
    ("rows", None),
    ("count", "amount"),
    ("count", "country"),
    ("count", "firm"),
    ("distinct", "person"),
    ("distinct", "country"),
    ("sum", "amount"),
    ("sum", "pieces"),
    ("avg", "amount"),
]


@st.composite
def cells(draw: st.DrawFn, rules: Rules, *, least: int = 0, keyed: bool = True) -> Cells:
    public = draw(st.sampled_from([False, False, True]))
    few = st.lists(conditions(rules, public=public), max_size=2, unique=True)
    keys = draw(_some_keys(rules, public=public)) if keyed else []
    drawn = draw(
        st.lists(
            st.tuples(st.sampled_from(_FIGURES), st.one_of(st.just([]), st.just([]), few)),
            min_size=max(least, int(not keys)),
            max_size=3,
        )
    )
    figures = tuple(dict.fromkeys(Figure(*what, tuple(where)) for what, where in drawn))
    remainder = bool(keys) and draw(st.sampled_from([False, False, True]))
    return Cells(tuple(keys), figures, tuple(draw(few)), public, remainder)


@st.composite
def questions(draw: st.DrawFn, rules: Rules) -> Question:
    how = draw(st.sampled_from(["plain", "plain", "plain", "union", "except", "intersect", "beside"]))
    spelling = draw(st.integers(0, 2**16))
    if how == "plain":
        asked = draw(cells(rules))
        having = None
        if asked.figures and draw(st.booleans()):
            having = (draw(st.integers(0, len(asked.figures) - 1)), draw(st.sampled_from([-10, 0, 4, 10, 100])))
        return Question((asked,), how, having, draw(st.sampled_from([None, None, 0, 1, 3])), spelling)
    one = draw(cells(rules, least=1, keyed=how != "beside"))
    other = draw(cells(rules, least=1, keyed=False))
    if how != "beside":
        # The two sides of a set operation have columns of the same types.
        other = replace(one, conditions=other.conditions if one.joined or not other.joined else ())
    return Question((one, other), how, spelling=spelling)


@st.composite
def variations(draw: st.DrawFn, question: Question, rules: Rules) -> Question:
    """Ask nearly the same: with a condition more or less, a filter, or other groups."""
    cells = question.cells[0]
    condition = draw(conditions(rules, public=cells.joined))
    others = tuple(each for each in cells.conditions if each != condition)
    ways = [
        replace(cells, conditions=(*others[:1], condition)),
        replace(cells, conditions=cells.conditions[1:]),
        replace(cells, figures=tuple(dict.fromkeys(replace(each, conditions=(condition,)) for each in cells.figures))),
        replace(
            cells,
            keys=tuple(draw(st.lists(st.sampled_from(_keys(rules, public=cells.joined)), max_size=2, unique=True))),
        ),
        replace(cells, remainder=not cells.remainder),
    ]
    asked = draw(st.sampled_from(ways))
    asked = replace(asked, remainder=asked.remainder and bool(asked.keys))
    if not asked.keys and not asked.figures:
        asked = replace(asked, figures=(Figure("rows"),))
    return Question((asked,), spelling=draw(st.integers(0, 2**16)))


@st.composite
def conversations(draw: st.DrawFn, rules: Rules) -> list[Question]:
    """Make a few questions of one project, each about something new or nearly what was asked before."""
    asked = [draw(questions(rules))]
    for _ in range(draw(st.integers(0, 3))):
        asked.append(draw(st.one_of(questions(rules), variations(asked[-1], rules), variations(asked[-1], rules))))
    return list(
        {written: each for each in asked for written in [(each.cells, each.how, each.having, each.first)]}.values()
    )


def distinct_cells(question: Question) -> list[Cells]:
    """Return the cells that are asked for, each once."""
    return list(dict.fromkeys(itertools.chain(question.cells)))
