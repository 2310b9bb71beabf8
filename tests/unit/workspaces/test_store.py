import json
import os
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from support.factories import NOW, a_dataset, a_grant, a_policy, a_rule
from support.workspaces import BY_MONTH, PROJECT, CountingEngine, a_store, obligations_of, publish_rows, rows_of

from portal.engines.port import WrittenFile
from portal.errors import Cancelled, ContentError, EngineFailure
from portal.ids import ProjectId
from portal.policy.people import Narrowing
from portal.workspaces import kept
from portal.workspaces.store import CopyState, WorkspaceStore

DATASET = a_dataset(layout=BY_MONTH)


def sales(days: Iterable[date]) -> list[dict[str, Any]]:
    return [
        {"id": f"id-{n}", "country": "DE", "states": ["DE"], "price": 1.5 * n, "units": n, "day": day}
        for n, day in enumerate(days)
    ]


THREE_MONTHS = sales(date(2026, month, day) for month in (3, 4, 5) for day in (1, 10, 20))
HIDDEN = a_policy(a_rule(columns={"id": "hide"}))
EMBARGOED = a_policy(a_rule(embargo={"column": "day", "days": 14}))


def built(tmp_path: Path, engine: CountingEngine | None = None) -> WorkspaceStore:
    publish_rows(tmp_path, THREE_MONTHS, DATASET)
    return a_store(tmp_path, engine)


def ensure(store: WorkspaceStore, project: ProjectId = PROJECT, **request: Any) -> Any:
    manifest = store.releases.latest(DATASET.name)
    assert manifest is not None
    return store.ensure(project, DATASET, manifest, obligations_of(**request))


def state(store: WorkspaceStore) -> CopyState:
    manifest = store.releases.latest(DATASET.name)
    assert manifest is not None
    return store.state(PROJECT, DATASET, manifest, obligations_of(policy=HIDDEN))


class EndlessEngine(CountingEngine):
    """The trusted engine, over a file that has no end."""

    def copy(
        self,
        select: str,
        files: Sequence[Path],
        target: Path,
        metadata: Mapping[str, str] | None = None,
    ) -> WrittenFile:
        assert select
        endless = "SELECT count(*) FROM source, range(100000000000) a(i) WHERE hash(i) % 7 = 8"
        return self.engine.copy(endless, files, target, metadata)


def test_a_copy_that_the_policy_leaves_untouched_is_linked_not_written(tmp_path: Path) -> None:
    engine = CountingEngine()
    store = built(tmp_path, engine)
    copy = ensure(store)
    assert engine.written == []
    manifest = store.releases.latest(DATASET.name)
    assert manifest is not None
    assert [file.stat().st_ino for file in copy.files] == [p.stat().st_ino for p in store.releases.paths(manifest)]
    assert copy.rows == len(THREE_MONTHS)


def test_a_copy_is_built_once_and_then_reused(tmp_path: Path) -> None:
    engine = CountingEngine()
    store = built(tmp_path, engine)
    hidden = a_policy(a_rule(columns={"id": "hide"}))
    assert ensure(store, policy=hidden) == ensure(store, policy=hidden)
    assert len(engine.written) == 3


def test_a_moved_embargo_rebuilds_only_the_file_that_it_cuts(tmp_path: Path) -> None:
    engine = CountingEngine()
    store = built(tmp_path, engine)
    first = ensure(store, policy=EMBARGOED, now=NOW.replace(month=5, day=30))
    assert max(row["day"] for row in rows_of(first)) == date(2026, 5, 10)
    assert len(engine.written) == 1
    later = ensure(store, policy=EMBARGOED, now=NOW.replace(month=6, day=4))
    assert max(row["day"] for row in rows_of(later)) == date(2026, 5, 20)
    assert len(engine.written) == 1


def test_a_file_that_is_wholly_embargoed_is_left_out(tmp_path: Path) -> None:
    copy = ensure(built(tmp_path), policy=EMBARGOED, now=NOW.replace(month=4, day=30))
    assert {row["day"].month for row in rows_of(copy)} == {3, 4}


def test_where_no_row_is_left_the_copy_is_empty_and_has_its_columns(tmp_path: Path) -> None:
    copy = ensure(built(tmp_path), grant=a_grant(narrowing=Narrowing(since=date(2027, 1, 1))))
    assert (copy.rows, rows_of(copy), list(copy.schema.columns)) == (0, [], list(DATASET.columns))


