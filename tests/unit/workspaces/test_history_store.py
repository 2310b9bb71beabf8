"""Histories on disk: what was answered from is there, and nothing else is taken for it."""

import os
import stat
import threading
from pathlib import Path

import pytest
from pyroaring import BitMap
from support.aggregates import a_manifest

from portal.disclosure.history import Entry, Kind, ReleaseHistory
from portal.disclosure.kept import keep, packed
from portal.errors import EngineFailure
from portal.ids import ProjectId
from portal.workspaces.history_store import FileHistoryStore

P1 = ProjectId("p1")
ENTITIES = BitMap([5, 70_000])


def an_entry(number: int, **kinds_of_entity: BitMap) -> Entry:
    entities = kinds_of_entity or {"advertiser_id": ENTITIES}
    kept = {name: keep(members) for name, members in entities.items()}
    return Entry(Kind("sum", "spend_eur"), "v", packed(BitMap([0, number])), kept, 1200.5)


def a_history(size: int) -> ReleaseHistory:
    names = ('{"country":"FR"}', '{"country":null}', "é", *map(str, range(size)))
    return ReleaseHistory(names, tuple(map(an_entry, range(size))))


def store(home: Path, *histories: ReleaseHistory) -> Path:
    """Write histories, each the last and some more; return the file."""
    for history in histories:
        FileHistoryStore(home).update(P1, a_manifest(), lambda _, history=history: (history, None))
    return home / "p1/ads-000001/history"


def read(home: Path) -> ReleaseHistory:
    return FileHistoryStore(home).update(P1, a_manifest(), lambda history: (history, history))


def members(history: ReleaseHistory) -> list[BitMap]:
    return [kept.bitmap() for entry in history.entries for kept in entry.entities.values()]


def test_a_history_reads_back_as_it_was_written(tmp_path: Path) -> None:
    both = an_entry(7, advertiser_id=ENTITIES, user_id=BitMap(range(9)))
    rows = Entry(Kind("rows"), "other", packed(BitMap([1])), {}, 10)
    history = ReleaseHistory(a_history(3).names, (*a_history(3).entries, both, rows))
    store(tmp_path, a_history(1), a_history(3), history)
    assert read(tmp_path) == history
    assert members(read(tmp_path)) == [ENTITIES] * 4 + [BitMap(range(9))]


def test_equal_sets_are_written_once(tmp_path: Path) -> None:
    large = BitMap(range(0, 100_000, 7))
    one, two = an_entry(1, advertiser_id=large), an_entry(2, advertiser_id=large, user_id=large)
    size = store(tmp_path / "a", ReleaseHistory((), (one,))).stat().st_size
    assert size > len(packed(large))
    path = store(tmp_path / "b", ReleaseHistory((), (one,)), ReleaseHistory((), (one, two)))
    assert path.stat().st_size - size < 500


def test_a_history_grows_at_its_end(tmp_path: Path) -> None:
    before = store(tmp_path, a_history(2)).read_bytes()
    after = store(tmp_path, a_history(3)).read_bytes()
    assert after.startswith(before)
    assert len(after) > len(before)


def test_nothing_new_writes_nothing(tmp_path: Path) -> None:
    path = store(tmp_path, a_history(2))
    before = path.stat()
    store(tmp_path, ReleaseHistory((*a_history(2).names, "more"), a_history(2).entries))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert read(tmp_path) == a_history(2)


def test_projects_and_releases_have_histories_of_their_own(tmp_path: Path) -> None:
    store(tmp_path, a_history(2))
    second = a_manifest().model_copy(update={"number": 2})
    for project, manifest in [(ProjectId("p2"), a_manifest()), (P1, second)]:
        found = FileHistoryStore(tmp_path).update(project, manifest, lambda history: (history, history))
        assert found == ReleaseHistory()


def test_a_last_record_that_was_cut_short_is_passed_over_and_written_over(tmp_path: Path) -> None:
    whole = len(store(tmp_path, a_history(2)).read_bytes())
    path = store(tmp_path, a_history(3))
    data = path.read_bytes()
    was_answered_to(path, whole)
    for end in range(whole, len(data)):
        path.write_bytes(data[:end])
        assert read(tmp_path) == a_history(2)
    store(tmp_path, a_history(4))
    assert read(tmp_path) == a_history(4)
    assert members(read(tmp_path)) == [ENTITIES] * 4


