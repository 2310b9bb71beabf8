"""Complementary suppression: what is withheld must not follow from what is shown and a total."""

from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet

from portal.disclosure.cells import Key

Joint = Callable[[Collection[Key]], Mapping[str, int]]
"""The distinct entities, by entity type, of several groups together."""


def with_complement(
    withheld: AbstractSet[Key], sizes: Mapping[Key, int], joint: Joint, thresholds: Mapping[str, int]
) -> frozenset[Key]:
    """Withhold more, smallest first, until at least two are withheld and together they hold every threshold.

    `sizes` holds every group of the block, the withheld ones included. Nothing withheld stays nothing.
    """
    chosen = set(withheld)
    rest = sorted((key for key in sizes if key not in chosen), key=lambda key: (sizes[key], repr(key)))
    while chosen and rest and not _enough(chosen, joint, thresholds):
        chosen.add(rest.pop(0))
    return frozenset(chosen)


def _enough(chosen: Collection[Key], joint: Joint, thresholds: Mapping[str, int]) -> bool:
    together = joint(chosen)
    return len(chosen) >= 2 and all(together[name] >= k for name, k in thresholds.items())  # noqa: PLR2004 - the rule
