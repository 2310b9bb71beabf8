"""Questions as SQL, in many spellings of the same."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

from support.oracle.questions import Cells, Condition, Figure, Key, Question

_JOIN = "JOIN places {} ON {} = {}.code"


@dataclass
class Text:
    """A statement in the making; some of its values become parameters."""

    chance: Random
    parameters: dict[str, Any] = field(default_factory=dict)

    def one_of(self, *ways: str) -> str:
        return self.chance.choice(ways)

    def value(self, value: Any) -> str:
        if self.chance.random() < 0.25:
            name = f"p{len(self.parameters) + 1}"
            self.parameters[name] = value
            return f"${name}"
        if isinstance(value, date):
            return self.one_of(f"DATE '{value}'", f"'{value}'")
        return f"'{value}'" if isinstance(value, str) else str(value)


def written(question: Question) -> tuple[str, dict[str, Any]]:
    """Return the text of a question, and the values of its parameters."""
    text = Text(Random(question.spelling))
    if question.how == "plain":
        sql = _select(question.cells[0], text, question)
    elif question.how == "beside":
        one, other = (_select(each, text) for each in question.cells)
        sql = f"WITH one AS ({one}), other AS ({other}) SELECT one.*, other.* FROM one CROSS JOIN other"
    else:
        sides = [_select(each, text, in_place=True) for each in question.cells]
        sql = f" {question.how.upper()} {'ALL ' if question.how == 'union' else ''}".join(sides)
    return sql, text.parameters


def _select(cells: Cells, text: Text, question: Question | None = None, *, in_place: bool = False) -> str:
    alias = text.one_of("", "v")
    place = text.one_of("places", "p")
    before, source, conditions = "", "visits", list(cells.conditions)
    own = [each for each in conditions if not each.is_public]
    way = text.one_of("", "", "nested", "nested" if in_place else "with")
    if way and own and not alias:
        conditions.remove(own[0])
        inner = f"SELECT * FROM visits WHERE {_condition(own[0], text, '')}"
        before, source = (f"WITH src AS ({inner}) ", "src") if way == "with" else ("", f"({inner}) AS src")
    names = {"": f"{alias}." if alias else "", "places.": f"{place}."}
    keys = [_key(each, text, names) for each in cells.keys]
    figures = [_figure(each, text, names) for each in cells.figures]
    marks = [text.one_of("is_remainder", "is_remainder AS rest")] if cells.remainder else []
    items = [*(f"{sql} AS g{i}" for i, sql in enumerate(keys)), *marks,
             *(f"{sql} AS v{j}" for j, sql in enumerate(figures))]  # fmt: skip
    parts = [f"{before}SELECT {', '.join(items)} FROM {source} {alias}".rstrip()]
    if cells.joined:
        named = "" if place == "places" else place
        parts.append(_JOIN.format(named, f"{names['']}country", place))
    if conditions:
        parts.append("WHERE " + " AND ".join(_condition(each, text, names[_table(each.column)]) for each in conditions))
    if keys:
        positions = ", ".join(str(i + 1) for i in range(len(keys)))
        parts.append(f"GROUP BY {text.one_of('ALL' if figures else positions, positions, ', '.join(keys))}")
    if question is not None and question.having is not None:
        number, least = question.having
        parts.append(f"HAVING {figures[number]} >= {least}")
    if question is not None and question.first is not None:
        parts.append(f"ORDER BY {', '.join(str(i + 1) for i in range(cells.width))} LIMIT {question.first}")
    return " ".join(parts)


def _table(column: str) -> str:
    return "places." if column.startswith("places.") else ""


def _column(column: str, names: dict[str, str]) -> str:
    return names[_table(column)] + column.removeprefix("places.")


def _key(key: Key, text: Text, names: dict[str, str]) -> str:
    column = _column(key.column, names)
    if key.kind in ("month", "quarter"):
        return f"date_trunc('{key.kind}', {column})"
    if key.kind == "year":
        return text.one_of(f"year({column})", f"extract(year FROM {column})")
    if key.kind == "step":
        return f"floor({column} / {key.size}) * {key.size}"
    return f"left({column}, {key.size})" if key.kind == "prefix" else column


def _condition(condition: Condition, text: Text, before: str) -> str:
    column = before + condition.column.removeprefix("places.")
    if condition.prefix:
        column = f"left({column}, {condition.prefix})"
    if condition.op == "is null":
        return f"{column} IS NULL"
    values = [text.value(value) for value in condition.values]
    if condition.op == "in":
        return f"{column} IN ({', '.join(values)})"
    return f"{column} {condition.op} {values[0]}"


def _all(conditions: Sequence[Condition], text: Text, names: dict[str, str]) -> str:
    return " AND ".join(_condition(each, text, names[_table(each.column)]) for each in conditions)


def _figure(figure: Figure, text: Text, names: dict[str, str]) -> str:
    column = names[""] + figure.column if figure.column else ""
    call = {
        "rows": "count(*)",
        "count": f"count({column})",
        "distinct": f"count(DISTINCT {column})",
        "sum": f"sum({column})",
        "avg": f"avg({column})",
    }[figure.function]
    if not figure.conditions:
        return call
    where = _all(figure.conditions, text, names)
    ways = [f"{call} FILTER (WHERE {where})"]
    if figure.function == "rows":
        ways += [
            f"count_if({where})",
            f"sum(CASE WHEN {where} THEN 1 ELSE 0 END)",
            f"count(CASE WHEN {where} THEN 1 END)",
        ]
    if figure.function == "sum":
        ways += [f"sum(CASE WHEN {where} THEN {column}{text.one_of(' ELSE 0', ' ELSE NULL', '')} END)"]
    if figure.function == "avg":
        ways += [f"avg(CASE WHEN {where} THEN {column} END)"]
    return text.one_of(*ways)
