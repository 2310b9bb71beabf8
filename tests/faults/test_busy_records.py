"""Another writer holds the records for longer than anyone waits."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from support.faulty import ROWS, SAVED, World, asker, services_over
from support.harmed import copy_of

from portal.desk.access import catalogue
from portal.desk.making import make_download
from portal.desk.saved import run_saved_query
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.errors import LimitReached
from portal.ids import QueryName
from portal.sql.plan import Statement

DE = asker("DE")


def be_impatient(services: Services) -> None:
    """Have writers wait for a twentieth of a second instead of five."""

    def hurry(connection: Any, *_: object) -> None:
        connection.execute("PRAGMA busy_timeout = 50")

    event.listen(services.ledger.engine, "checkout", hurry)


def test_nothing_is_given_that_cannot_be_recorded_and_all_goes_on_afterwards(world: World, tmp_path: Path) -> None:
    mine = copy_of(world, tmp_path / "home")
    statement = Statement(ROWS["rows"], {"least": 40, "salt": 1})
    with services_over(mine.settings) as services, closing(sqlite3.connect(mine.home / "portal.sqlite")) as other:
        be_impatient(services)
        kept, before = services.ledger.checkpoint(), services.ledger.tail(1)
        other.execute("BEGIN IMMEDIATE")
        for asked in (
            lambda: run_statement(services, DE, statement),
            lambda: run_saved_query(services, DE, QueryName(SAVED), {}),
            lambda: make_download(services, DE, statement, "csv"),
        ):
            with pytest.raises(LimitReached) as refused:
                asked()
            assert [fault.code for fault in refused.value.faults] == ["RECORDS_BUSY"]
        assert len(catalogue(services, DE)) == 3, "who only reads does not wait"
        assert services.ledger.tail(1) == before
        assert not [*mine.home.glob("results/*/*.arrow"), *mine.home.glob("downloads/*/*")]
        other.rollback()
        assert run_statement(services, DE, statement).table().to_pylist() == mine.rows["DE", "rows", 40]
        assert services.ledger.verify(kept) == ()


def test_who_waits_a_little_is_answered(world: World, tmp_path: Path) -> None:
    mine = copy_of(world, tmp_path / "home")
    with services_over(mine.settings) as services:
        other = sqlite3.connect(mine.home / "portal.sqlite", check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(1.0, other.rollback)
        release.start()
        answer = run_statement(services, DE, Statement(ROWS["rows"], {"least": 40, "salt": 1}))
        release.join()
        other.close()
        assert answer.table().to_pylist() == mine.rows["DE", "rows", 40]
