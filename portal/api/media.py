"""The forms that an answer can have, and which of them a request wants."""

from collections.abc import Mapping
from types import MappingProxyType

FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "application/json": "json",
        "text/csv": "csv",
        "application/vnd.apache.arrow.stream": "arrow-stream",
        "application/vnd.apache.parquet": "parquet",
    }
)
"""Media type to the format's name. The first is what who accepts anything gets."""
FILES: Mapping[str, str] = MappingProxyType(
    {
        "csv": "text/csv; charset=utf-8",
        "parquet": "application/vnd.apache.parquet",
        "arrow": "application/vnd.apache.arrow.file",
    }
)
"""A download's format to its media type."""


def negotiate(accept: str | None) -> str | None:
    """Return the media type that fits an Accept header best, None where none does (RFC 9110, 12.5.1)."""
    ranges = [_range(part) for part in (accept or "*/*").split(",")]
    weighed = {media: _weight(media, ranges) for media in FORMATS}
    best = max(weighed, key=lambda media: weighed[media])
    return best if weighed[best] > 0 else None


def _range(text: str) -> tuple[str, float]:
    media, *parameters = (part.strip() for part in text.split(";"))
    weights = [parameter.removeprefix("q=") for parameter in parameters if parameter.startswith("q=")]
    try:
        return media.lower(), float(weights[0]) if weights else 1.0
    except ValueError:
        return media.lower(), 0.0


def _weight(media: str, ranges: list[tuple[str, float]]) -> float:
    """Return the weight of the most specific range that holds the media type."""
    for pattern in (media, f"{media.split('/', maxsplit=1)[0]}/*", "*/*"):
        for name, weight in ranges:
            if name == pattern:
                return weight
    return 0.0
