"""Released cells: blocks of a statement in, relations that may leave out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from portal.catalogue.release import Manifest
from portal.disclosure.base import BaseCells, read_base_cells
from portal.disclosure.cells import effect_fault, key_of, read_groups
from portal.disclosure.compile import (
    BASE,
    Subject,
    base_query,
    cells_query,
    effects_query,
    fixed_rules,
    regions_query,
    repeats_query,
)
from portal.disclosure.history import Candidate, Ground, ReleaseHistory, Verdict, audit
from portal.disclosure.release import Found, Judged, Place, Region, Withheld, judge, relation_of
from portal.engines.port import TrustedEngine
from portal.errors import Fault, LimitReached, PolicyRefusal
from portal.fingerprints import fingerprint
from portal.ids import DatasetName, Fingerprint, ProjectId
from portal.sql.blocks import Block
from portal.workspaces.history_store import HistoryStore

BASE_FORMAT = 1
"""Raised when the making of base cells changes."""
MAX_MEMBERS = 20_000_000
"""Entities in base cells, counted in each; past it the history cannot be held in memory, and nothing is released."""


@dataclass(frozen=True, slots=True)
class Protected:
    """A dataset that no one sees row by row: its release, and what the policy makes of it for this project."""

    subject: Subject
    manifest: Manifest
    files: Sequence[Path]


@dataclass(frozen=True, slots=True)
class Releasing:
    """With what and for whom cells are released. `public` holds the files of the public tables that blocks join.

    `notice` is told what was withheld and why; that is the steward's to know.
    """

    project: ProjectId
    engine: TrustedEngine
    histories: HistoryStore
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
    is too large to be audited.
    """
    released: dict[str, pa.Table] = {}
    for name in dict.fromkeys(block.dataset for block in blocks):
        mine = [block for block in blocks if block.dataset == name]
        released |= _release(mine, protected[name], releasing)
    return released


def _release(blocks: Sequence[Block], source: Protected, releasing: Releasing) -> Mapping[str, pa.Table]:
    base_files = _base_files(source, releasing)
    base = _read_base(source, base_files)
    computed = [_compute(block, source, base, base_files, releasing) for block in blocks]
    places = [(each.block.relation, place) for each in computed for place in each.judged.candidates]
    asked = [candidates for each in computed for candidates in each.judged.candidates.values()]
    verdicts = dict(zip(places, _audit(asked, source, base, releasing), strict=True))
    for each in computed:
        releasing.notice([*each.judged.withheld, *_refused(each.block, verdicts)])
    return {each.block.relation: _relation(each, verdicts) for each in computed}


def _relation(computed: _Computed, verdicts: Mapping[tuple[str, Place], Verdict]) -> pa.Table:
    mine = {place: verdict for (relation, place), verdict in verdicts.items() if relation == computed.block.relation}
    return relation_of(computed.block, computed.judged, mine, computed.keys)


def _compute(
    block: Block, source: Protected, base: BaseCells, base_files: Sequence[Path], releasing: Releasing
) -> _Computed:
    subject = source.subject
    public: dict[str, Sequence[Path]] = {join.dataset: releasing.public[join.dataset] for join in block.joins}
    tables = {str(block.dataset): source.files, **public}
    _check_keys(block, releasing.engine, public)
    answer = releasing.engine.fetch(cells_query(block, subject), tables)
    effects = releasing.engine.fetch(effects_query(block, subject), tables).to_pylist()[0] if block.atoms else {}
    regions = releasing.engine.fetch(regions_query(block, subject), {BASE: base_files[:1], **public})
    found = {key_of(row, block): _region(row, block) for row in regions.to_pylist()}
    groups = [group for group in read_groups(answer, block, subject.disclosure) if group.key in found]
    fault = effect_fault(effects, subject.disclosure)
    return _Computed(block, judge(block, Found(groups, found, fault), base, subject.disclosure), answer)


def _check_keys(block: Block, engine: TrustedEngine, public: Mapping[str, Sequence[Path]]) -> None:
    """Refuse a public key that is not unique: it would count a row more than once."""
    for join in block.joins:
        if engine.fetch(repeats_query(join), {join.dataset: public[join.dataset]}).num_rows:
            message = f"{join.column} does not name one row each in {join.dataset}, so nothing can be joined to it."
            raise PolicyRefusal(
                Fault("KEY_NOT_UNIQUE", message, rule="public_joins", dataset=join.dataset, fix="Leave the join out.")
            )


def _region(row: Mapping[str, Sequence[str] | None], block: Block) -> Region:
    figures = (frozenset(row[f"r{j}"] or ()) for j in range(len(block.aggregates)))
    return Region(frozenset(row["region"] or ()), tuple(figures))


def _audit(
    asked: Sequence[Sequence[Candidate]], source: Protected, base: BaseCells, releasing: Releasing
) -> Sequence[Verdict]:
    disclosure = source.subject.disclosure
    if not (disclosure.history.pairwise or disclosure.history.span):
        return [Verdict(tuple(each.value for each in together)) for together in asked]
    ground = Ground(base, fingerprint(fixed_rules(source.subject)), disclosure)

    def change(history: ReleaseHistory) -> tuple[ReleaseHistory, tuple[Verdict, ...]]:
        return audit(history, asked, ground)

    return releasing.histories.update(releasing.project, source.manifest, change)


def _refused(block: Block, verdicts: Mapping[tuple[str, Place], Verdict]) -> Sequence[Withheld]:
    return [
        Withheld(block.relation, key, block.aggregates[j].name, verdict.reason)
        for (relation, (key, j)), verdict in verdicts.items()
        if relation == block.relation and verdict.reason is not None
    ]


def _base_files(source: Protected, releasing: Releasing) -> Sequence[Path]:
    return [_base_file(source, entity, releasing) for entity in source.subject.entities]


def _base_file(source: Protected, entity: str, releasing: Releasing) -> Path:
    select = base_query(source.subject, entity)
    name = Fingerprint(fingerprint({"format": BASE_FORMAT, "release": source.manifest.fingerprint, "select": select}))
    return releasing.histories.base(
        releasing.project, source.manifest, name, lambda path: releasing.engine.copy(select, source.files, path)
    )


def _read_base(source: Protected, files: Sequence[Path]) -> BaseCells:
    if sum(pq.read_metadata(path).num_rows for path in files) > MAX_MEMBERS:
        message = f"{source.subject.dataset.name} is too large to be watched over as its policy asks."
        fix = "Ask the data steward for fewer dimensions, or a coarser grid."
        raise LimitReached(Fault("HISTORY_TOO_LARGE", message, rule="disclosure.history", fix=fix))
    answers = {entity: pq.read_table(path) for entity, path in zip(source.subject.entities, files, strict=True)}
    return read_base_cells(answers, tuple(source.subject.disclosure.measures))
