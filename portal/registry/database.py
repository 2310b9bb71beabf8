"""The one database of a portal: the registry's tables and the ledger's, so that both change in one transaction.

Opening it brings its tables up to `REVISION` by itself, in one transaction under the writer's lock: the first process
of a new version does so, the others wait for it; and where it fails, nothing is changed.
"""

from pathlib import Path

from sqlalchemy import URL, Connection, Engine, inspect

from portal.errors import EngineFailure, Fault, PortalError
from portal.storage import connect, reading, writing

REVISION = "0004"
"""The last step of `migrations/versions`."""
FIRST = "0001"
"""What a database is that was made before there were steps."""
_STEPS = Path(__file__).parent / "migrations"
_MARK = "alembic_version"
_NEWER = Fault(
    "RECORDS_NEWER",
    "The portal's records were written by a newer version of it.",
    fix="Start that version, or restore the backup that was made before it.",
)


def open_database(url: str | URL, patience: float = 5.0) -> Engine:
    """Return the database at `url` (`sqlite:///home/portal.sqlite`, `postgresql+psycopg://...`), its tables up to date.

    `patience` is how many seconds a writer waits for another. Raises `LimitReached` or `EngineFailure` where the
    database is busy or away, or was written by a newer portal.
    """
    engine = connect(url, patience)
    try:
        with reading(engine) as connection:
            is_current = _revision(connection) == REVISION
        if not is_current:
            with writing(engine) as connection:
                _upgrade(connection)
    except PortalError:
        engine.dispose()
        raise
    return engine


def _upgrade(connection: Connection) -> None:
    found = _revision(connection)
    if found is not None and found > REVISION:
        raise EngineFailure(_NEWER)
    from alembic import command  # noqa: PLC0415 - slow to load, and needed by the first start of a version only
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    if found is None and inspect(connection).has_table("ledger_entries"):
        command.stamp(config, FIRST)
    command.upgrade(config, REVISION)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_MARK):
        return None
    revision: str | None = connection.exec_driver_sql(f"SELECT version_num FROM {_MARK}").scalar()  # noqa: S608 - a constant
    return revision
