"""One way to name a value by its content."""

import hashlib
import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from portal.ids import Fingerprint


def canonical_json(value: Any) -> str:  # noqa: ANN401 - any JSON-like value
    """Return JSON with sorted keys and no spaces: the same value gives the same text.

    Any mapping is an object, any set a sorted list; what JSON does not know becomes text.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_known_to_json)


def fingerprint(value: Any) -> Fingerprint:  # noqa: ANN401 - any JSON-like value
    """Return the SHA-256 of the value's canonical JSON, in hexadecimal."""
    return Fingerprint(hashlib.sha256(canonical_json(value).encode()).hexdigest())


def _known_to_json(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    return sorted(value) if isinstance(value, AbstractSet) else str(value)
