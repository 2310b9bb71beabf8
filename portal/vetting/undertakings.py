"""What researchers undertake, each of them by their own click. A new wording is a new version, and is asked for anew.

After the Coimisiún na Meán's guidance on Art. 40 (version 2, 25 May 2026) and Art. 9 of Delegated Regulation (EU)
2025/2050.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Undertaking:
    """A promise. `key` is what access policies ask for."""

    key: str
    version: int
    text: str


UNDERTAKINGS = (
    Undertaking(
        "aggregate-publication",
        1,
        "We publish aggregate or summary results only, and no raw or individual-level data.",
    ),
    Undertaking(
        "no-reidentification",
        1,
        "We do not try to find out which person, trader or account stands behind any record.",
    ),
    Undertaking(
        "sole-purpose",
        1,
        "We use the data only for the research that this application describes, and give them to nobody else.",
    ),
)
