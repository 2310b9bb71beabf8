"""Faults of a statement, each at its place in the text."""

from sqlglot import exp

from portal.errors import Fault

_SNIPPET = 60


def fold(name: str) -> str:
    """Return the name as DuckDB compares names: without case, in ASCII only."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in name)


def start_of(node: exp.Expr | None) -> int:
    """Return where the node begins in the text: its own first token's offset, else its nearest parent's."""
    while node is not None:
        starts = [part.meta["start"] for part in node.walk() if "start" in part.meta]
        if starts:
            return int(min(starts))
        node = node.parent
    return 0


def fault_at(text: str, start: int, *, code: str, message: str, rule: str, fix: str) -> Fault:
    """Build a fault whose line, column and snippet are those of the offset `start`."""
    start = max(0, min(start, len(text) - 1))
    line = text.count("\n", 0, start)
    begin = text.rfind("\n", 0, start) + 1
    rest = text[start : start + _SNIPPET].split("\n", 1)[0]
    return Fault(
        code=code, message=message, rule=rule, fix=fix, line=line + 1, column=start - begin + 1, snippet=rest.rstrip()
    )
