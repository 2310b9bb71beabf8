"""The portal over made-up data: its own desk, stores and ledger; at its edges either quick engines or the real ones."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from support.factories import NOW, a_policy, a_rule
from support.oracle.data import PLACES, TYPES, Row
from support.oracle.rules import Rules
from support.sites import write_site

from portal.catalogue.release import Manifest
from portal.desk.answers import Answer, Asker
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.engines.port import CancelSignal, ReadJob, SandboxEngine, WrittenFile
from portal.ids import DatasetName, PersonId, ProjectId
from portal.ledger import Action
from portal.policy.model import Tier
from portal.policy.people import Person, Project
from portal.publishing.publish import publish
from portal.registry import Audit
from portal.settings import Settings
from portal.sql.plan import Statement
from portal.wiring import build_services

ASKER = Asker(PersonId("ada"), ProjectId("p1"))
VISITS = DatasetName("visits")
_ARROW = {"VARCHAR": pa.string(), "DATE": pa.date32(), "DOUBLE": pa.float64(), "BIGINT": pa.int64()}
_PLACES = {"code": "VARCHAR", "area": "VARCHAR", "size": "BIGINT"}
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
  - for: {{tier: vetted}}
    access: rows
    because: A reason that is long enough to be read.
"""


class WarmEngine:
    """One DuckDB for all questions of the portal's own, without hardening."""

    def __init__(self) -> None:
        self._instance = duckdb.connect(config={"threads": "1"})
        self._instance.execute("SET TimeZone = 'UTC'")

    def heeding(self, heed: Callable[[], object]) -> "WarmEngine":
        del heed
        return self

    def fetch(self, select: str, tables: Mapping[str, Sequence[Path]]) -> pa.Table:
        for name, files in tables.items():
            self._instance.execute(
                f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT * FROM read_parquet({[*map(str, files)]})'
            )
        relation = self._instance.sql(select)
        assert relation is not None
        return relation.to_arrow_table()

    def copy(
        self,
        select: str,
        tables: Mapping[str, Sequence[Path]],
        target: Path,
        metadata: Mapping[str, str] | None = None,
    ) -> WrittenFile:
        del metadata
        table = self.fetch(select, tables)
        pq.write_table(table, target)
        return WrittenFile(target, table.num_rows)


@dataclass
class _Stream:
    schema: pa.Schema
    table: pa.Table
    complete: bool = True

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self.table.to_batches()


class WarmSandbox:
    """One DuckDB for all statements, in this process."""

    def __init__(self) -> None:
        self._instance = duckdb.connect(config={"threads": "1"})

    @contextmanager
    def read(self, job: ReadJob, cancel: CancelSignal | None = None) -> Iterator[_Stream]:
        del cancel
        for name, table in job.cells.items():
            self._instance.register(name, table)
        relation = self._instance.sql(job.sql, params=dict(job.parameters) or None)
        assert relation is not None
        table = relation.to_arrow_table()
        yield _Stream(table.schema, table)
        for name in job.cells:
            self._instance.unregister(name)

    def close(self) -> None:
        self._instance.close()


class Watching:
    """A sandbox that remembers the cells it was handed."""

    def __init__(self, inner: SandboxEngine) -> None:
        self.inner, self.cells = inner, list[pa.Table]()

    @contextmanager
    def read(self, job: ReadJob, cancel: CancelSignal | None = None) -> Iterator[Any]:
        self.cells = list(job.cells.values())
        with self.inner.read(job, cancel) as stream:
            yield stream

    def close(self) -> None:
        self.inner.close()


@dataclass(repr=False)
class _Releases:
    """The releases of the portal, and in place of those of visits the one of the example."""

    inner: Any
    file: Path
    manifest: Manifest | None = None

    def latest(self, dataset: DatasetName) -> Manifest | None:
        return self.manifest if dataset == VISITS else self.inner.latest(dataset)

    def ending(self, dataset: DatasetName, number: int) -> None:
        """No release here has ended."""

    def paths(self, manifest: Manifest) -> list[Path]:
        del manifest
        return [self.file]


