"""Released cells: blocks of a statement in, relations that may leave out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from portal.desk.bases import Opened, Protected, Source, discard_bases, open_bases, pair_source
from portal.disclosure.base import DAMAGED, BaseCells
from portal.disclosure.compile import regions_query, repeats_query, unmatched_query
from portal.disclosure.crossing import audit_pair
from portal.disclosure.figures import figures_of
from portal.disclosure.history import Candidate, Ground, ReleaseHistory, Verdict, audit
from portal.disclosure.release import Computed, Place, Withheld, judge, relation_of
from portal.disclosure.remainder import with_remainder
from portal.disclosure.subject import Pair, block_over, fixed_rules, pair_of
from portal.engines.port import TrustedEngine
from portal.errors import EngineFailure, Fault, PolicyRefusal
from portal.fingerprints import fingerprint
from portal.ids import DatasetName, ProjectId
from portal.sql.blocks import Block
from portal.workspaces.base_store import BaseStore
from portal.workspaces.history_store import HistoryStore, update_together

_REMADE = (DAMAGED, "CORRUPT_FILE")
"""What is said of damaged base cells: here, or where the trusted engine reads them or the sides of a pair."""
Histories = Sequence[ReleaseHistory]
Hold = Callable[[Histories, Sequence[Sequence[Candidate]]], tuple[Histories, Sequence[Verdict]]]
"""Holds candidates against histories, and returns these as they have grown."""


@dataclass(frozen=True, slots=True)
class Releasing:
    """With what and for whom cells are released. `public` holds the files of the public tables that blocks join.

    `notice` is told what was withheld and why; that is the steward's to know.
    """

    project: ProjectId
    engine: TrustedEngine
    histories: HistoryStore
    bases: BaseStore
    public: Mapping[DatasetName, Sequence[Path]]
    notice: Callable[[Sequence[Withheld]], None]


def release_blocks(
    blocks: Sequence[Block], protected: Mapping[DatasetName, Protected], releasing: Releasing
) -> Mapping[str, pa.Table]:
    """Return the released relation of each block, by its name; all blocks of a statement are audited together.

    Raises what the trusted engine raises, `EngineFailure` where a history is damaged and `LimitReached` where a release
    has too many base cells. Base cells that are damaged are made anew, once.
    """
    released: dict[str, pa.Table] = {}
    for source, mine in _by_source(blocks, protected):
        released |= _release(mine, source, releasing)
    return released


def _by_source(
    blocks: Sequence[Block], protected: Mapping[DatasetName, Protected]
) -> Sequence[tuple[Source, Sequence[Block]]]:
    """Return the blocks over each dataset and each pair."""
    subjects = {name: each.subject for name, each in protected.items()}
    found: dict[object, tuple[Source, list[Block]]] = {}
    for block in blocks:
        if block.entity_join is None:
            _, mine = found.setdefault(block.dataset, (protected[block.dataset], []))
            mine.append(block)
        else:
            pair = pair_of(block, subjects)
            _check_watched(pair)
            _, mine = found.setdefault(pair.shared, (pair_source(pair, protected), []))
            mine.append(block_over(pair, block))
    return list(found.values())


def _check_watched(pair: Pair) -> None:
    """Refuse a pair of which one dataset keeps no history: nothing of the pair could be held against it."""
    watched = [side.dataset.name for side in pair.sides if side.disclosure.history.is_kept]
    if len(watched) == 1:
        message = f"What is released of {watched[0]} is watched over, of the other it is not, so they are not joined."
        fix = "Release figures of each, and join these; or ask the data steward for one rule in both policies."
        raise PolicyRefusal(Fault("HISTORY_OF_ONE", message, rule="disclosure.history", fix=fix))


def _release(blocks: Sequence[Block], source: Source, releasing: Releasing) -> Mapping[str, pa.Table]:
    try:
        return _release_from_base(blocks, source, releasing)
    except EngineFailure as error:
        if error.faults[0].code not in _REMADE:
            raise
    discard_bases(source, releasing.bases)
    return _release_from_base(blocks, source, releasing)


def _release_from_base(blocks: Sequence[Block], source: Source, releasing: Releasing) -> Mapping[str, pa.Table]:
    with open_bases(source, releasing.engine, releasing.bases) as opened:
        computed = [_compute(block, source, opened, releasing) for block in blocks]
        audited = _audit(computed, source, opened.cells, releasing)
    for each in audited:
        releasing.notice([*each.judged.withheld, *_refused(each)])
    return {each.block.relation: relation_of(each) for each in audited}


def _compute(block: Block, source: Source, opened: Opened, releasing: Releasing) -> Computed:
    public: dict[str, Sequence[Path]] = {join.dataset: releasing.public[join.dataset] for join in block.joins}
    _check_keys(block, releasing.engine, public)
    subject, tables = source.subject, {**opened.tables, **public}
    answer = releasing.engine.fetch(regions_query(block, subject), tables)
    unmatched = releasing.engine.fetch(unmatched_query(block, subject), tables) if isinstance(subject, Pair) else None
    disclosure = subject.disclosure
    found = figures_of(answer, block, opened.cells, disclosure, unmatched)
    return Computed(block, found, judge(block, found, opened.cells, disclosure), answer)


def _check_keys(block: Block, engine: TrustedEngine, public: Mapping[str, Sequence[Path]]) -> None:
    """Refuse a public key that is not unique: it would count a row more than once."""
    for join in block.joins:
        if engine.fetch(repeats_query(join), {join.dataset: public[join.dataset]}).num_rows:
            message = f"{join.column} does not name one row each in {join.dataset}, so nothing can be joined to it."
            raise PolicyRefusal(
                Fault("KEY_NOT_UNIQUE", message, rule="public_joins", dataset=join.dataset, fix="Leave the join out.")
            )


def _audit(computed: Sequence[Computed], source: Source, base: BaseCells, releasing: Releasing) -> Sequence[Computed]:
    """Hold the groups of all blocks against what was released before, and then the remainders of these groups."""
    disclosure = source.subject.disclosure
    hold = _holding(source, base)

    def change(histories: Histories) -> tuple[Histories, Sequence[Computed]]:
        grown, groups = _held(computed, histories, hold)
        whole = [replace(each, judged=with_remainder(each, base, disclosure)) for each in groups]
        return _held(whole, grown, hold)

    if not disclosure.history.is_kept:
        return change(())[1]
    return update_together(releasing.histories, source.histories(releasing.project), change)


def _holding(source: Source, base: BaseCells) -> Hold:
    """Return how candidates are held against histories: by none of the rules of a history where none is kept."""
    subject = source.subject
    disclosure, rules = subject.disclosure, tuple(fixed_rules(subject))
    view = fingerprint([source.manifest.fingerprint, rules] if isinstance(subject, Pair) else rules)
    ground = Ground(base, view, disclosure, base.in_doubt)

    def hold(histories: Histories, asked: Sequence[Sequence[Candidate]]) -> tuple[Histories, Sequence[Verdict]]:
        if not histories:
            return histories, [Verdict(tuple(each.value for each in together)) for together in asked]
        if isinstance(subject, Pair):
            return audit_pair(histories, asked, subject, ground)
        after, verdicts = audit(histories[0], asked, ground)
        return [after], verdicts

    return hold


def _held(computed: Sequence[Computed], histories: Histories, hold: Hold) -> tuple[Histories, Sequence[Computed]]:
    """Give each block the verdicts on those of its candidates that have none yet."""
    places = [(each.block.relation, place, candidates) for each in computed
              for place, candidates in each.judged.candidates.items() if place not in each.verdicts]  # fmt: skip
    if not places:
        return histories, computed
    after, verdicts = hold(histories, [candidates for *_, candidates in places])
    found: dict[str, dict[Place, Verdict]] = {each.block.relation: dict(each.verdicts) for each in computed}
    for (relation, place, _), verdict in zip(places, verdicts, strict=True):
        found[relation][place] = verdict
    return after, [replace(each, verdicts=found[each.block.relation]) for each in computed]


def _refused(computed: Computed) -> Sequence[Withheld]:
    block = computed.block
    return [
        Withheld(block.relation, key, None if j is None else block.aggregates[j].name, verdict.reason)
        for (key, j), verdict in computed.verdicts.items()
        if verdict.reason is not None
    ]
