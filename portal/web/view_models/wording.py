"""Words that several pages share, and text made safe to stand in Markdown."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal

from portal.desk.answers import Receipt
from portal.ids import DatasetName
from portal.policy.decision import Decision, Permit
from portal.policy.model import Access, Download
from portal.workspaces.store import CopyState

Colour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray", "primary"]

ACCESS_BADGES: Mapping[Access, tuple[str, Colour]] = {
    Access.NONE: ("Closed", "gray"),
    Access.CODEBOOK: ("Codebook only", "gray"),
    Access.AGGREGATES: ("Statistics", "blue"),
    Access.ROWS: ("Row by row", "green"),
}
TOPICS: Mapping[str, str] = {
    "moderation": "Moderation",
    "advertising": "Advertising",
    "recommenders": "Recommenders",
    "traders": "Traders",
    "complaints": "Notices and complaints",
    "capacity": "Capacity",
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-!|$~:<>&])")


NULL = "NULL"
WITHHELD = "⊘"
"""Stands where a figure is withheld."""
GAP_WORDS = "withheld or not there"
WITHHELD_WORDS = (
    f"These are statistics, rounded. {WITHHELD} stands for a figure that is {GAP_WORDS}; a group with too "
    "few behind it is left out. Why is never said: the reason would tell of the data."
)


def absent(receipt: Receipt) -> str:
    """Return the sign that stands for no value."""
    return WITHHELD if receipt.withheld else NULL


def plain(text: str) -> str:
    """Escape text so that Markdown shows it as it stands."""
    return _SPECIAL.sub(r"\\\1", text)


def prose(text: str) -> str:
    """Escape what a steward wrote, but for `names` between backticks."""
    return "".join(code(part) if place % 2 else plain(part) for place, part in enumerate(text.split("`")) if part)


def listed(texts: Iterable[str]) -> str:
    """Write what a steward wrote as a list."""
    return "\n".join(f"- {prose(text)}" for text in texts)


def code(text: str) -> str:
    """Set a name in type of fixed width; names hold no backtick, and what does is shown without."""
    return f"`{text.replace('`', '')}`"


def download_formats(decisions: Mapping[DatasetName, Decision]) -> tuple[str, ...]:
    """Return the formats in which all of these datasets may be taken away, in the order of the first."""
    rights = [_right(decision) for decision in decisions.values()]
    if not rights or None in rights:
        return ()
    allowed = [right.formats for right in rights if right is not None]
    return tuple(name for name in allowed[0] if all(name in formats for formats in allowed))


def counted(number: int, thing: str) -> str:
    """Write a number of things."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def in_words(value: object) -> str:
    """Write one value for a table or an alternative text."""
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004 - four digits either way
    if isinstance(value, date):
        return value.isoformat()[:10]
    if value is None:
        return NULL
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def copy_in_words(copy: CopyState | None) -> str:
    """Say how far a project's own copy of a dataset is, as a sentence that follows another."""
    if copy is None:
        return ""
    if copy.rows is not None:
        return f" Your copy holds {copy.rows:,} rows."
    is_begun = copy.is_building or copy.ready
    return (
        f" Your copy is {'being' if is_begun else 'yet to be'} prepared: {copy.ready} of {copy.files} files are there."
    )


def bytes_in_words(count: int) -> str:
    """Write a size as a person reads it."""
    size, unit = float(count), "bytes"
    for unit in ("bytes", "kB", "MB", "GB"):  # noqa: B007 - the unit that was reached is what is said
        if size < 1000:  # noqa: PLR2004 - decimal units
            break
        size /= 1000
    return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"


def _right(decision: Decision) -> Download | None:
    return decision.obligations.download if isinstance(decision, Permit) else None
