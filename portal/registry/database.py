"""The one database of a portal: the registry's tables and the ledger's, so that both change in one transaction."""

from sqlalchemy import URL, Engine

from portal.ledger import tables as ledger_tables
from portal.registry import tables as registry_tables
from portal.storage import connect, writing


def open_database(url: str | URL, patience: float = 5.0) -> Engine:
    """Return the database at `url` (`sqlite:///home/portal.sqlite`, `postgresql+psycopg://...`) with its tables made.

    `patience` is how many seconds a writer waits for another. Raises `LimitReached` or `EngineFailure` where the
    database is busy or away.
    """
    engine = connect(url, patience)
    with writing(engine) as connection:
        for metadata in (ledger_tables.metadata, registry_tables.metadata):
            metadata.create_all(connection)
    return engine
