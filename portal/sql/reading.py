"""A researcher's text in, one read-only statement out, or a refusal that says where and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlglot import exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from portal.errors import Fault, StatementRefusal
from portal.ids import DatasetName
from portal.sql.dialect import DIALECT, MARK, mark_functions, unmark
from portal.sql.places import Words, fault_at, fold, start_of

MAX_BYTES = 20_000
MAX_NESTING = 100
_MAX_TYPE_NESTING = 8
"""sqlglot tries each type with parentheses twice, so its work doubles at each level."""

_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}
_TYPE_WORDS = DIALECT.parser_class.TYPE_TOKENS - {TokenType.STRUCT, TokenType.MAP}
_FIRST_WORDS = {"select", "with", "from", "values", "table", "(", "pivot", "unpivot", "pivot_wider", "pivot_longer"}


@dataclass(frozen=True, slots=True)
class Parsed:
    """One statement that reads, as a tree, with the tables outside of it that it names and the parameters it needs.

    `datasets` are folded to lower case. The tree's nodes know their place in `text`; copy the tree before changing it.
    """

    text: str
    tree: exp.Expr
    datasets: tuple[DatasetName, ...]
    parameters: tuple[str, ...]


def parse(text: str) -> Parsed:
    """Read a statement.

    Raises:
        StatementRefusal: The text is too long or too deep, is not SQL, or is not exactly one SELECT-like statement.
    """
    _refuse(_faults_of_text(text))
    tokens = _tokens(text)
    _refuse(_faults_of_tokens(text, tokens))
    tree = _tree(text, tokens)
    unmark(tree)
    names = dict.fromkeys(fold(table.name) for table in tree.find_all(exp.Table) if is_base_table(table))
    parameters = dict.fromkeys(
        str(node.this) for node in tree.find_all(exp.Placeholder) if isinstance(node.this, str) and node.this
    )
    return Parsed(text, tree, tuple(DatasetName(name) for name in names if name), tuple(parameters))


def is_base_table(table: exp.Table) -> bool:
    """Whether the table is one outside of the statement: neither a function nor a common table expression."""
    return isinstance(table.this, exp.Identifier) and (bool(table.args.get("db")) or common_table(table) is None)


def common_table(table: exp.Table) -> exp.CTE | None:
    """Return the common table expression that the table's name means where it stands, if there is one.

    A WITH is seen by the query that carries it and by its own later members; a member sees itself if it is recursive.
    """
    node: exp.Expr = table
    while node.parent is not None:
        inside, node = node, node.parent
        if isinstance(node, exp.With):
            position = node.expressions.index(inside)
            found = _named(node.expressions[: position + (1 if node.recursive else 0)], table)
        elif inside.arg_key != "with_" and isinstance(with_ := node.args.get("with_"), exp.With):
            found = _named(with_.expressions, table)
        else:
            continue
        if found is not None:
            return found
    return None


def _named(members: Sequence[exp.CTE], table: exp.Table) -> exp.CTE | None:
    return next((cte for cte in reversed(members) if fold(cte.alias) == fold(table.name)), None)


def _refuse(faults: Iterator[Fault]) -> None:
    first = next(faults, None)
    if first is not None:
        raise StatementRefusal(first)


def _faults_of_text(text: str) -> Iterator[Fault]:
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        yield Fault(
            code="SQL_TOO_LONG",
            message=f"The statement is longer than {MAX_BYTES} bytes.",
            rule="sql.length",
            fix="Shorten it; a long list of values reads better as a join or as a range.",
        )
    for position, character in enumerate(text):
        if character in ("\0", MARK) or "\ud800" <= character <= "\udfff":
            yield fault_at(
                text,
                position,
                Words(
                    code="SQL_CHARACTER",
                    message="The statement holds a character that no SQL text may hold.",
                    rule="sql.characters",
                    fix="Delete the character; it may be invisible.",
                ),
            )
    if not text.strip().strip(";").strip():
        yield Fault(code="SQL_EMPTY", message="There is no statement.", rule="sql.one", fix="Write a SELECT.")


def _tokens(text: str) -> list[Token]:
    try:
        tokens = DIALECT.tokenize(text)
    except TokenError:
        raise StatementRefusal(
            Fault(
                code="SQL_SYNTAX",
                message="The text cannot be read as SQL.",
                rule="sql.syntax",
                fix="Look for a quote or a comment that is not closed.",
            )
        ) from None
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens.pop()
    return tokens


def _faults_of_tokens(text: str, tokens: Sequence[Token]) -> Iterator[Fault]:
    if not tokens:
        yield Fault(code="SQL_EMPTY", message="There is no statement.", rule="sql.one", fix="Write a SELECT.")
        return
    if tokens[0].text.lower() not in _FIRST_WORDS:
        yield fault_at(
            text,
            tokens[0].start,
            Words(
                code="SQL_NOT_A_QUERY",
                message=f"A statement that begins with {tokens[0].text[:30]!r} does not only read.",
                rule="sql.read_only",
                fix="Ask with SELECT, WITH, FROM or VALUES.",
            ),
        )
    for token, following in pairwise(tokens):
        if token.token_type is TokenType.SEMICOLON:
            yield fault_at(
                text,
                following.start,
                Words(
                    code="SQL_ONE_STATEMENT",
                    message="There is more than one statement.",
                    rule="sql.one",
                    fix="Run one statement at a time; remove what follows the semicolon.",
                ),
            )
        if token.token_type is TokenType.PIPE and following.token_type is TokenType.GT:
            yield _pipe(text, token.start)
        if token.text == "|>":
            yield _pipe(text, token.start)
    yield from _faults_of_nesting(text, tokens)


def _pipe(text: str, start: int) -> Fault:
    return fault_at(
        text,
        start,
        Words(
            code="SQL_PIPE",
            message="Pipe syntax is not DuckDB's.",
            rule="sql.syntax",
            fix="Write the same as FROM ... SELECT ..., or as subqueries.",
        ),
    )


def _faults_of_nesting(text: str, tokens: Sequence[Token]) -> Iterator[Fault]:
    """Find what would make the parser's work explode: deep nesting, and long chains that it reads by recursion."""
    stack: list[bool] = []
    chain = 0
    before = TokenType.SEMICOLON
    for token in tokens:
        kind = token.token_type
        if kind in _OPENING:
            stack.append(before in _TYPE_WORDS)
        elif kind in _CLOSING and stack:
            stack.pop()
        chain = chain + 1 if before is TokenType.R_BRACKET and kind is TokenType.L_BRACKET else chain
        before = kind
        if len(stack) > MAX_NESTING or sum(stack) > _MAX_TYPE_NESTING or chain > MAX_NESTING:
            yield fault_at(
                text,
                token.start,
                Words(
                    code="SQL_TOO_DEEP",
                    message=f"The statement is nested deeper than {MAX_NESTING} levels.",
                    rule="sql.nesting",
                    fix="Break it up with WITH.",
                ),
            )
            return