def was_answered_to(path: Path, end: int) -> None:
    """Put things as they are when a crash came before anything was answered from what is behind `end`."""
    path.with_name("history.end").write_text(str(end))


def test_a_last_record_that_was_answered_from_is_not_passed_over(tmp_path: Path) -> None:
    store(tmp_path, a_history(2))
    path = store(tmp_path, a_history(3))
    data = path.read_bytes()
    for damaged in (data[:-1], data[:-1] + bytes([data[-1] ^ 1])):
        path.write_bytes(damaged)
        with pytest.raises(EngineFailure, match="cannot be read"):
            read(tmp_path)


@pytest.mark.parametrize("zeros", [1, 36, 5000])
def test_a_last_record_of_which_only_the_length_was_written_is_passed_over(tmp_path: Path, zeros: int) -> None:
    path = store(tmp_path, a_history(2))
    path.write_bytes(path.read_bytes() + bytes(zeros))
    assert read(tmp_path) == a_history(2)


def test_a_last_record_with_a_hole_is_passed_over(tmp_path: Path) -> None:
    whole = len(store(tmp_path, a_history(2)).read_bytes())
    entities = BitMap(range(0, 9000, 3))
    path = store(tmp_path, ReleaseHistory(a_history(2).names, (*a_history(2).entries, an_entry(9, user_id=entities))))
    data = path.read_bytes()
    was_answered_to(path, whole)
    for hole in (whole + 50, len(data) - 500):
        path.write_bytes(data[:hole] + bytes(40) + data[hole + 40 :])
        assert read(tmp_path) == a_history(2)


def test_any_other_damage_is_found(tmp_path: Path) -> None:
    """Every byte before the last record, and the whole header of the last."""
    first = len(store(tmp_path, a_history(1)).read_bytes())
    second = len(store(tmp_path, a_history(2)).read_bytes())
    path = store(tmp_path, a_history(3))
    data = path.read_bytes()
    assert first < second < len(data)
    for at in [*range(second), *range(second, second + 36)]:
        path.write_bytes(bytes([*data[:at], data[at] ^ 1, *data[at + 1 :]]))
        with pytest.raises(EngineFailure, match="cannot be read"):
            members(read(tmp_path))


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": 1}', bytes(100)])
def test_a_history_that_is_none_is_not_taken_for_an_empty_one(tmp_path: Path, content: bytes) -> None:
    path = store(tmp_path, a_history(1))
    for damaged in (content, path.read_bytes()[:-1]):
        path.write_bytes(damaged)
        with pytest.raises(EngineFailure, match="cannot be read"):
            read(tmp_path)


def test_records_out_of_order_are_found(tmp_path: Path) -> None:
    ends = [len(store(tmp_path, a_history(n)).read_bytes()) for n in (1, 2, 3)]
    path = store(tmp_path)
    data = path.read_bytes()
    for content in (data[: ends[0]] + data[ends[1] :], data[: ends[0]] * 2):
        path.write_bytes(content)
        with pytest.raises(EngineFailure, match="cannot be read"):
            read(tmp_path)


def test_a_change_that_fails_leaves_the_history_as_it_was(tmp_path: Path) -> None:
    store(tmp_path, a_history(2))

    def failing(_: ReleaseHistory) -> tuple[ReleaseHistory, None]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        FileHistoryStore(tmp_path).update(P1, a_manifest(), failing)
    assert read(tmp_path) == a_history(2)


@pytest.mark.parametrize("released", [0, 2])
def test_what_cannot_be_recorded_is_not_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, released: int
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    if released:
        store(tmp_path, a_history(released))
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(EngineFailure, match="could not be recorded"):
            store(tmp_path, a_history(3))
    store(tmp_path, a_history(4))
    assert read(tmp_path).entries[-1] == an_entry(3)


def test_nobody_reads_a_history_that_another_is_changing(tmp_path: Path) -> None:
    def one_more(history: ReleaseHistory) -> tuple[ReleaseHistory, None]:
        return a_history(len(history.entries) + 1), None

    threads = [
        threading.Thread(target=FileHistoryStore(tmp_path).update, args=(P1, a_manifest(), one_more)) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(tmp_path) == a_history(16)


def test_a_new_history_is_on_disk_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written, fsync = list[bool](), os.fsync

    def noting(descriptor: int) -> None:
        written.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
        fsync(descriptor)

    monkeypatch.setattr("os.fsync", noting)
    store(tmp_path, a_history(1), a_history(2))
    replaced = [False, True]
    assert written == [False, True, *replaced, False, *replaced]