class OracleWorld:
    """Services that are built once; each example is a release and a policy of its own."""

    def __init__(self, services: Services, watching: Watching, releases: "_Releases") -> None:
        self.services, self.watching, self.releases, self.numbers = services, watching, releases, count(1)

    def begin(self, rows: Sequence[Row], rules: Rules) -> None:
        """Publish the rows anew, under these rules; nothing was released of them yet."""
        schema = pa.schema([(name, _ARROW[kind]) for name, kind in TYPES.items()])
        pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema), self.releases.file)
        self.releases.manifest = Manifest(
            dataset=VISITS, number=next(self.numbers), created_at=NOW, tool_version="0", synthetic=True, columns={},
            rows=0, rejected_rows=0, recipe_sha256="", sources=(), files=(),
        )  # fmt: skip
        self.rule(rules)

    def rule(self, rules: Rules, **more: Any) -> None:
        """Change the rules of the dataset; what was released stays."""
        rule = a_rule(access="aggregates", disclosure=rules.as_policy(), **more) | {"for": {"tier": "vetted"}}
        policies = {**self.services.site.policies, VISITS: a_policy(rule, name="visits")}
        self.services = replace(self.services, site=replace(self.services.site, policies=policies))

    def ask(self, sql: str, parameters: Mapping[str, Any]) -> tuple[Answer, list[pa.Table]]:
        """Return the answer to a statement, and the cells that it was made from."""
        self.watching.cells = []
        answer = run_statement(self.services, ASKER, Statement(sql, parameters))
        return answer, self.watching.cells

    def reasons(self, answer: Answer) -> Mapping[str, int]:
        """Return why cells were withheld, as the steward is told."""
        found = self.services.ledger.search(action=Action.CELLS_WITHHELD, subject=answer.receipt.id)
        cells: Any = found[0].details["cells"] if found else {}
        return dict(cells)


@contextmanager
def an_oracle_world(folder: Path, *, quick: bool) -> Iterator[OracleWorld]:
    """Build the portal; `quick` has both engines in this process."""
    files = {}
    for name, types in (("visits", TYPES), ("places", _PLACES)):
        columns = "\n".join(f"  {column}: {{type: {kind}, meaning: Made up.}}" for column, kind in types.items())
        files[f"datasets/{name}/dataset.yaml"] = _DATASET.format(name=name, columns=columns)
        files[f"access_policies/{name}.yaml"] = _POLICY.format(name=name)
    site = write_site(folder / "site", **files)
    services = build_services(Settings(site=site, home=folder / "home", warm_sandboxes=1, threads=1), lambda: NOW)
    pq.write_table(pa.Table.from_pylist([dict(place) for place in PLACES]), folder / "places.parquet")
    try:
        audit = Audit(None, NOW)
        services.registry.add_person(Person(ASKER.person, "Ada", Tier.VETTED), audit=audit)
        project = Project(
            ProjectId("p1"), "P", "To know.", date(2026, 1, 1), date(2026, 12, 31), frozenset({ASKER.person})
        )
        services.registry.add_project(project, audit=audit)
        places = services.site.datasets[DatasetName("places")]
        publish(
            places,
            [folder / "places.parquet"],
            services.releases.root,
            services.keys.platform,
            services.clock,
            synthetic=True,
        )
        releases = _Releases(services.releases, folder / "visits.parquet")
        watching = Watching(WarmSandbox() if quick else services.sandbox)
        made: dict[str, Any] = {"releases": releases, "sandbox": watching}
        yield OracleWorld(replace(services, **made, **({"trusted": WarmEngine()} if quick else {})), watching, releases)
    finally:
        services.sandbox.close()
        services.ledger.engine.dispose()
