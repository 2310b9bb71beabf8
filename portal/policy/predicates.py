"""Row rules: a small closed language of constant predicates that stewards write in policies and grants.

`territorial_scope && project.member_states AND created_at >= DATE '2025-01-01'`: columns of the dataset, literals,
comparisons, IN, BETWEEN, IS NULL, list overlap, AND, OR, NOT; and the project's own values, filled in as literals.
Nothing that looks anything up, so a row rule can never be made to leak by being run beside a researcher's SQL.
"""

from collections.abc import Collection, Mapping, Sequence

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

PROJECT_VALUES = frozenset({"member_states"})
"""The names that `project.` may be followed by; each is a list of texts."""

ADMITTED = (
    exp.And, exp.Or, exp.Not, exp.Paren, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between,
    exp.Is, exp.Null, exp.Boolean, exp.Literal, exp.Neg, exp.Column, exp.Identifier, exp.ArrayOverlaps, exp.Cast,
    exp.DataType,
)  # fmt: skip


class PredicateError(ValueError):
    """The text is outside the language; the message says how."""


def check_predicate(text: str, columns: Collection[str]) -> None:
    """Raise `PredicateError` unless the text is a row rule over these columns."""
    _parse(text, columns)


def bind_predicate(text: str, columns: Collection[str], values: Mapping[str, Sequence[str]]) -> str:
    """Return the rule as a constant DuckDB predicate, the project's values written in as literals.

    A row for which the rule is unknown (NULL) does not satisfy it; where the project has no value, any comparison with
    its values is unknown, be it negated or not.
    """
    bound = _parse(text, columns).transform(lambda node: _fill_in(node, values))
    return f"({bound.sql(dialect='duckdb', comments=False)}) IS TRUE"


def _parse(text: str, columns: Collection[str]) -> exp.Expr:
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb", into=exp.Condition)
    except (SqlglotError, RecursionError) as error:
        raise PredicateError("this does not read as a predicate") from error
    for node in tree.walk():
        _check_node(node, columns)
    return tree


def _check_node(node: exp.Expr, columns: Collection[str]) -> None:
    if not isinstance(node, ADMITTED):
        raise PredicateError(f"{node.sql(dialect='duckdb')!r} is not part of the language of row rules")
    if isinstance(node, exp.Cast) and not (isinstance(node.this, exp.Literal) and node.is_type("date")):
        raise PredicateError("the only cast is DATE '...'")
    if isinstance(node, exp.In) and not (node.expressions or _is_project_value(node.args.get("field"))):
        raise PredicateError("IN takes a list of literals, or project.<values>")
    if not isinstance(node, exp.Column):
        return
    if _is_project_value(node):
        if not isinstance(node.parent, exp.In | exp.ArrayOverlaps):
            raise PredicateError("project values stand after IN or &&")
    elif node.table or node.name not in columns:
        raise PredicateError(f"unknown column: {node.sql(dialect='duckdb')}")


def _is_project_value(node: object) -> bool:
    return (
        isinstance(node, exp.Column)
        and node.table == "project"
        and node.name in PROJECT_VALUES
        and not node.args.get("db")
    )


def _fill_in(node: exp.Expr, values: Mapping[str, Sequence[str]]) -> exp.Expr:
    if isinstance(node, exp.In) and node.args.get("field"):
        literals = _literals(values[node.args["field"].name])
        return exp.In(this=node.this, expressions=literals) if literals else exp.null()
    if _is_project_value(node):
        literals = _literals(values[node.name])
        array = exp.Array(expressions=literals) if literals else exp.null()
        return exp.cast(array, "VARCHAR[]", dialect="duckdb")
    return node


def _literals(texts: Sequence[str]) -> list[exp.Expr]:
    return [exp.Literal.string(text) for text in texts]
