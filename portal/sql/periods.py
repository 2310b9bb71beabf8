"""The days that a statement can read of a dataset, so that errata follow the data.

What is found holds every row that can have a part in the answer, and may hold more: a condition that is not understood
counts as none, and so does one that stands outside of the SELECT whose FROM names the dataset. Only WHERE keeps rows
out, for every plain join; after it nothing brings them back.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import reduce
from types import MappingProxyType

from sqlglot import exp

from portal.catalogue.dataset import Grid
from portal.catalogue.period import ALL_TIME, Period
from portal.ids import DatasetName
from portal.sql.places import fold
from portal.sql.plan import ParameterValue
from portal.sql.reading import Parsed, is_base_table

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?")
_DAY = timedelta(days=1)
_TIMES = (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ)


@dataclass(frozen=True, slots=True)
class DateColumn:
    """The column that places a dataset's rows in time, and by which grid its days are truncated, if they are."""

    name: str
    grid: Grid | None = None


def periods_of(parsed: Parsed, dates: Mapping[DatasetName, DateColumn]) -> Mapping[DatasetName, Period]:
    """Return the period of each dataset that the statement reads; one without a date column is read for all time."""
    known = {fold(name): column for name, column in dates.items()}
    found: dict[DatasetName, Period] = {}
    for table in parsed.tree.find_all(exp.Table):
        if is_base_table(table):
            name = DatasetName(fold(table.name))
            column = known.get(name)
            period = _period_of(table, column, parsed.values) if column else ALL_TIME
            found[name] = found[name].hull(period) if name in found else period
    return found


def end_of(grid: Grid, day: date) -> date:
    """Return the last day of the week, month, quarter or year that the day is in."""
    if grid == "week":
        return day + min(6 - day.weekday(), (date.max - day).days) * _DAY
    if grid not in _MONTHS:
        return day
    last = _first_month(grid, day) + _MONTHS[grid] - 1
    return date(day.year, last, monthrange(day.year, last)[1])


def _first_month(grid: Grid, day: date) -> int:
    return (day.month - 1) // _MONTHS[grid] * _MONTHS[grid] + 1


def _period_of(table: exp.Table, column: DateColumn, values: Mapping[str, ParameterValue]) -> Period:
    select = _select_over(table)
    where = select.args.get("where") if select is not None else None
    if select is None or where is None:
        return ALL_TIME
    only = not select.args.get("joins")
    names = {f"{fold(table.alias_or_name)}.{fold(column.name)}", *([fold(column.name)] if only else [])}
    period = _Conditions(frozenset(names), values).period(where.this)
    return replace(period, last=end_of(column.grid or "day", period.last))


def _select_over(table: exp.Table) -> exp.Select | None:
    """Return the SELECT whose WHERE keeps rows of the table out of everything; None where none surely does."""
    item = table.parent
    select = item.parent if isinstance(item, exp.From | exp.Join) else None
    if not isinstance(select, exp.Select) or select.args.get("sample") or select.args.get("laterals"):
        return None
    alias = table.args.get("alias")
    changed = any(table.args.get(slot) for slot in ("joins", "pivots", "sample")) or (alias and alias.columns)
    joins = select.args.get("joins") or ()
    plain = all(not join.method and join.kind in {"", "INNER", "CROSS", "OUTER"} for join in joins)
    items = [select.args["from_"].this, *(join.this for join in joins)]
    own = [item for item in items if fold(item.alias_or_name) == fold(table.alias_or_name)]
    return select if plain and not changed and len(own) == 1 else None


