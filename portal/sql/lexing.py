"""The limits that a text must keep before it is parsed, so that no text can make the parser's work explode.

sqlglot reads by recursion and by trying again: deep nesting exhausts the stack, and each type with parentheses and each
JOIN that waits for its ON, makes it read twice what follows. Its compiled core cannot be interrupted, so such texts are
found among the tokens, in one pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType

from portal.errors import Fault, StatementRefusal
from portal.sql.dialect import DIALECT, MARK
from portal.sql.places import Words, fault_at

MAX_BYTES = 20_000
MAX_NESTING = 100
_MAX_DOUBLINGS = 8

_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}
_NO_CONDITION = {TokenType.CROSS, TokenType.NATURAL, TokenType.POSITIONAL}
_FIRST_WORDS = {"select", "with", "from", "values", "table", "(", "pivot", "unpivot", "pivot_wider", "pivot_longer"}

_TOO_LONG = Words(
    code="SQL_TOO_LONG",
    message=f"The statement is longer than {MAX_BYTES} bytes.",
    rule="sql.length",
    fix="Shorten it; a long list of values reads better as a join or as a range.",
)
_CHARACTER = Words(
    code="SQL_CHARACTER",
    message="The statement holds a character that no SQL text may hold.",
    rule="sql.characters",
    fix="Delete the character; it may be invisible.",
)
_EMPTY = Words(code="SQL_EMPTY", message="There is no statement.", rule="sql.one", fix="Write a SELECT.")
_OPEN_END = Words(
    code="SQL_SYNTAX",
    message="The text cannot be read as SQL.",
    rule="sql.syntax",
    fix="Look for a quote or a comment that is not closed.",
)
_NOT_A_QUERY = Words(
    code="SQL_NOT_A_QUERY",
    message="A statement that begins with this word does not only read.",
    rule="sql.read_only",
    fix="Ask with SELECT, WITH, FROM or VALUES.",
)
_MORE = Words(
    code="SQL_ONE_STATEMENT",
    message="There is more than one statement.",
    rule="sql.one",
    fix="Run one statement at a time; remove what follows the semicolon.",
)
_PIPE = Words(
    code="SQL_PIPE",
    message="Pipe syntax is not DuckDB's.",
    rule="sql.syntax",
    fix="Write the same as FROM ... SELECT ..., or as subqueries.",
)
_PARAMETER = Words(
    code="SQL_PARAMETER",
    message="Parameters have names here.",
    rule="sql.parameters",
    fix="Write $name, and give a value for name.",
)
_TOO_DEEP = Words(
    code="SQL_TOO_DEEP",
    message="The statement is nested too deeply, or joins too many tables before their conditions.",
    rule="sql.nesting",
    fix="Break it up with WITH, and write each JOIN's ON or USING right after its table.",
)


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a text that keeps the limits and may be one statement that reads.

    Raises:
        StatementRefusal: With the first fault that is found.
    """
    _refuse_first(_faults_of_text(text))
    try:
        tokens = DIALECT.tokenize(text)
    except TokenError:
        raise StatementRefusal(fault_at(text, 0, _OPEN_END)) from None
    while tokens and tokens[-1].token_type is TokenType.SEMICOLON:
        tokens.pop()
    _refuse_first(_faults_of_tokens(text, tokens))
    return tokens


def _refuse_first(faults: Iterator[Fault]) -> None:
    first = next(faults, None)
    if first is not None:
        raise StatementRefusal(first)


def _faults_of_text(text: str) -> Iterator[Fault]:
    if len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        yield fault_at(text, 0, _TOO_LONG)
    for position, character in enumerate(text):
        if character in ("\0", MARK) or "\ud800" <= character <= "\udfff":
            yield fault_at(text, position, _CHARACTER)


def _faults_of_tokens(text: str, tokens: Sequence[Token]) -> Iterator[Fault]:
    if not tokens:
        yield fault_at(text, 0, _EMPTY)
        return
    if tokens[0].text.lower() not in _FIRST_WORDS:
        yield fault_at(text, tokens[0].start, _NOT_A_QUERY)
    for token, following in pairwise(tokens):
        kinds = (token.token_type, following.token_type)
        if kinds[0] is TokenType.SEMICOLON:
            yield fault_at(text, following.start, _MORE)
        if kinds == (TokenType.PIPE, TokenType.GT) or kinds[0] is TokenType.PIPE_GT:
            yield fault_at(text, token.start, _PIPE)
        if kinds == (TokenType.PARAMETER, TokenType.NUMBER):
            yield fault_at(text, token.start, _PARAMETER)
    for token in tokens:
        if token.token_type is TokenType.PLACEHOLDER:
            yield fault_at(text, token.start, _PARAMETER)
    yield from _faults_of_nesting(text, tokens)


@dataclass(slots=True)
class _Level:
    """What is open at one level of nesting: how often the parser would read it again."""

    doublings: int = 0


@dataclass(slots=True)
class _Nesting:
    """The levels that are open, and the length of a chain such as `x[1][1][1]`, which is nested for the parser."""

    levels: list[_Level] = field(default_factory=lambda: [_Level()])
    chain: int = 0

    def read(self, before: TokenType | None, kind: TokenType) -> None:
        """Take in the next token."""
        here = self.levels[-1]
        if kind in _OPENING:
            self.levels.append(_Level(int(before in DIALECT.parser_class.TYPE_TOKENS)))
            self.chain += before is TokenType.R_BRACKET
        elif kind in _CLOSING and len(self.levels) > 1:
            self.levels.pop()
        elif kind is TokenType.JOIN and before not in _NO_CONDITION:
            here.doublings += 1
        elif kind in (TokenType.ON, TokenType.USING) and here.doublings:
            here.doublings -= 1

    @property
    def is_too_deep(self) -> bool:
        """Whether the parser should not be asked to go on."""
        doublings = sum(level.doublings for level in self.levels)
        return max(len(self.levels), self.chain) > MAX_NESTING or doublings > _MAX_DOUBLINGS


def _faults_of_nesting(text: str, tokens: Sequence[Token]) -> Iterator[Fault]:
    nesting = _Nesting()
    before: TokenType | None = None
    for token in tokens:
        nesting.read(before, token.token_type)
        before = token.token_type
        if nesting.is_too_deep:
            yield fault_at(text, token.start, _TOO_DEEP)
            return
