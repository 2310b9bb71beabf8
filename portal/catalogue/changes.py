"""What a codebook says otherwise than it did: told by itself, release by release."""

from collections.abc import Iterator, Mapping
from typing import Any

INTERNAL = frozenset({"recipe", "layout", "retention", "unique"})
"""What of a dataset's definition is the platform's own, and no part of the codebook."""
LONGEST = 80
"""Characters of a text that is quoted."""

_ABSENT = object()


def definition_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return each change between two definitions of a dataset, each by its place in the YAML."""
    return tuple(_changes("", before, after))


def codebook_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the changes that anyone may know who may read the codebook."""
    return definition_changes(*({k: v for k, v in one.items() if k not in INTERNAL} for one in (before, after)))


def _changes(place: str, before: object, after: object) -> Iterator[str]:
    if before == after:
        return
    was, now = _by_name(before), _by_name(after)
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        for name in dict.fromkeys([*was, *now]):
            below = f"{place}.{name}" if place else str(name)
            yield from _changes(below, was.get(name, _ABSENT), now.get(name, _ABSENT))
    elif before is _ABSENT or after is _ABSENT:
        what, word = (after, "added") if before is _ABSENT else (before, "removed")
        yield f"{place} was {word}" + ("" if isinstance(what, dict | list) else f": {_quoted(what)}")
    else:
        yield f"{place} changed from {_quoted(before)} to {_quoted(after)}"


def _by_name(value: object) -> object:
    """Return a list of things that have ids, such as errata, by id; a list of texts by itself; all else as it is."""
    if not isinstance(value, list):
        return value
    return {item["id"] if isinstance(item, dict) and "id" in item else _brief(item): item for item in value}


def _brief(value: object) -> str:
    return ", ".join(map(str, value.values())) if isinstance(value, dict) else str(value)


def _quoted(value: object) -> str:
    text = _brief(value)
    return repr(text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…")