@dataclass(frozen=True, slots=True)
class _Conditions:
    """How conditions bound a date column that goes by these names."""

    names: frozenset[str]
    values: Mapping[str, ParameterValue]

    def period(self, node: exp.Expr) -> Period:
        """Return a period that holds every day for which the condition can be true."""
        match node := node.unnest():
            case exp.And():
                return self.period(node.this).within(self.period(node.expression))
            case exp.Or():
                return self.period(node.this).hull(self.period(node.expression))
            case exp.Between():
                return self._bounded(exp.GTE, node.this, node.args["low"]).within(
                    self._bounded(exp.LTE, node.this, node.args["high"])
                )
            case exp.In() if node.expressions:
                return reduce(Period.hull, (self._bounded(exp.EQ, node.this, one) for one in node.expressions))
            case exp.EQ() | exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
                there = self._bounded(type(node), node.this, node.expression)
                return there.within(self._bounded(_TURNED[type(node)], node.expression, node.this))
            case _:
                return ALL_TIME

    def _bounded(self, comparison: type[exp.Expr], subject: exp.Expr, bound: exp.Expr) -> Period:
        grid, moment = self._grid_of(subject), self._moment(bound)
        if grid is None or moment is None:
            return ALL_TIME
        return _BOUNDS[comparison](grid, moment)

    def _grid_of(self, node: exp.Expr) -> Grid | None:
        """Return by which grid the node truncates the date column, None where it is something else."""
        if isinstance(node, exp.Paren) or (type(node) is exp.Cast and node.to.this == exp.DType.DATE):
            return self._grid_of(node.this)
        if isinstance(node, exp.Column):
            return "day" if ".".join(fold(part.name) for part in node.parts) in self.names else None
        grid, inside = _truncation(node)
        return grid if grid is not None and self._grid_of(inside) == "day" else None

    def _moment(self, node: exp.Expr) -> datetime | None:
        """Return the moment that a literal, or a parameter's value, stands for; None where that is not sure."""
        match node := node.unnest():
            case exp.Placeholder():
                return _read(self.values.get(str(node.this)))
            case exp.Literal() if node.is_string:
                return _read(node.name)
            case exp.Cast() if type(node) is exp.Cast and node.to.this in {exp.DType.DATE, *_TIMES}:
                moment = self._moment(node.this)
                return moment and (datetime.combine(moment, time()) if node.to.this == exp.DType.DATE else moment)
            case _:
                grid, inside = _truncation(node)
                moment = self._moment(inside) if grid is not None else None
                return _beginning(grid, moment) if grid is not None and moment is not None else None


def _truncation(node: exp.Expr) -> tuple[Grid | None, exp.Expr]:
    """Return the grid and the operand of a call of `date_trunc` whose grid is written out."""
    match node:
        case exp.Anonymous(expressions=[exp.Literal() as grid, operand]) if fold(node.name) == "date_trunc":
            return _GRIDS.get(fold(grid.name)), operand
        case _:
            return None, node


def _beginning(grid: Grid, moment: datetime) -> datetime:
    """Return the first moment of the week, month, quarter or year."""
    day = moment.date()
    if grid == "week":
        day -= min(day.weekday(), (day - date.min).days) * _DAY
    elif grid in _MONTHS:
        day = date(day.year, _first_month(grid, day), 1)
    return datetime.combine(day, time())


def _read(value: ParameterValue) -> datetime | None:
    if isinstance(value, datetime):
        return value if value.tzinfo is None else None
    if isinstance(value, date):
        return datetime.combine(value, time())
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _until(grid: Grid, moment: datetime) -> Period:
    return Period(last=end_of(grid, moment.date()))


def _before(grid: Grid, moment: datetime) -> Period:
    before = moment.date() - _DAY if moment.time() == time() and moment.date() > date.min else moment.date()
    return Period(last=end_of(grid, before))


def _since(_: Grid, moment: datetime) -> Period:
    return Period(moment.date())


def _on(grid: Grid, moment: datetime) -> Period:
    return _since(grid, moment).within(_until(grid, moment))


_GRIDS: Mapping[str, Grid] = MappingProxyType({grid: grid for grid in ("day", "week", "month", "quarter", "year")})
_MONTHS: Mapping[Grid, int] = MappingProxyType({"month": 1, "quarter": 3, "year": 12})
_BOUNDS: Mapping[type[exp.Expr], Callable[[Grid, datetime], Period]] = MappingProxyType(
    {exp.EQ: _on, exp.LT: _before, exp.LTE: _until, exp.GT: _since, exp.GTE: _since}
)
_TURNED: Mapping[type[exp.Expr], type[exp.Expr]] = MappingProxyType(
    {exp.EQ: exp.EQ, exp.LT: exp.GT, exp.LTE: exp.GTE, exp.GT: exp.LT, exp.GTE: exp.LTE}
)
