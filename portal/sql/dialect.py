"""How sqlglot is used here: DuckDB's grammar, with every allowed function kept under the name it was written with.

sqlglot turns many functions into classes of its own and writes them back under another name (`list` as `ARRAY_AGG`),
and so loses the name and sometimes the meaning that DuckDB would give. An allowed function's name is therefore marked
before parsing, so that sqlglot does not know it, and the mark taken off after. Every function in the tree is then an
`exp.Anonymous` under its own name, except the few with a syntax of their own.
"""

from collections.abc import Sequence

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.tokens import Token, TokenType

from portal.sql.functions import FUNCTIONS

MARK = "\ue000"
"""A private-use character, which no statement may hold."""

_OWN_SYNTAX = frozenset({"map", "overlay", "position", "replace", "row", "substring", "trim", "unnest"})
"""Allowed functions that sqlglot reads by their own syntax: `trim(both 'x' from a)`, `* replace (...)`, `x::map(...)`."""


class Verbatim(DuckDB):
    """DuckDB's dialect; a JSON path stays the text it was."""

    def to_json_path(self, path: exp.Expr | None) -> exp.Expr | None:
        """Return the path unchanged."""
        return path


DIALECT = Verbatim()


def mark_functions(tokens: Sequence[Token]) -> None:
    """Mark each allowed function's name that stands before a parenthesis, in place."""
    for token, following in zip(tokens, tokens[1:], strict=False):
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
    return DIALECT.generate(tree, normalize_functions=False, comments=False)