def _tree(text: str, tokens: list[Token]) -> exp.Expr:
    mark_functions(tokens)
    try:
        trees = DIALECT.parser().parse(tokens, text)
    except ParseError as error:
        place = error.errors[0] if error.errors else {}
        raise StatementRefusal(unreadable(text, _offset(text, place.get("line"), place.get("col")))) from None
    except RecursionError:
        raise StatementRefusal(unreadable(text, 0)) from None
    tree = trees[0] if len(trees) == 1 else None
    if tree is None:
        raise StatementRefusal(unreadable(text, 0))
    if isinstance(tree, exp.Pivot) and not tree.args.get("unpivot"):
        raise StatementRefusal(
            fault_at(
                text,
                start_of(tree),
                Words(
                    code="SQL_PIVOT",
                    message="A PIVOT whose columns come from the data cannot be checked before it runs.",
                    rule="sql.pivot",
                    fix="Name the columns: FROM t PIVOT (sum(v) FOR c IN ('x', 'y')), or write sum(v) FILTER (...).",
                ),
            )
        )
    if not isinstance(tree, (exp.Query, exp.Values, exp.Pivot)):
        raise StatementRefusal(unreadable(text, start_of(tree)))
    return tree


def _offset(text: str, line: int | None, column: int | None) -> int:
    """Return the offset of sqlglot's line and column, which name a token's last character."""
    lines = text.split("\n")
    return sum(len(one) + 1 for one in lines[: (line or 1) - 1]) + max((column or 1) - 1, 0)


def unreadable(text: str, start: int) -> Fault:
    """Return the fault of a text that stops making sense at an offset."""
    return fault_at(
        text,
        start,
        Words(
            code="SQL_SYNTAX",
            message="The statement cannot be read as one DuckDB SELECT at this place.",
            rule="sql.syntax",
            fix="Check the words just before this place; write it in plainer SQL if it is right.",
        ),
    )
