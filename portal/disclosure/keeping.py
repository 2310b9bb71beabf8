"""A release history as JSON text and back."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from pyroaring import BitMap

from portal.disclosure.history import Entry, Kind, ReleaseHistory

FORMAT = 1


def to_text(history: ReleaseHistory) -> str:
    """Write a history down."""
    entries = [
        {
            "kind": [entry.kind.figure, entry.kind.column],
            "view": entry.view,
            "cells": _text(entry.cells),
            "entities": {name: _text(each) for name, each in entry.entities.items()},
            "value": entry.value,
        }
        for entry in history.entries
    ]
    return json.dumps({"format": FORMAT, "names": list(history.names), "entries": entries})


def from_text(text: str) -> ReleaseHistory:
    """Read a history; raises `ValueError` where the text is none, so that nothing is taken for an empty history."""
    found = json.loads(text)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError("this is no release history")
    return ReleaseHistory(tuple(found["names"]), tuple(_entry(entry) for entry in found["entries"]))


def _entry(found: Mapping[str, Any]) -> Entry:
    figure, column = found["kind"]
    entities = {name: _bitmap(each) for name, each in found["entities"].items()}
    return Entry(Kind(figure, column), found["view"], _bitmap(found["cells"]), entities, found["value"])


def _text(bitmap: BitMap) -> str:
    return base64.b64encode(bitmap.serialize()).decode()


def _bitmap(text: str) -> BitMap:
    return BitMap.deserialize(base64.b64decode(text))
