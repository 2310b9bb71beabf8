"""The conditions of a block: atoms joined by AND, on dimensions alone, with literals, and bounds on the grid."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from math import isfinite
from types import MappingProxyType

from sqlglot import exp

from portal.sql.blocks import Atom, Value
from portal.sql.subject import Subject, bare

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?")
_BEGINS: Mapping[str, Callable[[date], bool]] = MappingProxyType(
    {
        "day": lambda _day: True,
        "week": lambda day: day.weekday() == 0,
        "month": lambda day: day.day == 1,
        "quarter": lambda day: day.day == 1 and day.month % 3 == 1,
        "year": lambda day: (day.month, day.day) == (1, 1),
    }
)
_EXAMPLES: Mapping[str, str] = MappingProxyType(
    {"day": "2026-02-01", "week": "2026-02-02", "month": "2026-02-01", "quarter": "2026-04-01", "year": "2026-01-01"}
)
_FLIPPED: Mapping[type[exp.Expr], type[exp.Expr]] = MappingProxyType(
    {exp.EQ: exp.EQ, exp.LT: exp.GT, exp.GT: exp.LT, exp.LTE: exp.GTE, exp.GTE: exp.LTE}
)
_SHAPES: tuple[tuple[tuple[type[exp.Expr], ...], str, str], ...] = (
    ((exp.Or,), "Conditions are joined by AND alone.", "For one column write column IN ('a', 'b')."),
    (
        (exp.Not, exp.NEQ, exp.NullSafeNEQ),
        "A condition says what is wanted, never what is not.",
        "List the values that you want: column IN ('a', 'b').",
    ),
    (
        (exp.Like, exp.ILike, exp.SimilarTo, exp.RegexpLike, exp.Glob, exp.StartsWith, exp.Escape),
        "A condition takes whole values, never a pattern.",
        "Write column = 'value', or column IN ('a', 'b').",
    ),
    (
        (exp.Query, exp.Exists, exp.Subquery, exp.Any, exp.All),
        "A condition holds no subquery.",
        "Write the values themselves: column IN ('a', 'b').",
    ),
)
_FORMS = "Write column = value, column IN (values), column IS NULL, or column >= date AND column < date."


def read_conditions(subject: Subject, node: exp.Expr) -> tuple[Atom, ...]:
    """Return the atoms of a condition; what does not fit is refused."""
    pending, atoms = [node], list[Atom]()
    while pending:
        part = bare(pending.pop())
        if isinstance(part, exp.And):
            pending += [part.expression, part.this]
        else:
            atoms += _READERS.get(type(part), _misfit)(subject, part)
    return tuple(dict.fromkeys(atoms))


def _misfit(subject: Subject, node: exp.Expr) -> Iterable[Atom]:
    for kinds, message, fix in _SHAPES:
        if isinstance(node, kinds):
            return _refused(subject, node, message, fix)
    return _refused(subject, node, f"A condition on {subject.dataset} compares a dimension with a value.", _FORMS)


def _refused(subject: Subject, node: exp.Expr, message: str, fix: str) -> tuple[()]:
    subject.refuse(node, "P_FILTER", message, fix)
    return ()


def _flag(subject: Subject, node: exp.Expr) -> Iterable[Atom]:
    """A column alone, which is true or false."""
    column = _dimension(subject, node)
    if column is None:
        return ()
    if subject.type_of(column) != "BOOLEAN":
        return _refused(subject, node, f"{column} alone is no condition.", _FORMS)
    return (Atom(column, "=", (True,)),)


def _comparison(subject: Subject, node: exp.Expr) -> Iterable[Atom]:
    kind, one, other = type(node), bare(node.this), bare(node.expression)
    if not isinstance(one, exp.Column) and isinstance(other, exp.Column):
        kind, one, other = _FLIPPED[kind], other, one
    column = _dimension(subject, one)
    value = _value(subject, column, other) if column else None
    if column is None or value is None:
        return ()
    if isinstance(value, date) and _grid_of(subject, column):
        return _bound(subject, node, column, (kind, value))
    if kind is not exp.EQ:
        message = f"{column} may be compared by = and IN only, not by a range."
        return _refused(subject, node, message, f"Write {column} = value or {column} IN (values).")
    return (Atom(column, "=", (value,)),)


def _in(subject: Subject, node: exp.Expr) -> Iterable[Atom]:
    column = _dimension(subject, bare(node.this))
    if column is None:
        return ()
    if node.args.get("query") or node.args.get("field") or not node.expressions:
        return _refused(subject, node, "IN takes a list of values here.", f"Write {column} IN ('a', 'b').")
    grid = _grid_of(subject, column)
    if grid:
        message = f"{column} may be filtered by a range only, with bounds on its grid ({grid})."
        return _refused(subject, node, message, _example(column, grid))
    values = [_value(subject, column, bare(each)) for each in node.expressions]
    chosen = sorted({value for value in values if value is not None}, key=repr)
    if None in values:
        return ()
    return (Atom(column, "in" if len(chosen) > 1 else "=", tuple(chosen)),)


def _between(subject: Subject, node: exp.Expr) -> Iterable[Atom]:
    if node.args.get("symmetric"):
        return _misfit(subject, node)
    low = exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
    high = exp.LTE(this=node.this.copy(), expression=node.args["high"].copy())
    return (*_comparison(subject, low), *(_comparison(subject, high)))


def _is(subject: Subject, node: exp.Expr) -> Iterable[Atom]:
    if not isinstance(node.expression, exp.Null):
        return _misfit(subject, node)
    column = _dimension(subject, bare(node.this))
    return (Atom(column, "is null", ()),) if column else ()


def _dimension(subject: Subject, node: exp.Expr) -> str | None:
    """Return the dimension that a condition is on, or refuse."""
    column = subject.find(node)
    if column is None:
        if isinstance(node, exp.Query):
            _misfit(subject, node)
        elif isinstance(node, exp.Column):
            _refused(
                subject, node, f'"{node.name}" is no column of {subject.dataset} that a condition can be on.', _FORMS
            )
        else:
            message = "A condition is on a dimension as it is; never on something made of it, nor on a constant."
            _refused(subject, node, message, f"{_FORMS} Dimensions: {subject.dimensions()}.")
        return None
    if subject.use_of(column) is None:
        message = f"{column} is {subject.kind_of(column)} in {subject.dataset}: it cannot stand in a condition."
        _refused(subject, node, message, f"Filter by dimensions: {subject.dimensions()}.")
        return None
    return column


def _grid_of(subject: Subject, column: str) -> str | None:
    use = subject.use_of(column)
    return use.range if use else None


def _bound(
    subject: Subject, node: exp.Expr, column: str, asked: tuple[type[exp.Expr], date | datetime]
) -> Iterable[Atom]:
    """Return a bound on dates as `>=` or `<`; a day's end is the next day's beginning, for a column of whole days."""
    kind, value = asked
    grid = _grid_of(subject, column) or "day"
    whole_days = not isinstance(value, datetime)
    if kind is exp.EQ and whole_days and grid == "day":
        return (*_bound(subject, node, column, (exp.GTE, value)), *_bound(subject, node, column, (exp.LTE, value)))
    at_beginning = kind in (exp.GTE, exp.LT)
    try:
        bound = value if at_beginning or not whole_days else value + timedelta(days=1)
    except OverflowError:
        return _refused(subject, node, "This date is out of bounds.", _example(column, grid))
    midnight = not isinstance(value, datetime) or value.time() == time()
    if kind is exp.EQ or not (at_beginning or whole_days) or not midnight or not _BEGINS[grid](bound):
        message = f"Bounds on {column} stand where a {grid} begins or ends, and nowhere between."
        return _refused(subject, node, message, _example(column, grid))
    return (Atom(column, ">=" if kind in (exp.GTE, exp.GT) else "<", (bound,)),)


def _example(column: str, grid: str) -> str:
    return (
        f"Write {column} >= DATE '{_EXAMPLES[grid]}', with a {grid}'s first day, and {column} < the day after its last."
    )


def _value(subject: Subject, column: str, node: exp.Expr) -> Value | None:
    """Return the value of a literal of the column's type, or refuse."""
    kind = subject.type_of(column)
    reader = _LITERALS.get(kind)
    value = reader(node) if reader else None
    if value is not None:
        return value
    if isinstance(node, exp.Null):
        _refused(subject, node, "Nothing equals NULL.", f"Write {column} IS NULL.")
    elif isinstance(node, exp.Placeholder):
        message = "A parameter cannot stand in a condition of a dataset that is open for statistics only."
        _refused(subject, node, message, "Write the value itself.")
    elif isinstance(node, (exp.Query, exp.Exists)):
        _misfit(subject, node)
    else:
        message = f"{column} is compared with a literal of its own type, {kind}."
        _refused(subject, node, message, f"Write {_SUCH_AS.get(kind, 'a literal')} in its place.")
    return None


