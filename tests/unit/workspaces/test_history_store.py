"""Histories on disk: whole or not at all, and never taken for empty."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from pyroaring import BitMap
from support.aggregates import a_manifest

from portal.disclosure.history import Entry, Kind, ReleaseHistory
from portal.disclosure.keeping import from_text, to_text
from portal.errors import EngineFailure
from portal.ids import ProjectId
from portal.workspaces.history_store import FileHistoryStore

P1 = ProjectId("p1")
ENTRY = Entry(Kind("sum", "spend_eur"), "v", BitMap([0, 2]), {"advertiser_id": BitMap([5, 70_000])}, 1200.5)
HISTORY = ReleaseHistory(('{"country":"FR"}', '{"country":null}', "é"), (ENTRY, replace(ENTRY, kind=Kind("rows"))))


def test_a_history_reads_back_as_it_was_written() -> None:
    assert from_text(to_text(HISTORY)) == HISTORY


def test_a_history_outlives_the_process(tmp_path: Path) -> None:
    FileHistoryStore(tmp_path).update(P1, a_manifest(), lambda _: (HISTORY, None))
    assert FileHistoryStore(tmp_path).update(P1, a_manifest(), lambda history: (history, history)) == HISTORY


def test_projects_and_releases_have_histories_of_their_own(tmp_path: Path) -> None:
    store = FileHistoryStore(tmp_path)
    store.update(P1, a_manifest(), lambda _: (HISTORY, None))
    second = a_manifest().model_copy(update={"number": 2})
    for project, manifest in [(ProjectId("p2"), a_manifest()), (P1, second)]:
        assert store.update(project, manifest, lambda history: (history, history)) == ReleaseHistory()


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 99}', '{"format": 1}'])
def test_a_damaged_history_is_not_taken_for_an_empty_one(tmp_path: Path, text: str) -> None:
    store = FileHistoryStore(tmp_path)
    store.update(P1, a_manifest(), lambda _: (HISTORY, None))
    (tmp_path / "p1/ads-000001/history.json").write_text(text)
    with pytest.raises(EngineFailure, match="cannot be read"):
        store.update(P1, a_manifest(), lambda history: (history, None))


def test_a_change_that_fails_leaves_the_history_as_it_was(tmp_path: Path) -> None:
    store = FileHistoryStore(tmp_path)
    store.update(P1, a_manifest(), lambda _: (HISTORY, None))

    def failing(_: ReleaseHistory) -> tuple[ReleaseHistory, None]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.update(P1, a_manifest(), failing)
    assert store.update(P1, a_manifest(), lambda history: (history, history)) == HISTORY


def test_nobody_reads_a_history_that_another_is_changing(tmp_path: Path) -> None:
    store = FileHistoryStore(tmp_path)

    def one_more(history: ReleaseHistory) -> tuple[ReleaseHistory, None]:
        return replace(history, names=(*history.names, str(len(history.names)))), None

    threads = [threading.Thread(target=store.update, args=(P1, a_manifest(), one_more)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = store.update(P1, a_manifest(), lambda history: (history, history.names))
    assert names == tuple(map(str, range(16)))
