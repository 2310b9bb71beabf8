"""The keys of a block's groups: dimensions as they are, and dates by periods no finer than the policy's grid."""

from collections.abc import Mapping
from types import MappingProxyType

from sqlglot import exp

from portal.sql.blocks import Grouping
from portal.sql.places import fold
from portal.sql.subject import Subject, bare

_COARSER: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "day": ("day", "week", "month", "quarter", "year"),
        "week": ("week",),
        "month": ("month", "quarter", "year"),
        "quarter": ("quarter", "year"),
        "year": ("year",),
    }
)
_TIMES = ("DATE", "TIMESTAMP")
_BY_PART: Mapping[str, str] = MappingProxyType(
    {"date_trunc": "trunc", "datetrunc": "trunc", "date_part": "year", "datepart": "year"}
)


def read_key(subject: Subject, node: exp.Expr) -> Grouping | None:
    """Return the key that an expression is, without a name yet, whether or not the policy allows it; else None."""
    node = bare(node)
    column = subject.find(node)
    if column is not None:
        return Grouping("", column, "value", None)
    if isinstance(node, exp.Extract):
        return _key(subject, node.this.name, node.expression, "year")
    if not isinstance(node, exp.Anonymous):
        return None
    name, arguments = fold(str(node.this)), node.expressions
    if name == "year" and len(arguments) == 1:
        return _key(subject, "year", arguments[0], "year")
    if name not in _BY_PART or len(arguments) != len(("part", "column")) or not isinstance(arguments[0], exp.Literal):
        return None
    return _key(subject, arguments[0].name, arguments[1], _BY_PART[name])


def _key(subject: Subject, part: str, node: exp.Expr, kind: str) -> Grouping | None:
    column, period = subject.find(bare(node)), fold(part)
    if column is None or period not in _COARSER["day"] or (kind == "year" and period != "year"):
        return None
    return Grouping("", column, "year", None) if kind == "year" else Grouping("", column, "trunc", period)


def read_group(subject: Subject, node: exp.Expr) -> Grouping | None:
    """Return the key that a member of GROUP BY asks for; what does not fit is refused.

    A cast to a date or time around a period changes no group, and is left to the released values.
    """
    inside = bare(node)
    while type(inside) is exp.Cast and inside.to.this in (exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ):
        inside = bare(inside.this)
    key = read_key(subject, inside)
    if key is not None and (inside is bare(node) or key.kind == "trunc"):
        return key if _is_allowed(subject, node, key) else None
    if isinstance(inside, exp.Column):
        message = f'"{inside.name}" is no column of {subject.dataset} that can make groups.'
    else:
        message = f"Groups of {subject.dataset} are made by dimensions as they are, or by whole periods of dates."
    fix = "Write GROUP BY dimension or GROUP BY date_trunc('month', date); compute with the key in SELECT."
    subject.refuse(node, "P_GROUP", message, f"{fix} Dimensions: {subject.dimensions()}.")
    return None


def _is_allowed(subject: Subject, node: exp.Expr, key: Grouping) -> bool:
    use, kind = subject.use_of(key.column), subject.type_of(key.column)
    if use is None:
        message = f"{key.column} is {subject.kind_of(key.column)} in {subject.dataset}: it cannot make groups."
        subject.refuse(node, "P_GROUP", message, f"Group by dimensions: {subject.dimensions()}.")
        return False
    if key.kind == "value":
        if use.range in (None, "day" if kind == "DATE" else None):
            return True
        message = f"{key.column} makes groups by {use.range} or coarser only."
        subject.refuse(node, "P_GROUP", message, f"Write date_trunc('{use.range}', {key.column}).")
        return False
    if kind not in _TIMES:
        subject.refuse(node, "P_GROUP", f"{key.column} is no date.", f"Write GROUP BY {key.column}.")
        return False
    allowed = _COARSER[use.range or "day"]
    if (key.grid or "year") in allowed:
        return True
    message = f"{key.column} makes groups by {', '.join(allowed)} only."
    subject.refuse(node, "P_GROUP", message, f"Write date_trunc('{allowed[0]}', {key.column}).")
    return False
