"""How a function may be called: by an allowed name, and without asking for a value of unbounded size."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlglot import exp

from portal.errors import Fault
from portal.sql.functions import BY_NAME, FUNCTIONS, MAX_SERIES, MAX_SIZE, SERIES, SIZED, TEMPLATED
from portal.sql.places import Words, fault_at, fold, start_of

_WIDE = re.compile(r"[0-9]{4,}|\*|\{[^}]*\{")
_SECONDS = {
    "MICROSECOND": 1e-6,
    "MILLISECOND": 1e-3,
    "SECOND": 1,
    "MINUTE": 60,
    "HOUR": 3_600,
    "DAY": 86_400,
    "WEEK": 604_800,
    "MONTH": 2_592_000,
    "QUARTER": 7_776_000,
    "YEAR": 31_536_000,
}


def faults_of_call(text: str, call: exp.Anonymous) -> Iterator[Fault]:
    """Yield what is wrong with a call by name, `f(a, b)` or `a.f(b)`."""
    name = fold(str(call.name))
    if name not in FUNCTIONS:
        yield _not_allowed(text, call, call.name)
        return
    receiver = [call.parent.this] if isinstance(call.parent, exp.Dot) and call.arg_key == "expression" else []
    arguments = [*receiver, *call.expressions]
    if name in SERIES and not _is_small_series(arguments):
        yield _too_large(
            text,
            call,
            f"{call.name}(...) takes literal bounds, of at most {MAX_SERIES} values in all.",
            "Write the bounds as numbers or dates, such as generate_series(DATE '2025-01-01', DATE '2025-12-31', "
            "INTERVAL 1 DAY), or take the values from a dataset with SELECT DISTINCT.",
        )
    if name in SIZED and len(arguments) > SIZED[name] and not _is_small(arguments[SIZED[name]]):
        yield _too_large(
            text,
            call,
            f"{call.name}(...) takes a literal size of at most {MAX_SIZE}.",
            "Write the size as a number.",
        )
    if name in TEMPLATED and not (arguments and _is_text(arguments[0]) and not _WIDE.search(arguments[0].name)):
        yield _too_large(
            text,
            call,
            f"{call.name}(...) takes a literal template whose widths are below 1000.",
            "Write the template as a text.",
        )
    if name in BY_NAME and not _names_aggregate(arguments, BY_NAME[name]):
        yield fault_at(
            text,
            start_of(call),
            Words(
                code="SQL_FUNCTION",
                message=f"{call.name}(...) takes the name of an allowed aggregate as a literal.",
                rule="sql.functions",
                fix="Write the aggregate's name as a text, such as 'sum'.",
            ),
        )


def faults_of_function(text: str, node: exp.Func) -> Fault:
    """Return the fault of a function that is not allowed, by the name that stands in the text."""
    start = start_of(node)
    found = re.match(r"\w+", text[start:])
    return _not_allowed(text, node, found[0] if "start" in node.meta and found else node.sql_name())


def _not_allowed(text: str, node: exp.Expr, name: str) -> Fault:
    return fault_at(
        text,
        start_of(node),
        Words(
            code="SQL_FUNCTION",
            message=f'The function "{name}" is not among those that a statement may call.',
            rule="sql.functions",
            fix="Use one of the functions in the portal's list; none reads files, settings or metadata.",
        ),
    )


def _too_large(text: str, node: exp.Expr, message: str, fix: str) -> Fault:
    return fault_at(text, start_of(node), Words(code="SQL_SIZE", message=message, rule="sql.size", fix=fix))


def _is_text(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)


def _names_aggregate(arguments: list[exp.Expr], position: int) -> bool:
    if len(arguments) <= position or not _is_text(arguments[position]):
        return False
    return FUNCTIONS.get(fold(arguments[position].name)) == "aggregate"


def _is_small(node: exp.Expr) -> bool:
    value = _number(node)
    return value is not None and value <= MAX_SIZE


def _number(node: exp.Expr) -> float | None:
    if isinstance(node, exp.Neg):
        value = _number(node.this)
        return None if value is None else -value
    if isinstance(node, exp.Literal) and not node.is_string and len(node.name) <= len("1000000000"):
        return float(node.name)
    return None


def _point(node: exp.Expr) -> float | None:
    """Return a literal's place on its line: a number itself, a date or timestamp in seconds."""
    if isinstance(node, exp.Cast) and _is_text(node.this) and node.to.this in exp.DataType.TEMPORAL_TYPES:
        try:
            return datetime.fromisoformat(node.this.name).replace(tzinfo=UTC).timestamp()
        except (ValueError, OverflowError):
            return None
    return _number(node)


def _step(node: exp.Expr) -> float | None:
    if not isinstance(node, exp.Interval):
        return _number(node)
    unit = node.args.get("unit")
    seconds = _SECONDS.get(unit.name.upper().removesuffix("S")) if isinstance(unit, exp.Var) else None
    try:
        return None if seconds is None else float(node.this.name) * seconds
    except ValueError:
        return None


def _is_small_series(arguments: list[exp.Expr]) -> bool:
    """Whether every bound is a literal and the values between them are few."""
    if not arguments or len(arguments) > len(("start", "stop", "step")):
        return False
    points = [_point(node) for node in arguments[:2]]
    start, stop = (0.0, points[0]) if len(points) == 1 else points
    step = _step(arguments[2]) if len(arguments) == len(("start", "stop", "step")) else 1.0
    if start is None or stop is None or step is None or step == 0:
        return False
    return abs((stop - start) / step) <= MAX_SERIES
