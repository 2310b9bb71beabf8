"""What differs between SQLite (the default) and PostgreSQL; no other module knows which of them is underneath.

One writer at a time, readers beside it: a write transaction begins by taking the writer's lock, so that what it reads
is still so when it writes, in every thread and process.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from types import MappingProxyType
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from portal.errors import EngineFailure, Fault, LimitReached, PortalError, UsageError

_BEGIN: Mapping[tuple[str, bool], str] = MappingProxyType(
    {
        ("sqlite", False): "BEGIN",
        ("sqlite", True): "BEGIN IMMEDIATE",
        ("postgresql", False): "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        # Any number will do that nothing else on the server uses.
        ("postgresql", True): "SELECT pg_advisory_xact_lock(20502025)",
    }
)

# SQLite's REPLACE removes the older row without asking the triggers on DELETE, hence the one on INSERT.
_APPEND_ONLY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sqlite": (
            "CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, 'append-only'); END",
            "CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, 'append-only'); END",
            (
                "CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN EXISTS "
                "(SELECT 1 FROM {table} WHERE {key} = NEW.{key}) BEGIN SELECT RAISE(ABORT, 'append-only'); END"
            ),
        ),
        "postgresql": (
            (
                "CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE integrity_constraint_violation USING MESSAGE = 'append-only'; END $$"
            ),
            (
                "CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
            ),
        ),
    }
)

_BUSY = Fault(
    "RECORDS_BUSY",
    "The portal's records are being written by others, and stayed so for too long. Nothing was changed.",
    fix="Try again in a moment.",
)
_UNAVAILABLE = Fault(
    "RECORDS_UNAVAILABLE",
    "The portal's records could not be read or written. Nothing was changed.",
    fix="Try again; if it stays so, tell the portal's operator.",
)
_CONFLICT = Fault(
    "RECORDS_CONFLICT",
    "A record of that name is there already, or one that it refers to is not there.",
    fix="Look up the names that are in use, and ask again.",
)
_TOO_LONG = Fault("RECORDS_TOO_LONG", "A text is too long to be kept.", fix="Give a shorter one.")


def connect(url: str | URL, patience: float = 5.0) -> Engine:
    """Return an engine for the database at `url`; a SQLite file that is not there is made, for the portal's user only.

    `patience` is how many seconds a writer waits for another before it gives up.
    """
    url = make_url(url)
    if url.get_backend_name() == "postgresql":
        arguments: dict[str, Any] = {"options": f"-c lock_timeout={round(patience * 1000)}"}
        engine = create_engine(url, connect_args=arguments, hide_parameters=True, pool_pre_ping=True)
    else:
        _make_private_file(url)
        engine = create_engine(url, connect_args={"timeout": patience}, hide_parameters=True)
        event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open one consistent view of the database; the writer does not wait for it.

    Raises `LimitReached` or `EngineFailure` where the database is busy or away.
    """
    with _in_our_words(), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Be the only writer until the end of the block, where all is kept; after any error nothing is.

    Raises `LimitReached` where another writer does not end, `UsageError` where a record is there already or one it
    refers to is not, `EngineFailure` for all else.
    """
    with _in_our_words(), engine.connect() as opened:
        connection = opened.execution_options(portal_writes=True)
        with connection.begin():
            yield connection


def append_only(connection: Connection, table: str, key: str) -> None:
    """Have the database itself refuse to change or remove a row of the table."""
    for statement in _APPEND_ONLY[connection.dialect.name]:
        connection.exec_driver_sql(statement.format(table=table, key=key))


def storable(text: str) -> str:
    """Return the text as every database can hold it: NUL and halves of surrogate pairs become U+FFFD."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def at_text(at: datetime) -> str:
    """Return the time as text of one width in UTC, so that the order of text is the order in time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def read_at(text: str) -> datetime:
    """Read what `at_text` wrote. Raises `ValueError`."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _begin(connection: Connection) -> None:
    writes = bool(connection.get_execution_options().get("portal_writes", False))
    connection.exec_driver_sql(_BEGIN[connection.dialect.name, writes])


def _make_private_file(url: URL) -> None:
    if url.database and url.database != ":memory:":
        file = Path(url.database)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)  # the files of the write-ahead log take their mode from it


def _prepare_sqlite(connection: SqliteConnection, _record: object) -> None:
    connection.isolation_level = None  # the driver's own begin knows no IMMEDIATE
    connection.text_factory = _decode
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _decode(raw: bytes) -> str:
    """Read bytes that are no UTF-8, which only tampering leaves behind, as text that no hash will fit."""
    return raw.decode(errors="replace")


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise UsageError(_CONFLICT) from error
    except PoolTimeout as error:
        raise LimitReached(_BUSY) from error
    except DBAPIError as error:
        raise _in_words(error.orig) from error


def _in_words(error: object) -> PortalError:
    lock_not_available, limit_exceeded = "55P03", "54000"  # PostgreSQL's codes
    name, state = str(getattr(error, "sqlite_errorname", "")), getattr(error, "sqlstate", "")
    if state == lock_not_available or name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LimitReached(_BUSY)
    return UsageError(_TOO_LONG) if state == limit_exceeded or name == "SQLITE_TOOBIG" else EngineFailure(_UNAVAILABLE)
