import multiprocessing
import stat
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert
from support.records import AUDIT, KEY, NOW, opened

from portal.errors import EngineFailure, LimitReached
from portal.ids import PersonId
from portal.ledger import Action, Ledger
from portal.policy.model import Tier
from portal.policy.people import Person
from portal.registry import Registry, open_database
from portal.registry.tables import people
from portal.storage import reading, writing

WRITERS, EACH = 4, 50
on_each_database = pytest.mark.usefixtures("each_database")


def append_some(folder: Path, writer: int) -> None:
    """Open the database, all writers at once on a home that has none yet, and append."""
    with opened(folder, patience=60) as engine:
        ledger = Ledger(engine, KEY)
        for number in range(EACH):
            ledger.record(Action.SIGNED_IN, actor=PersonId(f"w{writer}"), details={"number": number})


def all_came_in_order(folder: Path) -> bool:
    with opened(folder) as engine:
        ledger = Ledger(engine, KEY)
        entries = ledger.tail(WRITERS * EACH + 1)
        of_each = [
            [entry.details["number"] for entry in reversed(entries) if entry.actor == f"w{writer}"]
            for writer in range(WRITERS)
        ]
        return of_each == [list(range(EACH))] * WRITERS and ledger.verify(ledger.checkpoint()) == ()


@on_each_database
def test_four_processes_append_and_nothing_is_lost(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WRITERS, mp_context=context) as pool:
        list(pool.map(append_some, [tmp_path] * WRITERS, range(WRITERS)))
    assert all_came_in_order(tmp_path)


@on_each_database
def test_four_threads_with_engines_of_their_own_append_and_nothing_is_lost(tmp_path: Path) -> None:
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(append_some, [tmp_path] * WRITERS, range(WRITERS)))
    assert all_came_in_order(tmp_path)


@on_each_database
def test_many_threads_share_one_ledger(tmp_path: Path) -> None:
    with opened(tmp_path, patience=60) as engine:
        ledger = Ledger(engine, KEY)

        def write_and_read(number: int) -> int:
            ledger.record(Action.SIGNED_IN, actor=None, subject=str(number))
            return len(ledger.search(subject=str(number)))

        with ThreadPoolExecutor(20) as pool:
            assert list(pool.map(write_and_read, range(100))) == [1] * 100
        assert ledger.verify() == ()


@on_each_database
@pytest.mark.parametrize(
    "write",
    [
        lambda registry: registry.ledger.record(Action.SIGNED_IN, actor=None),
        lambda registry: registry.add_person(Person(PersonId("anna"), "Anna", Tier.VETTED), audit=AUDIT),
    ],
    ids=["ledger", "registry"],
)
def test_a_locked_database_is_said_plainly_and_nothing_is_half_written(
    tmp_path: Path, write: Callable[[Registry], object]
) -> None:
    with opened(tmp_path, patience=0.05) as engine, opened(tmp_path) as others:
        registry = Registry(engine, Ledger(engine, KEY, lambda: NOW))
        with writing(others):
            with pytest.raises(LimitReached) as refused:
                write(registry)
            assert registry.people() == (), "readers do not wait for a writer"
        assert [fault.code for fault in refused.value.faults] == ["RECORDS_BUSY"]
        assert (registry.people(), registry.ledger.tail(1)) == ((), ())
        write(registry)
        assert len(registry.ledger.tail(10)) == 1


def insert_then_fail(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(insert(people).values(id="anna", name="Anna", tier="vetted", active=True))
        raise ZeroDivisionError


@on_each_database
def test_an_error_in_the_middle_of_a_change_leaves_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as engine:
        with pytest.raises(ZeroDivisionError):
            insert_then_fail(engine)
        assert Registry(engine, Ledger(engine, KEY)).people() == ()


@on_each_database
def test_a_reader_sees_one_moment(tmp_path: Path) -> None:
    with opened(tmp_path) as engine:
        ledger = Ledger(engine, KEY)
        with reading(engine) as connection:
            count = "SELECT count(*) FROM ledger_entries"
            before = connection.exec_driver_sql(count).scalar()
            ledger.record(Action.SIGNED_IN, actor=None)
            assert connection.exec_driver_sql(count).scalar() == before == 0


def test_a_file_that_is_no_database_is_said_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "portal.sqlite").write_text("not a database, and long enough to be taken for one" * 100)
    with pytest.raises(EngineFailure) as failed:
        open_database(f"sqlite:///{tmp_path / 'portal.sqlite'}")
    assert str(tmp_path) not in str(failed.value)


def test_the_databases_files_are_for_the_portals_user_only(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as engine:
        Ledger(engine, KEY).record(Action.SIGNED_IN, actor=None)
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "home").iterdir()}
    assert modes == dict.fromkeys(("portal.sqlite", "portal.sqlite-wal", "portal.sqlite-shm"), 0o600)
