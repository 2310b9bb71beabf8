"""The remainder of a block: one more cell, over all groups that are withheld, where that tells of none of them.

It is judged as any group is, and audited after the groups, since groups that the history refuses are in it too.
"""

from collections.abc import Sequence

from portal.disclosure.base import BaseCells
from portal.disclosure.figures import FigureRegions, GroupRegions, Region, compute
from portal.disclosure.release import Computed, Judged, Withheld, judge
from portal.policy.model import Disclosure

FEWEST = 2
"""Groups that a remainder is over."""


def with_remainder(computed: Computed, base: BaseCells, disclosure: Disclosure) -> Judged:
    """Return the judged block with its remainder, given what the history says of its groups.

    The remainder's key is that of no group: it is empty. At least two groups are in it. It has a figure only where
    every group that is shown has this figure: from a total and these, what is withheld of a single one would follow.
    """
    block, found, judged = computed.block, computed.found, computed.judged
    shown = {key for key in judged.keys if computed.is_released((key, None))}
    withheld = [region for key, region in found.regions.items() if key not in shown]
    if block.remainder is None or found.fault or len(withheld) < FEWEST:
        return judged
    rest = judge(block, compute({(): _union(withheld)}, block, base, disclosure), base, disclosure)
    apart = {((), j) for j in range(len(block.aggregates)) if not all(computed.is_released((key, j)) for key in shown)}
    kept = {place: each for place, each in rest.candidates.items() if place not in apart}
    beside = [Withheld(block.relation, (), block.aggregates[j].name, "beside a withheld figure")
              for _, j in sorted(apart & rest.candidates.keys())]  # fmt: skip
    return Judged(
        (*judged.keys, *rest.keys),
        {**judged.candidates, **kept},
        (*judged.withheld, *rest.withheld, *beside),
    )


def _union(groups: Sequence[GroupRegions]) -> GroupRegions:
    """Return the regions of several groups as those of one; a value that several have is one value."""
    figures = tuple(
        FigureRegions(
            inside=Region.union(*(each.inside for each in same)),
            held=Region.union(*(each.held for each in same)),
            outside=Region.union(*(each.outside for each in same)),
            values={
                value: Region.union(*(each.values[value] for each in same if value in each.values))
                for value in dict.fromkeys(value for each in same for value in each.values)
            },
        )
        for same in zip(*(group.figures for group in groups), strict=True)
    )
    return GroupRegions(Region.union(*(group.whole for group in groups)), figures)
