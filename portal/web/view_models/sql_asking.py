"""What of a text is asked, and where in it the faults of the answer are marked, though a part of it was run."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from portal.errors import Fault


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a text that is run: the whole, or a selection that begins at this line and column."""

    text: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """What was last run or explained: in which tab, what its whole text was, and which part was meant.

    `number` tells one from the next.
    """

    number: int
    tab: int
    text: str
    part: Part


def part_of(text: str, selection: object) -> Part:
    """Return the part that a browser names, else the whole text: what a browser sends may be anything."""
    match selection:
        case {"text": str(chosen), "line": int(line), "column": int(column)} if chosen.strip():
            return Part(chosen, line, column)
    return Part(text)


def typed_at(revision: int, sent: object) -> str | None:
    """Return the text that a browser says was typed, unless it was typed into what is no longer shown."""
    match sent:
        case {"revision": int(known), "text": str(text)} if known == revision:
            return text
    return None


def marks(asked: Asked | None, tab: int, text: str, faults: Iterable[Fault]) -> dict[str, Any]:
    """Return the places to mark, for JSON; `stale` where the text is no longer the one that was asked."""
    if asked is None:
        return {"run": 0, "stale": True, "places": []}
    return {
        "run": asked.number,
        "stale": (asked.tab, asked.text) != (tab, text),
        "places": [_place(asked.part, fault) for fault in faults if fault.line is not None],
    }


def _place(part: Part, fault: Fault) -> dict[str, Any]:
    line, column = fault.line or 1, fault.column or 1
    return {
        "line": part.line + line - 1,
        "column": column + (part.column - 1 if line == 1 else 0),
        "message": fault.message,
        "fix": fault.fix,
    }
