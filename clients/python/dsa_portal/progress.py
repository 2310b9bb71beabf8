"""Progress as one line that is written over: in a terminal and in a notebook alike; in a log, nothing."""

import sys
from typing import Protocol

WIDTH = 24


class Progress(Protocol):
    """Is told how far the work is, between 0 and 1, and what is being done."""

    def __call__(self, share: float, words: str, /) -> None:
        """Be told."""


def shown(share: float, words: str, /) -> None:
    """Show progress to a person, where one looks on."""
    if sys.stderr.isatty() or "ipykernel" in sys.modules:
        done = round(share * WIDTH)
        bar, end = "█" * done + "░" * (WIDTH - done), "\n" if share >= 1 else ""
        sys.stderr.write(f"\r{bar} {share:4.0%} {words[:60]:60}{end}")
        sys.stderr.flush()
