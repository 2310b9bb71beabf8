import threading
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from support.factories import NOW, a_dataset, a_grant, a_policy, a_rule
from support.workspaces import BY_MONTH, PROJECT, CountingEngine, a_store, obligations_of, publish_rows, rows_of

from portal.errors import ContentError
from portal.ids import ProjectId
from portal.policy.people import Narrowing
from portal.workspaces.store import WorkspaceStore

DATASET = a_dataset(layout=BY_MONTH)


def sales(days: Iterable[date]) -> list[dict[str, Any]]:
    return [
        {"id": f"id-{n}", "country": "DE", "states": ["DE"], "price": 1.5 * n, "units": n, "day": day}
        for n, day in enumerate(days)
    ]


THREE_MONTHS = sales(date(2026, month, day) for month in (3, 4, 5) for day in (1, 10, 20))
EMBARGOED = a_policy(a_rule(embargo={"column": "day", "days": 14}))


def built(tmp_path: Path, engine: CountingEngine | None = None) -> WorkspaceStore:
    publish_rows(tmp_path, THREE_MONTHS, DATASET)
    return a_store(tmp_path, engine)


def ensure(store: WorkspaceStore, project: ProjectId = PROJECT, **request: Any) -> Any:
    manifest = store.releases.latest(DATASET.name)
    assert manifest is not None
    return store.ensure(project, DATASET, manifest, obligations_of(**request))


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


def test_an_interrupted_build_goes_on_where_it_stopped(tmp_path: Path) -> None:
    store = built(tmp_path)
    policy = a_policy(a_rule(columns={"id": "hide"}))
    copy = ensure(store, policy=policy)
    copy.files[1].unlink()
    assert ensure(store, policy=policy) == copy
    assert all(file.exists() for file in copy.files)
