"""What was released of a pair, held against what was released of either of its datasets alone, and the reverse.

Cells of a pair and cells of one of its datasets hold different rows, so no combination of them is looked at; but their
entities compare, as they do under other row rules: two figures of one family, whose entities differ by few, would tell
of these. So each history of a dataset also notes the entities of what is released of a pair that it is in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pyroaring import BitMap

from portal.disclosure.history import ROWS, Candidate, Entry, Ground, ReleaseHistory, Verdict, audit
from portal.disclosure.kept import packed
from portal.disclosure.subject import Pair

_NO_CELLS = packed(BitMap())


@dataclass(frozen=True, slots=True)
class _Side:
    """One dataset of a pair, by its place."""

    pair: Pair
    place: int

    def to_pair(self, entry: Entry) -> Entry:
        """Return what was released of this dataset alone, or of another pair that it is in, as this pair sees it."""
        before, column = self.pair.sides[self.place].before, entry.kind.column
        kind = replace(entry.kind, column=column and f"{before}{column}")
        entities = {f"{before}{name}": kept for name, kept in entry.entities.items()}
        thresholds = {f"{before}{name}": k for name, k in entry.thresholds.items()}
        return Entry(kind, entry.view, _NO_CELLS, entities, entry.value, thresholds)

    def from_pair(self, entry: Entry) -> Entry | None:
        """Return what was released of this pair as this dataset's history notes it; None where nothing compares.

        Whatever a count of the pair counts, it may be the number of rows where each entity has one.
        """
        side, column = self.pair.sides[self.place], entry.kind.column
        kind = entry.kind
        if ROWS in kind.families(self.pair.disclosure):
            kind = ROWS
        elif column is not None:
            if not column.startswith(side.before):
                return None
            kind = replace(kind, column=side.own(column))
        entities = {side.own(name): entry.entities[name] for name in side.entities}
        thresholds = {side.own(name): self.pair.disclosure.entities[name] for name in side.entities}
        return Entry(kind, entry.view, _NO_CELLS, entities, entry.value, thresholds)


def audit_pair(
    histories: Sequence[ReleaseHistory], asked: Sequence[Sequence[Candidate]], pair: Pair, ground: Ground
) -> tuple[tuple[ReleaseHistory, ...], tuple[Verdict, ...]]:
    """Audit candidates of a pair; `histories` are its own and those of its datasets, and so is what is returned.

    The view of `ground` is one that no other pair and no dataset alone has.
    """
    own, *alone = histories
    sides = [_Side(pair, place) for place in range(len(alone))]
    mine = {ground.view, *(entry.view for entry in own.entries)}
    others = tuple(
        side.to_pair(entry)
        for side, history in zip(sides, alone, strict=True)
        for entry in history.entries
        if entry.view not in mine
    )
    grown, verdicts = audit(replace(own, entries=(*own.entries, *others)), asked, ground)
    new = grown.entries[len(own.entries) + len(others) :]
    noted = [
        replace(history, entries=(*history.entries, *(each for entry in new if (each := side.from_pair(entry)))))
        for side, history in zip(sides, alone, strict=True)
    ]
    return (replace(grown, entries=(*own.entries, *new)), *noted), verdicts
