"""Faults of a statement, each at its place in the text."""

from dataclasses import asdict, dataclass

from sqlglot import exp

from portal.errors import Fault

_SNIPPET = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A fault without its place."""

    code: str
    message: str
    rule: str
    fix: str


def fold(name: str) -> str:
    """Return the name as DuckDB compares names: without case, in ASCII only."""
    if name.isascii():
        return name.lower()
    return "".join(character.lower() if character.isascii() else character for character in name)


def is_address(name: str) -> bool:
    """Whether a table's name looks like a file or an address, which DuckDB would try to read."""
    return any(mark in name for mark in "./\\:*?")


def start_of(node: exp.Expr | None) -> int:
    """Return where the node begins in the text: its own first token's offset, else its nearest parent's."""
    while node is not None:
        starts = [part.meta["start"] for part in node.walk() if "start" in part.meta]
        if starts:
            return int(min(starts))
        node = node.parent
    return 0


def line_and_column(text: str, start: int) -> tuple[int, int]:
    """Return where an offset is in the text, counted from 1."""
    return text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)


def fault_at(text: str, start: int, words: Words) -> Fault:
    """Return the fault whose line, column and snippet are those of the offset `start`."""
    start = max(0, min(start, len(text) - 1))
    line, column = line_and_column(text, start)
    snippet = text[start : start + _SNIPPET].split("\n", 1)[0].rstrip()
    return Fault(**asdict(words), line=line, column=column, snippet=snippet)
