from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect
from support.databases import url_of
from support.records import AUDIT, opened, registry_in

from portal.errors import EngineFailure
from portal.ids import PersonId
from portal.ledger import tables as ledger_tables
from portal.policy.model import Tier
from portal.policy.people import Person
from portal.registry import database, open_database
from portal.registry import tables as registry_tables
from portal.storage import connect, writing

pytestmark = pytest.mark.usefixtures("each_database")
METADATA = (ledger_tables.metadata, registry_tables.metadata)
MARK = "alembic_version"


def tables_of(engine: Engine) -> dict[str, Any]:
    """Describe every table as the database itself does."""
    found = inspect(engine)
    return {
        name: (
            {column["name"]: {**column, "type": str(column["type"])} for column in found.get_columns(name)},
            found.get_pk_constraint(name)["constrained_columns"],
            sorted((key["constrained_columns"], key["referred_table"]) for key in found.get_foreign_keys(name)),
            sorted((index["name"] or "", index["column_names"], index["unique"]) for index in found.get_indexes(name)),
        )
        for name in found.get_table_names()
        if name != MARK
    }


def drop_all(engine: Engine) -> None:
    with writing(engine) as connection:
        for metadata in METADATA:
            metadata.drop_all(connection)
        connection.exec_driver_sql(f"DROP TABLE {MARK}")


def test_the_steps_end_where_the_code_is(tmp_path: Path) -> None:
    with opened(tmp_path) as engine:
        by_steps = tables_of(engine)
        drop_all(engine)
        with writing(engine) as connection:
            for metadata in METADATA:
                metadata.create_all(connection)
        assert tables_of(engine) == by_steps


def test_the_last_step_is_the_one_that_is_looked_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(database._STEPS))
    assert ScriptDirectory.from_config(config).get_heads() == [database.REVISION]


def test_a_database_from_before_there_were_steps_keeps_its_rows_and_gets_the_rest(tmp_path: Path) -> None:
    with registry_in(tmp_path) as registry:
        registry.add_person(Person(PersonId("anna"), "Anna", Tier.VETTED), audit=AUDIT)
        whole = tables_of(registry.engine)
        with writing(registry.engine) as connection:
            for name in ("notices", *sorted(whole.keys() - OLDEST - {"notices"})):
                connection.exec_driver_sql(f"DROP TABLE {name}")
            connection.exec_driver_sql(f"DROP TABLE {MARK}")
    with registry_in(tmp_path) as registry:
        assert tables_of(registry.engine) == whole
        assert [person.id for person in registry.people()] == ["anna"]
        assert registry.ledger.verify() == ()


OLDEST = {"ledger_entries", "ledger_head", "people", "projects", "project_members", "grants", "tokens", "downloads"}


def test_a_database_of_a_newer_portal_is_left_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as engine, writing(engine) as connection:
        connection.exec_driver_sql(f"UPDATE {MARK} SET version_num = '9999'")
    with pytest.raises(EngineFailure) as refused:
        open_database(url_of(tmp_path))
    assert [fault.code for fault in refused.value.faults] == ["RECORDS_NEWER"]


def test_a_step_that_fails_leaves_the_database_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.storage._APPEND_ONLY", {"sqlite": ("SELECT 1/",), "postgresql": ("SELECT 1/",)})
    with pytest.raises(EngineFailure):
        open_database(url_of(tmp_path))
    monkeypatch.undo()
    engine = connect(url_of(tmp_path))
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    with opened(tmp_path) as whole:
        assert inspect(whole).has_table("ledger_entries")
