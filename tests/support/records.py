"""Databases, ledgers and registries for tests."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine
from support.databases import is_postgresql, url_of

from portal.ledger import Ledger
from portal.registry import Audit, Registry, open_database

KEY = b"k" * 32
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AUDIT = Audit(actor=None, at=NOW)

HOSTILE_TEXTS = (
    "'; DROP TABLE people; --",
    'x" OR 1=1 /* \\',
    "%s {0} :name ? $1",
    "ﷺ\u202e\u200b\N{ZERO WIDTH JOINER}\U0001f9d1\U0001f3fd\u0301\u0344",
    "é" + "e\u0301",
    "line\r\nbreak\ttab\x1b[31m\x7f\ufeff",
    "\u0131 \u0130 \u017f \u1e9e \u01c5",
    "x" * 100_000,
    "",
)
"""Each comes back as it was."""

UNSTORABLE_TEXTS = {"nul\0": "nul\ufffd", "half \ud83d": "half \ufffd", "\udc00\ud800": "\ufffd\ufffd"}
"""Each comes back as its value."""


def clock_from(start: datetime = NOW, step: timedelta = timedelta(seconds=1)) -> Iterator[datetime]:
    """Yield times that go on by one step each."""
    while True:
        yield start
        start += step


@contextmanager
def opened(folder: Path, patience: float = 5.0) -> Iterator[Engine]:
    """Open the database of a folder and close it again."""
    engine = open_database(url_of(folder), patience)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def ledger_in(folder: Path) -> Iterator[Ledger]:
    """Open the ledger of a folder; its clock goes on by a second at each entry."""
    ticks = clock_from()
    with opened(folder) as engine:
        yield Ledger(engine, KEY, lambda: next(ticks))


@contextmanager
def registry_in(folder: Path) -> Iterator[Registry]:
    """Open the registry of a folder."""
    with ledger_in(folder) as ledger:
        yield Registry(ledger.engine, ledger)


class Raw:
    """A connection behind the portal's back, to either database, asked in SQLite's way of writing parameters."""

    def __init__(self, connection: sqlite3.Connection | psycopg.Connection[Any]) -> None:
        self._connection: Any = connection
        self.is_sqlite = isinstance(connection, sqlite3.Connection)

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> Any:
        """Run one statement."""
        statement = statement if self.is_sqlite else statement.replace("?", "%s")
        return self._connection.execute(statement, *([parameters] if parameters else []))


@contextmanager
def raw(folder: Path) -> Iterator[Raw]:
    """Open the database behind the portal's back, with the triggers that protect the ledger gone."""
    if is_postgresql(folder):
        with psycopg.connect(url_of(folder).replace("+psycopg", ""), autocommit=True) as server:
            server.execute("DROP TRIGGER ledger_entries_no_change ON ledger_entries")
            yield Raw(server)
        return
    with closing(sqlite3.connect(folder / "portal.sqlite", isolation_level=None)) as file:
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        yield Raw(file)
