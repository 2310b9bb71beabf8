"""One way to name a value by its content."""

import hashlib
import json
from typing import Any

from portal.ids import Fingerprint


def canonical_json(value: Any) -> str:  # noqa: ANN401 - any JSON-like value
    """Return JSON with sorted keys and no spaces: the same value gives the same text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def fingerprint(value: Any) -> Fingerprint:  # noqa: ANN401 - any JSON-like value
    """Return the SHA-256 of the value's canonical JSON, in hexadecimal."""
    return Fingerprint(hashlib.sha256(canonical_json(value).encode()).hexdigest())
