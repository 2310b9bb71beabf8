"""The figures of a block: counts, sums and averages of bare columns, with or without a filter."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from sqlglot import exp

from portal.sql.blocks import Aggregate, Atom
from portal.sql.conditions import read_conditions
from portal.sql.functions import FUNCTIONS
from portal.sql.groups import finest
from portal.sql.places import fold
from portal.sql.subject import Subject, bare

_AROUND = (exp.Filter, exp.WithinGroup, exp.PercentileCont, exp.PercentileDisc, exp.IgnoreNulls, exp.RespectNulls)
_ROWS = Aggregate("", "count_rows", None, ())
_FUNCTIONS = "count(*), count(column), count(DISTINCT column), sum(measure) and avg(measure)"


def is_aggregate(node: exp.Expr) -> bool:
    """Whether the node is a call of an aggregate function, allowed here or not."""
    if isinstance(node, exp.Anonymous):
        return FUNCTIONS.get(fold(str(node.this))) == "aggregate"
    return isinstance(node, _AROUND)


def read_figure(subject: Subject, node: exp.Expr) -> Aggregate | None:
    """Return the aggregate that a call asks for, without a name yet; what does not fit is refused."""
    atoms: tuple[Atom, ...] = ()
    call = node
    if isinstance(node, exp.Filter):
        condition = node.expression
        atoms = read_conditions(subject, condition.this if isinstance(condition, exp.Where) else condition)
        call = node.this
    name = fold(str(call.this)) if isinstance(call, exp.Anonymous) else ""
    reader = _READERS.get(name)
    if reader is None:
        asked = f"{name}(...)" if name else "This aggregate"
        message = f"{asked} is not among the figures that {subject.dataset} gives: it could show single values."
        subject.refuse(node, "P_AGG", message, f"Use {_FUNCTIONS}.")
        return None
    figure = reader(subject, call)
    return replace(figure, filter=tuple(dict.fromkeys((*figure.filter, *atoms)))) if figure else None


def _count(subject: Subject, call: exp.Expr) -> Aggregate | None:
    argument = _only(call)
    if not call.expressions or _is_plain_star(argument) or _is_number(argument):
        return _ROWS
    if isinstance(argument, exp.Case):
        return _chosen(subject, call, argument, "count")
    if isinstance(argument, exp.Distinct) and len(argument.expressions) == 1 and not argument.args.get("on"):
        return _column(subject, call, argument.expressions[0], "count_distinct")
    return _column(subject, call, argument, "count")


def _count_star(subject: Subject, call: exp.Expr) -> Aggregate | None:
    return _column(subject, call, call.expressions[0], "count") if call.expressions else _ROWS


def _count_if(subject: Subject, call: exp.Expr) -> Aggregate | None:
    argument = _only(call)
    if argument is None:
        return _misfit(subject, call)
    return replace(_ROWS, filter=read_conditions(subject, argument))


def _sum(subject: Subject, call: exp.Expr) -> Aggregate | None:
    argument = _only(call)
    return _chosen(subject, call, argument, "sum") if isinstance(argument, exp.Case) else _measure(subject, call, "sum")


def _avg(subject: Subject, call: exp.Expr) -> Aggregate | None:
    argument = _only(call)
    return _chosen(subject, call, argument, "avg") if isinstance(argument, exp.Case) else _measure(subject, call, "avg")


def _measure(subject: Subject, call: exp.Expr, function: str) -> Aggregate | None:
    return _column(subject, call, _only(call), function)


def _chosen(subject: Subject, call: exp.Expr, case: exp.Case, function: str) -> Aggregate | None:
    """`sum(CASE WHEN atoms THEN m ELSE 0 END)` is `sum(m) FILTER (WHERE atoms)`; a 1 in place of m counts rows."""
    default = case.args.get("default")
    zero = isinstance(default, exp.Literal) and default.name == "0" and function == "sum"
    if (
        case.this is not None
        or len(case.args["ifs"]) != 1
        or not (default is None or zero or isinstance(default, exp.Null))
    ):
        return _misfit(subject, call)
    [branch] = case.args["ifs"]
    result = bare(branch.args["true"])
    atoms = read_conditions(subject, branch.this)
    if isinstance(result, exp.Literal) and result.name == "1" and not result.is_string and function in ("sum", "count"):
        return replace(_ROWS, filter=atoms)
    figure = _column(subject, call, result, function)
    return replace(figure, filter=atoms) if figure else None


def _column(subject: Subject, call: exp.Expr, argument: exp.Expr | None, function: str) -> Aggregate | None:
    column = subject.find(bare(argument)) if argument is not None else None
    if column is None:
        return _misfit(subject, call)
    refusal = _UNFIT[function](subject, column)
    if refusal:
        subject.refuse(call, "P_AGGARG", *refusal)
        return None
    return Aggregate("", function, column, ())  # type: ignore[arg-type]  # the keys of _UNFIT


def _misfit(subject: Subject, call: exp.Expr) -> Aggregate | None:
    name = fold(str(call.this))
    message = f"{name}(...) takes one bare column of {subject.dataset}, and nothing made of columns."
    fix = "Compute with the figures instead: 2 * sum(m), sum(a) - sum(b); choose rows by sum(m) FILTER (WHERE ...)."
    subject.refuse(call, "P_AGGARG", message, fix)
    return None


def _not_summed(subject: Subject, column: str) -> tuple[str, str] | None:
    if subject.kind_of(column) == "a measure":
        return None
    return (
        f"{column} is {subject.kind_of(column)} in {subject.dataset}: only a measure is summed and averaged.",
        f"Sum or average a measure: {subject.measures()}.",
    )


def _not_counted(subject: Subject, column: str) -> tuple[str, str] | None:
    kind = subject.kind_of(column)
    if kind not in ("hidden", "a public column"):
        return None
    return f"{column} is {kind} in {subject.dataset}: it cannot be counted.", "Write count(*)."


def _not_counted_distinct(subject: Subject, column: str) -> tuple[str, str] | None:
    """Values that lie within one cell of a grid are not told apart; how many cells there are is a second step."""
    kind, use = subject.kind_of(column), subject.use_of(column)
    if kind == "an entity" or (kind == "a dimension" and subject.tells_values(column)):
        return None
    if kind != "a dimension" or use is None:
        return (
            f"{column} is {kind} in {subject.dataset}: its values cannot be told apart.",
            f"Count the values of an entity or dimension: {subject.countable()}.",
        )
    cell = finest(use, column)
    return (
        f"{column} is known as {cell} only: its values cannot be told apart.",
        f"Count the groups in a second step, over WITH c AS (SELECT DISTINCT {cell} AS g FROM {subject.dataset}).",  # noqa: S608 - words
    )


_UNFIT: Mapping[str, Callable[[Subject, str], tuple[str, str] | None]] = MappingProxyType(
    {"sum": _not_summed, "avg": _not_summed, "count": _not_counted, "count_distinct": _not_counted_distinct}
)
_READERS: Mapping[str, Callable[[Subject, exp.Expr], Aggregate | None]] = MappingProxyType(
    {
        "count": _count,
        "count_star": _count_star,
        "count_if": _count_if,
        "countif": _count_if,
        "sum": _sum,
        "avg": _avg,
        "mean": _avg,
    }
)


def _only(call: exp.Expr) -> exp.Expr | None:
    return bare(call.expressions[0]) if len(call.expressions) == 1 else None


def _is_plain_star(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Star) and not any(node.args.values())


def _is_number(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string
