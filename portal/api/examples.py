"""What the reference shows of each answer: true in its shape (a test holds it to that), made up in its values."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from portal.api.media import FORMATS
from portal.api.rates import RATES

SQL = "SELECT platform, sum(statements) AS statements FROM dsa_transparency_daily WHERE field = $field GROUP BY ALL"
_NAME, _RECEIPT, _DOWNLOAD = "dsa_transparency_daily", "5f0c" * 8, "9ab1" * 8
_AT, _HASH = "2026-06-01T12:00:00+00:00", "e3b0" * 16
_BRIEF: Mapping[str, Any] = MappingProxyType(
    {
        "name": _NAME,
        "title": "Marketplaces in the DSA Transparency Database, by day",
        "topic": "moderation",
        "access": "rows",
        "release": 1,
        "released_at": _AT,
        "rows": 1_000_000,
        "synthetic": False,
    }
)
_QUEUED: Mapping[str, Any] = MappingProxyType(
    {
        "id": _DOWNLOAD,
        "state": "queued",
        "format": "parquet",
        "created_at": _AT,
        "share": 0.0,
        "words": "Waiting for a turn: 0 before you",
        "before": 0,
    }
)
_SOURCE: Mapping[str, Any] = MappingProxyType(
    {"dataset": _NAME, "release": 1, "policy": _HASH, "synthetic": False, "obligations": []}
)
_RECEIPT_RECORD: Mapping[str, Any] = MappingProxyType(
    {
        "id": _RECEIPT,
        "person": "vetted@demo",
        "project": "illegal-products",
        "statement": SQL,
        "parameters": {"field": "rows"},
        "sources": [dict(_SOURCE)],
        "rows": 28,
        "complete": True,
        "withheld": None,
        "fingerprint": _HASH,
        "at": _AT,
        "seconds": 0.21,
        "rows_left_this_week": 4_999_972,
    }
)
_KEPT: Mapping[str, Any] = MappingProxyType(
    {
        "name": "own/3f2a9c0b1d4e.1",
        "id": "3f2a9c0b1d4e",
        "version": 1,
        "owner": "vetted@demo",
        "author": "vetted@demo",
        "project": "illegal-products",
        "seen_by": "owner",
        "title": "By platform",
        "question": "",
        "sql": SQL,
        "parameters": {"field": "rows"},
        "origin": None,
        "at": _AT,
    }
)
EXAMPLES: Mapping[str, Any] = MappingProxyType(
    {
        "datasets": [dict(_BRIEF)],
        "dataset": {
            **_BRIEF,
            "until": None,
            "access_in_words": ["You may query row by row."],
            "releases": [
                {
                    "dataset": _NAME,
                    "number": 1,
                    "created_at": _AT,
                    "synthetic": False,
                    "columns": {"day": "DATE"},
                    "codebook_changes": [],
                }
            ],
            "codebook": {"dataset": _NAME, "columns": {"day": {"type": "DATE", "meaning": "The day."}}},
        },
        "queries": [
            {
                "name": "moderation/automation_by_category",
                "topic": "moderation",
                "title": "Automation by category",
                "question": "How much is decided by automated means?",
                "why": "Art. 15 and 17.",
                "reading": "Each row is a category.",
                "caveats": [],
                "datasets": [_NAME],
                "tiers": ["vetted"],
                "parameters": {"least": {"type": "number", "label": "Least", "default": 0, "values": None}},
                "chart": None,
                "sql": SQL,
            }
        ],
        "own_queries": [dict(_KEPT)],
        "kept": dict(_KEPT),
        "downloads": [dict(_QUEUED)],
        "queued": dict(_QUEUED),
        "download": {
            **_QUEUED,
            "state": "ready",
            "share": 1.0,
            "words": "",
            "filename": f"{_NAME}-{_HASH[:12]}.parquet",
            "rows": 28,
            "bytes": 4096,
            "sha256": _HASH,
            "expires_at": "2026-06-08T12:00:00+00:00",
            "receipt": dict(_RECEIPT_RECORD),
        },
        "receipt": dict(_RECEIPT_RECORD),
        "entries": [
            {
                "sequence": 812,
                "at": _AT,
                "action": "statement-ran",
                "project": "illegal-products",
                "subject": _RECEIPT,
                "rows": 28,
                "details": dict(_RECEIPT_RECORD),
            }
        ],
        "me": {
            "person": {"id": "vetted@demo", "name": "Vetted researcher (demo)", "tier": "vetted"},
            "project": "illegal-products",
            "projects": [
                {"id": "illegal-products", "title": "Illegal products", "starts": "2026-01-01", "ends": "2027-01-01"}
            ],
        },
    }
)
_BODIES: Mapping[str, Any] = MappingProxyType(
    {
        "application/json": {
            "columns": [{"name": "platform", "type": "string"}, {"name": "statements", "type": "int64"}],
            "rows": [["AliExpress", 12345]],
        },
        "text/csv": "platform,statements\nAliExpress,12345\n",
    }
)
FACTS: Mapping[str, str] = MappingProxyType(
    {
        "Portal-Receipt": "The receipt's id; see /receipts/{identifier}.",
        "Portal-Rows": "How many rows the answer has.",
        "Portal-Complete": "`no` where a limit cut the answer.",
        "Portal-Cells-Withheld": "`yes` where a figure of released cells is withheld.",
        "Portal-Rows-Left-This-Week": "What is left of the project's budget of rows.",
        "Portal-Errata": "Known faults of what was read, as dataset/erratum.",
        "Portal-Synthetic": "`yes` where any of the data is made up.",
    }
)
_HEADERS: Mapping[str, Any] = MappingProxyType(
    {**{name: {"description": words, "schema": {"type": "string"}} for name, words in FACTS.items()}, **RATES}
)


def shown(name: str, description: str, status: int = 200, **headers: Any) -> dict[int | str, dict[str, Any]]:  # noqa: ANN401 - OpenAPI's own header objects
    """Return what the reference says of an answer in JSON."""
    content = {"application/json": {"example": EXAMPLES[name]}}
    return {status: {"description": description, "content": content, "headers": {**RATES, **headers}}}


def shown_answer(**headers: Any) -> dict[int | str, dict[str, Any]]:  # noqa: ANN401 - see above
    """Return what the reference says of an answer to a statement, in each form that Accept may name."""
    content = {media: {"example": _BODIES[media]} if media in _BODIES else {} for media in FORMATS}
    description = "The answer, in the form that Accept names."
    return {200: {"description": description, "content": content, "headers": {**_HEADERS, **headers}}}


UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "You have this already (If-None-Match)."}}
"""Said of what has an ETag."""
