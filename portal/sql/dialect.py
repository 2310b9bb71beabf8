"""How sqlglot is used here: DuckDB's grammar, with every allowed function kept under the name it was written with.

sqlglot turns many functions into classes of its own and writes them back under another name (`list` as `ARRAY_AGG`),
and so loses the name and sometimes the meaning that DuckDB would give. An allowed function's name is therefore marked
before parsing, so that sqlglot does not know it, and the mark taken off after. Every function in the tree is then an
`exp.Anonymous` under its own name, except the few with a syntax of their own.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.tokenizer_core import Token, TokenType

from portal.sql.functions import FUNCTIONS

MARK = "\ue000"
"""A private-use character, which no statement may hold."""

_OWN_SYNTAX = frozenset({"map", "overlay", "position", "replace", "row", "substring", "trim", "unnest"})
"""Allowed functions that sqlglot reads by a syntax of their own: `trim(both 'x' from a)`, `* replace (...)`."""


class Verbatim(DuckDB):
    """DuckDB's dialect; a JSON path stays the text it was."""

    def to_json_path(self, path: exp.Expr | None) -> exp.Expr | None:
        """Return the path unchanged."""
        return path


DIALECT = Verbatim()


def mark_functions(tokens: Sequence[Token]) -> None:
    """Mark each allowed function's name that stands before a parenthesis, in place."""
    for token, following in pairwise(tokens):
        name = token.text.lower()
        is_name = following.token_type is TokenType.L_PAREN and name in FUNCTIONS and name not in _OWN_SYNTAX
        if is_name and token.token_type is not TokenType.STRING:
            token.text += MARK
            token.token_type = TokenType.VAR


def unmark(tree: exp.Expr) -> None:
    """Take the marks off again, in place."""
    for node in tree.find_all(exp.Identifier, exp.Anonymous, exp.Var):
        if isinstance(node.this, str) and node.this.endswith(MARK):
            node.set("this", node.this.removesuffix(MARK))


def write(tree: exp.Expr) -> str:
    """Return DuckDB SQL for the tree, without comments; function names stay as they were written."""
    return _generate(_with_own_writing(tree))


def write_to_read(tree: exp.Expr) -> str:
    """Return the same laid out over lines, with its comments."""
    return DIALECT.generate(
        _with_own_writing(tree), copy=False, normalize_functions=False, comments=True, pretty=True, indent=2, pad=2
    )


def _with_own_writing(tree: exp.Expr) -> exp.Expr:
    tree = tree.copy()
    for node in reversed(list(tree.find_all(*_OWN_WRITING))):
        text = _OWN_WRITING[type(node)](node)
        if text:
            node.replace(exp.Var(this=text))
    return tree


def _generate(node: exp.Expr | None) -> str:
    return DIALECT.generate(node, copy=False, normalize_functions=False, comments=False) if node is not None else ""


def _not(node: exp.Expr) -> str:
    test = node.this
    is_null_test = isinstance(test, exp.Is) and isinstance(test.expression, exp.Null)
    return f"{_generate(test.this)} IS NOT NULL" if is_null_test else ""


_OWN_WRITING: Mapping[type[exp.Expr], Callable[[exp.Expr], str]] = MappingProxyType(
    {
        exp.IgnoreNulls: lambda node: f"{_generate(node.this)} IGNORE NULLS",
        exp.RespectNulls: lambda node: f"{_generate(node.this)} RESPECT NULLS",
        exp.WithinGroup: lambda node: f"{_generate(node.this)} WITHIN GROUP ({_generate(node.expression).strip()})",
        exp.Not: _not,
    }
)
"""Nodes that sqlglot reads well but writes as something else, with DuckDB's own writing; empty: leave it to sqlglot."""