def test_a_new_policy_and_a_new_release_each_make_a_new_copy(tmp_path: Path) -> None:
    store = built(tmp_path)
    first, hidden = ensure(store), ensure(store, policy=a_policy(a_rule(columns={"price": "hide"})))
    publish_rows(tmp_path, THREE_MONTHS[:1], DATASET)
    newer = ensure(store)
    assert len({first.fingerprint, hidden.fingerprint, newer.fingerprint}) == 3
    assert newer.rows == 1


def test_the_copy_before_stays_for_statements_that_began_on_it_and_the_one_before_that_goes(tmp_path: Path) -> None:
    store = built(tmp_path)
    copies = [ensure(store, policy=a_policy(a_rule(columns={"price": {"round": step}}))) for step in (1.0, 2.0, 3.0)]
    assert [all(file.exists() for file in copy.files) for copy in copies] == [False, True, True]


def test_each_project_has_its_own_pseudonyms(tmp_path: Path) -> None:
    store = built(tmp_path)
    policy = a_policy(a_rule(columns={"id": "pseudonym"}))
    first = {row["id"] for row in rows_of(ensure(store, policy=policy))}
    other = {row["id"] for row in rows_of(ensure(store, ProjectId("p2"), policy=policy))}
    assert len(first) == len(THREE_MONTHS)
    assert not first & other
    assert not first & {row["id"] for row in THREE_MONTHS}


def test_a_damaged_release_file_is_said_and_the_copy_in_force_stays(tmp_path: Path) -> None:
    store = built(tmp_path)
    policy = a_policy(a_rule(columns={"id": "hide"}))
    before = ensure(store, policy=policy)
    manifest = store.releases.latest(DATASET.name)
    assert manifest is not None
    damaged = store.releases.paths(manifest)[1]
    damaged.chmod(0o600)
    damaged.write_bytes(damaged.read_bytes()[:-20])
    with pytest.raises(ContentError, match="changed"):
        ensure(store, policy=a_policy(a_rule(columns={"id": "hide", "price": "hide"})))
    assert ensure(store, policy=policy) == before
    assert not list((store.root / PROJECT / DATASET.name).glob(".*.parquet"))


