"""The conditions of a block: atoms joined by AND, on dimensions alone, with literals, and bounds on the grid.

A column of a public table is known to all, so that its bounds may stand anywhere.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from math import isfinite
from types import MappingProxyType
from typing import Literal

from sqlglot import exp

from portal.policy.model import DimensionUse
from portal.sql.blocks import Atom, Value
from portal.sql.groups import finest, read_key
from portal.sql.subject import Subject, bare, whole_number

MAX_BOUND = 10**15
"""Up to here every whole number is a DOUBLE, so that a bound parts the numbers where it says."""

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
_SIGNS: Mapping[type[exp.Expr], Literal["=", "<", ">", "<=", ">="]] = MappingProxyType(
    {exp.EQ: "=", exp.LT: "<", exp.GT: ">", exp.LTE: "<=", exp.GTE: ">="}
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
        "Write column = 'value', column IN ('a', 'b'), or left(column, 2) = 'ab' where the policy has it.",
    ),
    (
        (exp.Query, exp.Exists, exp.Subquery, exp.Any, exp.All),
        "A condition holds no subquery.",
        "Write the values themselves: column IN ('a', 'b').",
    ),
)
_FORMS = "Write column = value, column IN (values), column IS NULL, or column >= bound AND column < bound."


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
    if not _is_term(one) and _is_term(other):
        kind, one, other = _FLIPPED[kind], other, one
    term = _term(subject, one)
    value = _value(subject, term, other) if term else None
    if term is None or value is None:
        return ()
    column, prefix = term
    use = subject.use_of(column)
    if use is not None and use.range is not None:
        return _bound(subject, node, column, (kind, value))
    if kind is exp.EQ or subject.is_public(column):
        return (Atom(column, _SIGNS[kind], (value,), prefix),)
    message = f"{column} may be compared by = and IN only, not by a range."
    written = _written(term)
    return _refused(subject, node, message, f"Write {written} = value or {written} IN (values).")


def _in(subject: Subject, node: exp.Expr) -> Iterable[Atom]:
    term = _term(subject, bare(node.this))
    if term is None:
        return ()
    column, prefix = term
    if node.args.get("query") or node.args.get("field") or not node.expressions:
        return _refused(subject, node, "IN takes a list of values here.", f"Write {_written(term)} IN ('a', 'b').")
    use = subject.use_of(column)
    if use is not None and use.range is not None:
        message = f"{column} may be filtered by a range only, with bounds on its grid ({use.range})."
        return _refused(subject, node, message, _example(column, use))
    values = [_value(subject, term, bare(each)) for each in node.expressions]
    chosen = sorted({value for value in values if value is not None}, key=repr)
    if None in values:
        return ()
    return (Atom(column, "in" if len(chosen) > 1 else "=", tuple(chosen), prefix),)


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


_Term = tuple[str, int | None]
"""What a condition compares: a block column, or its first so many characters."""


def _is_term(node: exp.Expr) -> bool:
    return isinstance(node, (exp.Column, exp.Anonymous))


def _term(subject: Subject, node: exp.Expr) -> _Term | None:
    """Return what is compared, if the policy lets it be, or refuse."""
    before = len(subject.reading.faults)
    key = read_key(subject, node) if isinstance(node, exp.Anonymous) else None
    if len(subject.reading.faults) > before:
        return None
    prefix = key.grid if key is not None and key.kind == "prefix" else None
    column = _dimension(subject, bare(node.expressions[0]) if prefix is not None else node)
    use = subject.use_of(column) if column else None
    if column is None or use is None:
        return None
    if use.prefix == prefix or (use.prefix and isinstance(prefix, int) and 1 <= prefix <= use.prefix):
        return column, prefix if isinstance(prefix, int) else None
    written = finest(use, column)
    message = f"{column} may be compared as {written}" + (", or by fewer characters." if use.prefix else " only.")
    _refused(subject, node, message, f"Write {written} = value or {written} IN (values).")
    return None


def _written(term: _Term) -> str:
    column, prefix = term
    return f"left({column}, {prefix})" if prefix else column


def _bound(subject: Subject, node: exp.Expr, column: str, asked: tuple[type[exp.Expr], Value]) -> Iterable[Atom]:
    """Return a bound as `>=` or `<`; a day's end is the next day's beginning, for a column of whole days or numbers."""
    kind, value = asked
    use, after = subject.use_of(column), _after(value)
    assert use is not None
    if kind is exp.EQ and after is not None and use.range in ("day", 1):
        return (*_bound(subject, node, column, (exp.GTE, value)), *_bound(subject, node, column, (exp.LTE, value)))
    at_beginning = kind in (exp.GTE, exp.LT)
    try:
        bound = value if at_beginning or after is None else after()
    except OverflowError:
        return _refused(subject, node, "This date is out of bounds.", _example(column, use))
    if kind is exp.EQ or not (at_beginning or after) or not _begins(use, bound):
        cell = use.period or f"step of {use.step}"
        message = f"Bounds on {column} stand where a {cell} begins or ends, and nowhere between."
        return _refused(subject, node, message, _example(column, use))
    return (Atom(column, ">=" if kind in (exp.GTE, exp.GT) else "<", (bound,)),)


def _after(value: Value) -> Callable[[], Value] | None:
    """Return what makes the next value, if between it and this there is none."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return lambda: value + timedelta(days=1)
    return (lambda: value + 1) if isinstance(value, int) else None


def _begins(use: DimensionUse, bound: Value) -> bool:
    """Whether a cell of the grid begins at the bound."""
    if use.step is not None:
        return isinstance(bound, int | float) and abs(bound) <= MAX_BOUND and bound % use.step == 0
    midnight = not isinstance(bound, datetime) or bound.time() == time()
    return midnight and isinstance(bound, date) and use.period is not None and _BEGINS[use.period](bound)


def _example(column: str, use: DimensionUse) -> str:
    if use.step is not None:
        return f"Write {column} >= {use.step} AND {column} < {2 * use.step}, with multiples of {use.step}."
    return (
        f"Write {column} >= DATE '{_EXAMPLES[use.period or 'day']}', with a {use.period}'s first day, and {column} < "
        "the day after its last."
    )


def _value(subject: Subject, term: _Term, node: exp.Expr) -> Value | None:
    """Return the value of a literal, or parameter, of the column's type, or refuse."""
    column, prefix = term
    kind = subject.type_of(column)
    before = len(subject.reading.faults)
    literal = subject.plain(node)
    if len(subject.reading.faults) > before:
        return None
    reader = _LITERALS.get(kind)
    value = reader(literal) if reader else None
    if isinstance(value, str) and prefix is not None and len(value) > prefix:
        message = f"{_written(term)} has at most {prefix} characters, and so has what it is compared with."
        _refused(subject, node, message, f"Write a text of {prefix} characters, or fewer.")
        return None
    if value is not None:
        return value
    if isinstance(literal, exp.Null):
        _refused(subject, node, "Nothing equals NULL.", f"Write {column} IS NULL.")
    elif isinstance(literal, (exp.Query, exp.Exists)):
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
    number = whole_number(bare(node.this) if isinstance(node, exp.Neg) else node)
    return -number if number is not None and isinstance(node, exp.Neg) else number


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