def _text(node: exp.Expr) -> Value | None:
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None


def _boolean(node: exp.Expr) -> Value | None:
    return bool(node.this) if isinstance(node, exp.Boolean) else None


def _number(node: exp.Expr) -> Value | None:
    sign = -1 if isinstance(node, exp.Neg) else 1
    literal = bare(node.this) if isinstance(node, exp.Neg) else node
    if not isinstance(literal, exp.Literal) or literal.is_string:
        return None
    try:
        number = float(literal.name)
    except ValueError:
        return None
    return sign * number if isfinite(number) else None


def _whole_number(node: exp.Expr) -> Value | None:
    literal = bare(node.this) if isinstance(node, exp.Neg) else node
    if not isinstance(literal, exp.Literal) or literal.is_string or not literal.name.isdecimal():
        return None
    return -int(literal.name) if isinstance(node, exp.Neg) else int(literal.name)


def _moment(node: exp.Expr) -> Value | None:
    """Return a date or timestamp that is written as a text, cast or plain."""
    if isinstance(node, exp.Cast) and node.to.this in (exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ):
        node = node.this if type(node) is exp.Cast and not node.to.expressions else node
    text = _text(node)
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) and _MOMENT.fullmatch(text) else None
    except ValueError:
        return None


def _date(node: exp.Expr) -> Value | None:
    moment = _moment(node)
    if not isinstance(moment, datetime):
        return None
    return moment.date() if moment.time() == time() else None


_LITERALS: Mapping[str, Callable[[exp.Expr], Value | None]] = MappingProxyType(
    {
        "VARCHAR": _text,
        "BOOLEAN": _boolean,
        "INTEGER": _whole_number,
        "BIGINT": _whole_number,
        "DOUBLE": _number,
        "DATE": _date,
        "TIMESTAMP": _moment,
    }
)
_SUCH_AS: Mapping[str, str] = MappingProxyType(
    {
        "VARCHAR": "a text such as 'feed'",
        "BOOLEAN": "true or false",
        "INTEGER": "a whole number such as 3",
        "BIGINT": "a whole number such as 3",
        "DOUBLE": "a number such as 2.5",
        "DATE": "a date such as DATE '2026-02-01'",
        "TIMESTAMP": "a time such as TIMESTAMP '2026-02-01 00:00:00'",
    }
)
_READERS: Mapping[type[exp.Expr], Callable[[Subject, exp.Expr], Iterable[Atom]]] = MappingProxyType(
    {
        **dict.fromkeys(_FLIPPED, _comparison),
        exp.Column: _flag,
        exp.In: _in,
        exp.Between: _between,
        exp.Is: _is,
    }
)
