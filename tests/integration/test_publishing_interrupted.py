"""Publishing that is disturbed: by another publication, a full disk, a sudden death."""

import errno
import multiprocessing
import os
import resource
import signal
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
from support.publishing import KEY, a_dataset, a_row, now, published, write_csv

from portal.catalogue.release import Manifest
from portal.errors import LimitReached, PortalError
from portal.ids import DatasetName
from portal.publishing import publish as publishing
from portal.publishing.publish import publish
from portal.publishing.releases import ReleaseStore

REMOVALS = DatasetName("removals")
SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "removals.csv", [a_row(number) for number in range(20_000)])


@pytest.fixture
def root(tmp_path: Path, source: Path) -> Path:
    published(tmp_path / "releases", source)
    return tmp_path / "releases"


def only_the_first_release_is_there(root: Path) -> bool:
    store = ReleaseStore(root)
    latest = store.latest(REMOVALS)
    return latest is not None and latest.number == 1 and store.verify(latest) == ()


def try_to_publish(root: Path, source: Path) -> Manifest | PortalError:
    try:
        return published(root, source)
    except PortalError as error:
        return error


def test_a_second_publication_of_the_same_dataset_is_told_to_wait(root: Path, source: Path) -> None:
    seen: list[Manifest | PortalError] = []

    def meanwhile(share: float, _words: str) -> None:
        if share < 1:
            seen.append(try_to_publish(root, source))

    manifest = publish(a_dataset(), [source], root, KEY, now, synthetic=True, progress=meanwhile)
    assert manifest.number == 2
    assert seen
    assert all(isinstance(error, LimitReached) and error.faults[0].code == "PUBLISH_BUSY" for error in seen)
    assert published(root, source).number == 3


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_publications_at_once_never_share_a_number(root: Path, source: Path, pool: type) -> None:
    how = {"mp_context": SPAWN} if pool is ProcessPoolExecutor else {}
    with pool(4, **how) as workers:
        ended = list(workers.map(try_to_publish, [root] * 4, [source] * 4))
    numbers = sorted(outcome.number for outcome in ended if isinstance(outcome, Manifest))
    assert numbers == list(range(2, 2 + len(numbers)))
    assert len(numbers) >= 1
    assert all(isinstance(outcome, Manifest | LimitReached) for outcome in ended)
    assert ReleaseStore(root).numbers(REMOVALS) == (1, *numbers)


def publish_with_little_room(root: Path, source: Path, file_bytes: int) -> Manifest | PortalError:
    """No file of this process may grow beyond so many bytes: what a full disk does, without one."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    return try_to_publish(root, source)


@pytest.mark.parametrize("file_bytes", [0, 10_000, 400_000, 1_000_000])
def test_a_disk_that_fills_up_leaves_the_previous_release(root: Path, source: Path, file_bytes: int) -> None:
    with ProcessPoolExecutor(1, mp_context=SPAWN) as workers:
        outcome = workers.submit(publish_with_little_room, root, source, file_bytes).result()
    assert isinstance(outcome, LimitReached), outcome
    assert "not enough disk" in str(outcome)
    assert only_the_first_release_is_there(root)
    assert {entry.name for entry in (root / REMOVALS).iterdir()} == {".lock", "000001"}


@pytest.mark.parametrize("call", range(5))
def test_a_disk_that_fills_up_at_the_very_end_leaves_the_previous_release(
    root: Path, source: Path, call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(100))
    sync = publishing.sync

    def full(path: Path) -> None:
        if next(calls) == call:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(path)

    monkeypatch.setattr(publishing, "sync", full)
    assert isinstance(try_to_publish(root, source), LimitReached)
    assert only_the_first_release_is_there(root)


def publish_and_die(root: Path, source: Path, step: int) -> None:
    steps = iter(range(100))

    def die(_share: float, _words: str) -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    publish(a_dataset(), [source], root, KEY, now, synthetic=True, progress=die)


@pytest.mark.parametrize("step", [0, 1, 3])
def test_a_killed_publication_leaves_the_previous_release_and_the_next_clears_up(
    root: Path, source: Path, step: int
) -> None:
    process = SPAWN.Process(target=publish_and_die, args=(root, source, step))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert only_the_first_release_is_there(root)
    assert list((root / REMOVALS).glob(".tmp-*"))
    assert published(root, source).number == 2
    assert not list((root / REMOVALS).glob(".tmp-*"))