def test_two_who_come_at_once_build_one_copy(tmp_path: Path) -> None:
    engine = CountingEngine()
    store = built(tmp_path, engine)
    policy = a_policy(a_rule(columns={"id": "hide"}))
    threads = [threading.Thread(target=ensure, args=(store,), kwargs={"policy": policy}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(engine.written) == 3


def test_what_is_removed_is_gone_and_can_be_built_again(tmp_path: Path) -> None:
    store = built(tmp_path)
    copy = ensure(store)
    assert list(store.held()) == [(PROJECT, DATASET.name)]
    store.remove(PROJECT)
    assert not any(file.exists() for file in copy.files)
    assert list(store.held()) == []
    assert ensure(store) == copy


def test_a_file_that_is_gone_is_made_again(tmp_path: Path) -> None:
    engine = CountingEngine()
    store = built(tmp_path, engine)
    copy = ensure(store, policy=HIDDEN)
    copy.files[1].unlink()
    assert ensure(store, policy=HIDDEN) == copy
    assert all(file.exists() for file in copy.files)
    assert len(engine.written) == 3 + 1


def test_an_interrupted_build_goes_on_where_it_stopped(tmp_path: Path) -> None:
    engine = CountingEngine()
    store = built(tmp_path, engine)
    manifest = store.releases.latest(DATASET.name)
    assert manifest is not None

    def stop_at_the_third(share: float, _: str) -> None:
        if share > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        store.ensure(PROJECT, DATASET, manifest, obligations_of(policy=HIDDEN), stop_at_the_third)
    assert len(engine.written) == 2
    assert state(store) == CopyState(files=3, ready=2, rows=None, is_building=False)
    (store.root / PROJECT / DATASET.name / ".half-made").mkdir()
    ensure(store, policy=HIDDEN)
    assert len(engine.written) == 3
    assert state(store) == CopyState(files=3, ready=3, rows=len(THREE_MONTHS), is_building=False)
    assert not list((store.root / PROJECT / DATASET.name).glob(".half*"))


def test_a_build_ends_in_the_middle_of_a_file_when_it_is_told(tmp_path: Path) -> None:
    store = built(tmp_path)
    manifest = store.releases.latest(DATASET.name)
    assert manifest is not None
    endless = replace(store, engine=EndlessEngine())
    asked: list[float] = []

    def stop_after_a_while(_share: float, _words: str) -> None:
        asked.append(time.monotonic())
        if asked[-1] - asked[0] > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        endless.ensure(PROJECT, DATASET, manifest, obligations_of(policy=HIDDEN), stop_after_a_while)
    assert time.monotonic() - asked[0] < 1.5
    assert sorted(path.name for path in (store.root / PROJECT / DATASET.name).iterdir()) == [".lock"]


def test_who_comes_while_a_copy_is_built_is_told_how_far_it_is_and_can_leave(tmp_path: Path) -> None:
    store = built(tmp_path)
    folder = store.root / PROJECT / DATASET.name
    told: list[str] = []

    def listen(_share: float, words: str) -> None:
        told.append(words)
        assert state(store).is_building
        if len(told) == 3:
            raise Cancelled

    manifest = store.releases.latest(DATASET.name)
    assert manifest is not None
    with kept.exclusive(folder, lambda: None), pytest.raises(Cancelled):
        store.ensure(PROJECT, DATASET, manifest, obligations_of(policy=HIDDEN), listen)
    assert told == [f"{DATASET.name}: file 1 of 3"] * 3


def damage(path: Path) -> None:
    """Turn a bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


def test_a_damaged_file_is_said_set_aside_and_made_anew(tmp_path: Path) -> None:
    engine = CountingEngine()
    store = built(tmp_path, engine)
    copy = ensure(store, policy=HIDDEN)
    damage(copy.files[1])
    assert store.damaged(PROJECT, DATASET.name) == (copy.files[1].name,)
    with pytest.raises(EngineFailure) as failed:
        ensure(store, policy=HIDDEN)
    assert failed.value.faults[0].code == "COPY_DAMAGED"
    assert store.damaged(PROJECT, DATASET.name) == (f"{copy.files[1].name}.damaged",)
    assert len(rows_of(ensure(store, policy=HIDDEN))) == len(THREE_MONTHS)
    assert len(engine.written) == 3 + 1


def test_a_file_that_was_only_touched_stays(tmp_path: Path) -> None:
    engine = CountingEngine()
    store = built(tmp_path, engine)
    copy = ensure(store, policy=HIDDEN)
    os.utime(copy.files[0])
    assert ensure(store, policy=HIDDEN) == copy
    assert len(engine.written) == 3
    assert store.damaged(PROJECT, DATASET.name) == ()


def test_a_damage_that_leaves_size_and_time_is_found_by_reading(tmp_path: Path) -> None:
    store = built(tmp_path)
    copy = ensure(store, policy=HIDDEN)
    times = copy.files[0].stat()
    damage(copy.files[0])
    os.utime(copy.files[0], ns=(times.st_atime_ns, times.st_mtime_ns))
    assert store.set_damaged_aside(PROJECT, DATASET.name) == (copy.files[0].name,)
    assert len(rows_of(ensure(store, policy=HIDDEN))) == len(THREE_MONTHS)


def test_a_link_to_a_damaged_release_file_is_not_made(tmp_path: Path) -> None:
    store = built(tmp_path)
    damage(ensure(store).files[0])
    for code in ("RELEASE_DAMAGED", "RELEASE_DAMAGED"):
        with pytest.raises(ContentError) as failed:
            ensure(store)
        assert failed.value.faults[0].code == code


def test_a_copy_from_before_there_were_checksums_is_made_anew(tmp_path: Path) -> None:
    engine = CountingEngine()
    store = built(tmp_path, engine)
    copy = ensure(store, policy=HIDDEN)
    current = store.root / PROJECT / DATASET.name / "current.json"
    current.write_text(json.dumps({"files": {file.stem: 3 for file in copy.files}, "previous": {}}))
    assert ensure(store, policy=HIDDEN) == copy
    assert len(engine.written) == 6


def test_a_new_release_makes_only_the_files_that_changed(tmp_path: Path) -> None:
    engine = CountingEngine()
    store = built(tmp_path, engine)
    ensure(store, policy=HIDDEN)
    publish_rows(tmp_path, [*THREE_MONTHS, *sales([date(2026, 6, 1)])], DATASET)
    assert ensure(store, policy=HIDDEN).rows == len(THREE_MONTHS) + 1
    assert len(engine.written) == 3 + 1
