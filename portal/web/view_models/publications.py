"""What became of a dataset's releases, and what each says otherwise than the one before, in sentences."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def publications_in_words(releases: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence for each release that has ended, and for each change of the codebook, the newest first."""
    for release in reversed(tuple(releases)):
        if "because" in release:
            yield f"Release {release['number']} was {release['kind']} on {release['at'][:10]}: {release['because']}"
        else:
            yield from (f"Codebook of release {release['number']}: {change}." for change in release["codebook_changes"])
