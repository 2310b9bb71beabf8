"""Released cells: blocks of a statement in, relations that may leave out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from portal.desk.bases import Opened, Protected, Source, discard_bases, open_bases, pair_source
from portal.disclosure.base import DAMAGED, BaseCells
from portal.disclosure.compile import regions_query, repeats_query, unmatched_query
from portal.disclosure.crossing import audit_pair
from portal.disclosure.figures import figures_of
from portal.disclosure.history import Candidate, Ground, ReleaseHistory, Verdict, audit
from portal.disclosure.release import Judged, Place, Withheld, judge, relation_of
from portal.disclosure.subject import Pair, block_over, fixed_rules, pair_of
from portal.engines.port import TrustedEngine
from portal.errors import EngineFailure, Fault, PolicyRefusal
from portal.fingerprints import fingerprint
from portal.ids import DatasetName, ProjectId
from portal.sql.blocks import Block
from portal.workspaces.base_store import BaseStore
from portal.workspaces.history_store import HistoryStore, update_together


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


@dataclass(frozen=True, slots=True)
class _Computed:
    """A block, judged on its own; `keys` carries the types of its group keys."""

    block: Block
    judged: Judged
    keys: pa.Table


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
        if error.faults[0].code != DAMAGED:
            raise
    discard_bases(source, releasing.bases)
    return _release_from_base(blocks, source, releasing)


def _release_from_base(blocks: Sequence[Block], source: Source, releasing: Releasing) -> Mapping[str, pa.Table]:
    with open_bases(source, releasing.engine, releasing.bases) as opened:
        computed = [_compute(block, source, opened, releasing) for block in blocks]
        places = [(each.block.relation, place) for each in computed for place in each.judged.candidates]
        asked = [candidates for each in computed for candidates in each.judged.candidates.values()]
        verdicts = dict(zip(places, _audit(asked, source, opened.cells, releasing), strict=True))
    for each in computed:
        releasing.notice([*each.judged.withheld, *_refused(each.block, verdicts)])
    return {each.block.relation: _relation(each, verdicts) for each in computed}


def _relation(computed: _Computed, verdicts: Mapping[tuple[str, Place], Verdict]) -> pa.Table:
    mine = {place: verdict for (relation, place), verdict in verdicts.items() if relation == computed.block.relation}
    return relation_of(computed.block, computed.judged, mine, computed.keys)


def _compute(block: Block, source: Source, opened: Opened, releasing: Releasing) -> _Computed:
    public: dict[str, Sequence[Path]] = {join.dataset: releasing.public[join.dataset] for join in block.joins}
    _check_keys(block, releasing.engine, public)
    subject, tables = source.subject, {**opened.tables, **public}
    answer = releasing.engine.fetch(regions_query(block, subject), tables)
    unmatched = releasing.engine.fetch(unmatched_query(block, subject), tables) if isinstance(subject, Pair) else None
    disclosure = subject.disclosure
    found = figures_of(answer, block, opened.cells, disclosure, unmatched)
    return _Computed(block, judge(block, found, opened.cells, disclosure), answer)


def _check_keys(block: Block, engine: TrustedEngine, public: Mapping[str, Sequence[Path]]) -> None:
    """Refuse a public key that is not unique: it would count a row more than once."""
    for join in block.joins:
        if engine.fetch(repeats_query(join), {join.dataset: public[join.dataset]}).num_rows:
            message = f"{join.column} does not name one row each in {join.dataset}, so nothing can be joined to it."
            raise PolicyRefusal(
                Fault("KEY_NOT_UNIQUE", message, rule="public_joins", dataset=join.dataset, fix="Leave the join out.")
            )


def _audit(
    asked: Sequence[Sequence[Candidate]], source: Source, base: BaseCells, releasing: Releasing
) -> Sequence[Verdict]:
    subject = source.subject
    disclosure, rules = subject.disclosure, tuple(fixed_rules(subject))
    if not disclosure.history.is_kept:
        return [Verdict(tuple(each.value for each in together)) for together in asked]
    view = fingerprint([source.manifest.fingerprint, rules] if isinstance(subject, Pair) else rules)
    ground = Ground(base, view, disclosure, base.in_doubt)

    def change(histories: Sequence[ReleaseHistory]) -> tuple[Sequence[ReleaseHistory], tuple[Verdict, ...]]:
        if isinstance(subject, Pair):
            return audit_pair(histories, asked, subject, ground)
        after, verdicts = audit(histories[0], asked, ground)
        return [after], verdicts

    return update_together(releasing.histories, source.histories(releasing.project), change)


def _refused(block: Block, verdicts: Mapping[tuple[str, Place], Verdict]) -> Sequence[Withheld]:
    return [
        Withheld(block.relation, key, None if j is None else block.aggregates[j].name, verdict.reason)
        for (relation, (key, j)), verdict in verdicts.items()
        if relation == block.relation and verdict.reason is not None
    ]
