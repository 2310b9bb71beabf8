"""Base cells on disk: made once for all who wait, whole or not at all."""

import threading
import time
from pathlib import Path

import pytest
from support.aggregates import a_manifest

from portal.ids import Fingerprint
from portal.workspaces.base_store import FileBaseStore

NAME = Fingerprint("f")


def test_many_who_need_the_same_wait_for_one_that_makes_it(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        time.sleep(0.1)
        (folder / "summary").write_text("whole")

    found: list[str] = []

    def need() -> None:
        found.append((FileBaseStore(tmp_path).folder(a_manifest(), NAME, make) / "summary").read_text())

    threads = [threading.Thread(target=need) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["whole"] * 8
    assert len(made) == 1


def test_what_could_not_be_made_is_not_there_and_is_made_at_the_next_need(tmp_path: Path) -> None:
    store = FileBaseStore(tmp_path)

    def failing(folder: Path) -> None:
        (folder / "summary").write_text("half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.folder(a_manifest(), NAME, failing)
    assert not [path for path in tmp_path.rglob("*") if path.name != ".lock" and not path.name.startswith("ads-")]
    assert store.folder(a_manifest(), NAME, lambda folder: (folder / "summary").touch()).is_dir()


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "ads-000001" / ".making-x" / "made"
    left.mkdir(parents=True)
    FileBaseStore(tmp_path).folder(a_manifest(), NAME, lambda _: None)
    assert not left.exists()


def test_what_is_discarded_is_made_again(tmp_path: Path) -> None:
    store, made = FileBaseStore(tmp_path), []
    for _ in range(2):
        store.folder(a_manifest(), NAME, made.append)
        store.discard(a_manifest(), NAME)
    assert len(made) == 2
