"""The tables of a standard benchmark as published extracts, open whole to everyone, and the desk to ask them at."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
from support.draws import columns_of
from support.portal import services_of

from portal.desk.answers import Asker
from portal.desk.publication import publish_release
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.ids import DatasetName, PersonId
from portal.policy.model import Tier
from portal.policy.people import Person
from portal.registry import Audit
from portal.settings import Settings
from portal.sql.plan import Statement

_ASKER = Asker(PersonId("rita"), None)
_PUBLISHED_TYPES: Mapping[str, str] = {"SMALLINT": "INTEGER", "DECIMAL": "DOUBLE"}
"""A codebook has no such types; what it has in their place."""

_DATASET = """\
dataset: {name}
title: {name}
topic: traders
description: Made up.
grain: One row.
legal_basis: [DSA Art. 40(4)]
provenance: {{publisher: Nobody, licence: CC0-1.0}}
citation: Nobody (2026). {name}.
columns:
{columns}
"""
_POLICY = """\
dataset: {name}
legal_basis: DSA Art. 40(4)
rules:
  - for: {{tier: registered}}
    access: rows
    because: The rows are made up and say nothing of anyone.
"""


@dataclass(frozen=True)
class Portal:
    """A portal over a benchmark's tables, and DuckDB itself over the same governed files."""

    services: Services
    plain: duckdb.DuckDBPyConnection

    def answer(self, sql: str) -> pa.Table:
        """Return the desk's whole answer."""
        answer = run_statement(self.services, _ASKER, Statement(sql))
        assert answer.receipt.complete
        return answer.table()

    def expected(self, sql: str) -> pa.Table:
        """Return what DuckDB answers by itself."""
        relation = self.plain.sql(sql)
        assert relation is not None
        return relation.to_arrow_table()


@contextmanager
def a_benchmark(folder: Path, tables: duckdb.DuckDBPyConnection) -> Iterator[Portal]:
    """Publish every table of the connection, and give the portal over them."""
    names = [name for (name,) in tables.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
    for name in names:
        _write_table(folder, name, tables)
    settings = Settings(site=folder / "site", home=folder / "home", sandboxes=1, warm_sandboxes=1, threads=1)
    with services_of(settings) as services, duckdb.connect(config={"threads": "1"}) as plain:
        services.registry.add_person(
            Person(_ASKER.person, "Rita", Tier.REGISTERED), audit=Audit(None, services.clock())
        )
        plain.execute("SET TimeZone = 'UTC'; SET error_on_division_by_zero = false")
        portal = Portal(services, plain)
        for name in names:
            publish_release(services, DatasetName(name), [folder / f"{name}.parquet"], synthetic=True)
            portal.answer(f"SELECT count(*) FROM {name}")  # so that its governed copy is there
            files = [str(file) for file in services.workspaces.root.glob(f"*/{name}/*.parquet")]
            plain.execute(f"CREATE VIEW {name} AS FROM read_parquet({files})")
        yield portal


def _write_table(folder: Path, name: str, tables: duckdb.DuckDBPyConnection) -> None:
    """Write a table's source, codebook and policy."""
    columns = columns_of(tables, name)
    renamed = ", ".join(f'"{column}" AS {column.lower()}' for column, _ in columns)
    tables.execute(f"COPY (SELECT {renamed} FROM {name}) TO '{folder / name}.parquet' (FORMAT parquet)")
    types = {column.lower(): _PUBLISHED_TYPES.get(kind.split("(")[0], kind) for column, kind in columns}
    lines = "\n".join(f"  {column}: {{type: {kind}, meaning: Made up.}}" for column, kind in types.items())
    for path, text in (
        (f"datasets/{name}/dataset.yaml", _DATASET.format(name=name, columns=lines)),
        (f"access_policies/{name}.yaml", _POLICY.format(name=name)),
    ):
        file = folder / "site" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
