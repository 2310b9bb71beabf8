"""From computed groups to the relation that leaves: judge, complement, audit, round. Pure.

Nothing and too few look the same: a group that is withheld is not there, and a block without groups yields one row of
NULL. A figure that is withheld is NULL, whatever the reason; the reasons are returned for the steward.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from portal.disclosure.base import BaseCells
from portal.disclosure.cells import Figure, Key, figure_fault, group_fault
from portal.disclosure.complementary import with_complement
from portal.disclosure.figures import Found, GroupRegions, Region
from portal.disclosure.history import KEY, ROWS, Candidate, Kind, Verdict
from portal.disclosure.rounding import average, round_to
from portal.policy.model import Disclosure
from portal.sql.blocks import Aggregate, Block

Place = tuple[Key, int | None]
"""A figure of a block: the group's key and the aggregate's position; None for the key itself."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """What was withheld and why; for the steward only, since the reason depends on data. `aggregate` None = all."""

    relation: str
    key: Key
    aggregate: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A block after every rule that looks at it alone. `keys` are the groups that may be shown, () the remainder.

    That a group is shown tells that it has enough, so its key is a candidate, and no figure leaves without it.
    """

    keys: tuple[Key, ...]
    candidates: Mapping[Place, tuple[Candidate, ...]]
    withheld: tuple[Withheld, ...]


@dataclass(frozen=True, slots=True)
class Computed:
    """A block, as it was found, judged on its own, and held against the history.

    `keys` has the columns `k{i}` of the block's groupings with their types.
    """

    block: Block
    found: Found
    judged: Judged
    keys: pa.Table
    verdicts: Mapping[Place, Verdict] = field(default_factory=dict)

    def is_released(self, place: Place) -> bool:
        """Say whether nothing withholds a figure, or a key."""
        return place in self.verdicts and self.verdicts[place].reason is None


def judge(block: Block, found: Found, base: BaseCells, disclosure: Disclosure) -> Judged:
    """Apply thresholds, support, dominance and complement to a block."""
    groups, regions = sorted(found.groups, key=lambda group: repr(group.key)), found.regions
    sizes = {group.key: min(group.entities.values()) for group in groups}
    joint = _joint(regions, base)
    reasons: dict[Key, str] = {group.key: found.fault for group in groups} if found.fault else {}
    for group in groups:
        reason = group_fault(group, disclosure)
        if reason:
            reasons.setdefault(group.key, reason)
    closed = with_complement(reasons.keys(), sizes, joint, disclosure.entities) if block.groupings else set(reasons)
    withheld = [
        Withheld(block.relation, key, None, reasons.get(key, "complementary")) for key in sorted(closed, key=repr)
    ]
    shown = [group for group in groups if group.key not in closed]
    keys = {group.key: Candidate(KEY, _names(regions[group.key].whole, base), 0) for group in shown if block.groupings}
    candidates: dict[Place, tuple[Candidate, ...]] = {(key, None): (candidate,) for key, candidate in keys.items()}
    for j, aggregate in enumerate(block.aggregates):
        faults = {g.key: why for g in shown if (why := figure_fault(g, g.figures[j], aggregate, disclosure))}
        hidden: Collection[Key] = set(faults)
        if faults and block.groupings:
            hidden = with_complement({*faults, *closed}, sizes, joint, disclosure.entities) - closed
        for group in shown:
            if group.key in hidden:
                reason = faults.get(group.key, "complementary")
                withheld.append(Withheld(block.relation, group.key, aggregate.name, reason))
            else:
                cells = _names(regions[group.key].figures[j].held, base)
                figures = _candidates(aggregate, group.figures[j], cells, disclosure)
                candidates[group.key, j] = (*candidates.get((group.key, None), ()), *figures)
    return Judged(tuple(group.key for group in shown), candidates, tuple(withheld))


def relation_of(computed: Computed) -> pa.Table:
    """Return what leaves: a row for each group shown, with NULL for what is withheld."""
    block, keys, verdicts = computed.block, computed.keys, computed.verdicts
    kept = [key for key in computed.judged.keys if not block.groupings or computed.is_released((key, None))]
    shown = kept or ([] if block.groupings else [()])
    columns = {
        grouping.name: pa.array([key[i] if key else None for key in shown], type=keys.schema.field(f"k{i}").type)
        for i, grouping in enumerate(block.groupings)
    }
    if block.remainder is not None:
        columns[block.remainder] = pa.array([not key for key in shown], type=pa.bool_())
    for j, aggregate in enumerate(block.aggregates):
        values = [_value(aggregate, verdicts.get((key, j))) for key in shown]
        columns[aggregate.name] = pa.array(values, type=_type(aggregate))
    return pa.table(columns)


def _joint(regions: Mapping[Key, GroupRegions], base: BaseCells) -> Callable[[Collection[Key]], Mapping[str, int]]:
    def joint(keys: Collection[Key]) -> Mapping[str, int]:
        cells = Region.union(Region(), *(regions[key].whole for key in keys))
        return {entity: len(base.entities_in(cells, entity)) for entity in base.members}

    return joint


def _names(region: Region, base: BaseCells) -> frozenset[str]:
    return frozenset(base.names[cell] for cell in region)


def _candidates(
    aggregate: Aggregate, figure: Figure, cells: frozenset[str], disclosure: Disclosure
) -> Iterator[Candidate]:
    column, step = aggregate.column, disclosure.round_counts_to
    if aggregate.function in ("sum", "avg"):
        assert column is not None
        base = disclosure.measures[column].round
        yield Candidate(Kind("sum", column), cells, round_to(figure.value or 0.0, base))
    if aggregate.function == "count_distinct":
        yield Candidate(Kind("distinct", column), cells, round_to(figure.value or 0, step))
    elif aggregate.function != "sum":
        yield Candidate(ROWS, cells, round_to(figure.rows, step))


def _value(aggregate: Aggregate, verdict: Verdict | None) -> float | None:
    if verdict is None or verdict.reason is not None:
        return None
    return average(*verdict.values[-2:]) if aggregate.function == "avg" else verdict.values[-1]


def _type(aggregate: Aggregate) -> pa.DataType:
    return pa.float64() if aggregate.function in ("sum", "avg") else pa.int64()
