"""The keys of a block's groups: dimensions as they are, or whole cells of a grid no finer than the policy's."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sqlglot import exp

from portal.policy.model import DimensionUse, is_round_step
from portal.sql.blocks import Grouping
from portal.sql.places import fold
from portal.sql.subject import Subject, bare, whole_number

_COARSER: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "day": ("day", "week", "month", "quarter", "year"),
        "week": ("week",),
        "month": ("month", "quarter", "year"),
        "quarter": ("quarter", "year"),
        "year": ("year",),
    }
)
"""The periods that are unions of those of a grid; a week lies in no month, quarter or year for sure."""
_TIMES = ("DATE", "TIMESTAMP")


def read_key(subject: Subject, node: exp.Expr) -> Grouping | None:
    """Return the key that an expression is, without a name yet, whether or not the policy allows it; else None."""
    node = bare(node)
    column = subject.find(node)
    if column is not None:
        return Grouping("", column, "value", None)
    name = fold(str(node.this)) if isinstance(node, exp.Anonymous) else ""
    reader, count = _KEYS.get(name or type(node), (None, 0))
    return reader(subject, node) if reader is not None and len(node.expressions) == count else None


def _period(subject: Subject, part: exp.Expr, node: exp.Expr, kind: str) -> Grouping | None:
    column = subject.find(bare(node))
    written = subject.plain(part) if column is not None else None
    if column is None or not isinstance(written, exp.Literal | exp.Var):
        return None
    period = fold(written.name)
    if period not in _COARSER["day"] or (kind == "year" and period != "year"):
        return None
    return Grouping("", column, "year", None) if kind == "year" else Grouping("", column, "trunc", period)


def _call(subject: Subject, node: exp.Expr, kind: str) -> Grouping | None:
    return _period(subject, node.expressions[0], node.expressions[1], kind)


def _step(subject: Subject, node: exp.Expr) -> Grouping | None:
    """Read `floor(x / K) * K`, which DuckDB computes in DOUBLE."""
    call, factor = bare(node.this), bare(node.expression)
    if not isinstance(call, exp.Anonymous):
        call, factor = factor, call
    inside = bare(call.expressions[0]) if isinstance(call, exp.Anonymous) and len(call.expressions) == 1 else None
    if inside is None or fold(str(call.this)) != "floor" or not isinstance(inside, exp.Div):
        return None
    column = subject.find(bare(inside.this))
    if column is None:
        return None
    step, again = (whole_number(subject.plain(each)) for each in (inside.expression, factor))
    return Grouping("", column, "step", step) if step is not None and step == again else None


def _prefix(subject: Subject, node: exp.Expr, length: exp.Expr) -> Grouping | None:
    column = subject.find(bare(node))
    size = whole_number(subject.plain(length)) if column is not None else None
    return Grouping("", column, "prefix", size) if column is not None and size is not None else None


_YEAR = exp.Literal.string("year")
_KEYS: Mapping[str | type[exp.Expr], tuple[Callable[[Subject, exp.Expr], Grouping | None], int]] = MappingProxyType(
    {
        exp.Mul: (_step, 0),
        exp.Extract: (lambda subject, node: _period(subject, node.this, node.expression, "year"), 0),
        "year": (lambda subject, node: _period(subject, _YEAR, node.expressions[0], "year"), 1),
        "left": (lambda subject, node: _prefix(subject, node.expressions[0], node.expressions[1]), 2),
        **dict.fromkeys(("date_trunc", "datetrunc"), (lambda subject, node: _call(subject, node, "trunc"), 2)),
        **dict.fromkeys(("date_part", "datepart"), (lambda subject, node: _call(subject, node, "year"), 2)),
    }
)
"""How a key is written other than as a column, by function or kind of node, with the number of its arguments."""


def read_group(subject: Subject, node: exp.Expr) -> Grouping | None:
    """Return the key that a member of GROUP BY asks for; what does not fit is refused.

    A cast to a date or time around a period changes no group, and is left to the released values.
    """
    inside = bare(node)
    while type(inside) is exp.Cast and inside.to.this in (exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ):
        inside = bare(inside.this)
    before = len(subject.reading.faults)
    key = read_key(subject, inside)
    if key is not None and (inside is bare(node) or key.kind == "trunc"):
        refusal = _refusal(subject, key)
        if refusal is not None:
            subject.refuse(node, "P_GROUP", *refusal)
        return key if refusal is None else None
    if len(subject.reading.faults) > before:
        return None
    if isinstance(inside, exp.Column):
        message = f'"{inside.name}" is no column of {subject.dataset} that can make groups.'
    else:
        message = f"Groups of {subject.dataset} are made by dimensions as they are, or by whole cells of their grids."
    meant = [column for each in inside.find_all(exp.Column) if (column := subject.find(each)) is not None]
    written = [finest(use, column) for column in meant if (use := subject.use_of(column)) is not None]
    fix = f"Write GROUP BY {', '.join(dict.fromkeys(written)) or 'dimension'}; compute with the key in SELECT."
    subject.refuse(node, "P_GROUP", message, f"{fix} Dimensions: {subject.dimensions()}.")
    return None


def finest(use: DimensionUse, column: str) -> str:
    """Return how the finest groups of a dimension are written."""
    if use.step is not None:
        return f"floor({column} / {use.step}) * {use.step}"
    if use.prefix is not None:
        return f"left({column}, {use.prefix})"
    return f"date_trunc('{use.period}', {column})" if use.period else column


def _refusal(subject: Subject, key: Grouping) -> tuple[str, str] | None:
    """Say why a key makes no groups, and what would; None where it does."""
    use = subject.use_of(key.column)
    if use is None:
        message = f"{key.column} is {subject.kind_of(key.column)} in {subject.dataset}: it cannot make groups."
        return message, f"Group by dimensions: {subject.dimensions()}."
    reason = _UNFIT[key.kind](subject, key, use)
    return (reason, f"Write GROUP BY {finest(use, key.column)}.") if reason else None


def _unfit_value(subject: Subject, key: Grouping, use: DimensionUse) -> str | None:
    if subject.tells_values(key.column):
        return None
    grid = use.period or (f"steps of {use.step}" if use.step else f"its first {use.prefix} characters")
    return f"{key.column} makes groups by {grid} or coarser only."


def _unfit_period(subject: Subject, key: Grouping, use: DimensionUse) -> str | None:
    if subject.type_of(key.column) not in _TIMES:
        return f"{key.column} is no date."
    allowed = _COARSER[use.period or "day"]
    return None if (key.grid or "year") in allowed else f"{key.column} makes groups by {', '.join(allowed)} only."


def _unfit_step(_subject: Subject, key: Grouping, use: DimensionUse) -> str | None:
    if use.step is None:
        return f"{key.column} makes no groups by steps of a number."
    fits = isinstance(key.grid, int) and is_round_step(key.grid) and key.grid % use.step == 0
    steps = f"multiples of {use.step} that are 1, 2 or 5 times a power of ten"
    return None if fits else f"{key.column} makes groups by steps of {use.step} or coarser only: {steps}."


def _unfit_prefix(_subject: Subject, key: Grouping, use: DimensionUse) -> str | None:
    if use.prefix is None:
        return f"{key.column} makes no groups by its first characters."
    fits = isinstance(key.grid, int) and 1 <= key.grid <= use.prefix
    return None if fits else f"{key.column} makes groups by its first {use.prefix} characters, or by fewer."


_UNFIT: Mapping[str, Callable[[Subject, Grouping, DimensionUse], str | None]] = MappingProxyType(
    {
        "value": _unfit_value,
        "trunc": _unfit_period,
        "year": _unfit_period,
        "step": _unfit_step,
        "prefix": _unfit_prefix,
    }
)
