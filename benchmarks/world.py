"""A portal of its own with simulated statements of reasons, one researcher and a grant: what most measurements need."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from portal.clock import system_clock
from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.ids import DatasetName, PersonId, ProjectId
from portal.policy.model import Download, Limits, Policy, Tier
from portal.policy.people import Grant, Person, Project
from portal.publishing.publish import publish
from portal.registry import Audit
from portal.settings import Settings
from portal.simulation import simulate
from portal.wiring import build_services

DATASET = DatasetName("moderation_statements")
ASKER = Asker(PersonId("bench"), ProjectId("bench"))
ROWS = 500_000
"""Statements at scale 1."""
ROUNDS = 5
THREADS = 2
NO_END = 10**12
"""Rows; the limits of the policy would end most rounds early."""


@dataclass(frozen=True, slots=True)
class World:
    """The services, the folder that they write to, and how many rows are published."""

    services: Services
    home: Path
    rows: int

    def governed_files(self) -> str:
        """Return the governed copy, which must be built, as a relation of DuckDB."""
        return relation(sorted((self.services.workspaces.root / "bench" / DATASET).glob("*.parquet")))

    def released_files(self) -> str:
        """Return the files of the release as a relation of DuckDB."""
        return relation(sorted((self.home / "releases" / DATASET).glob("*/*.parquet")))


@contextmanager
def a_world(scale: float) -> Iterator[World]:
    """Publish `500,000 x scale` statements for one vetted researcher; gone with all files at the end."""
    with TemporaryDirectory() as folder:
        home = Path(folder, "home")
        services = _without_limits(build_services(Settings(home=home)))
        try:
            sources = simulate(DATASET, Path(folder, "raw"), scale, 1)
            dataset, key = services.site.datasets[DATASET], services.keys.platform
            manifest = publish(dataset, sources, home / "releases", key, system_clock, synthetic=True)
            for source in sources:
                source.unlink()
            _admit(services)
            yield World(services, home, manifest.rows)
        finally:
            services.sandbox.close()


def _without_limits(services: Services) -> Services:
    policies = {name: _limitless(policy) for name, policy in services.site.policies.items()}
    return replace(services, site=replace(services.site, policies=policies))


def _limitless(policy: Policy) -> Policy:
    limits, download = Limits(rows_per_week=NO_END, result_rows=NO_END, seconds=600), Download(max_rows=NO_END)
    rules = tuple(rule.model_copy(update={"limits": limits, "download": download}) for rule in policy.rules)
    return policy.model_copy(update={"rules": rules})


def _admit(services: Services) -> None:
    today, audit = services.clock().date(), Audit(None, services.clock())
    services.registry.add_person(Person(ASKER.person, "Bench", Tier.VETTED), audit=audit)
    project = Project(
        ProjectId("bench"), "Bench", "Bench", today, date(today.year + 1, 12, 31), frozenset({ASKER.person}),
        ("DE", "FR", "IT", "ES", "PL", "NL"), frozenset({"aggregate-publication", "no-reidentification"}),
    )  # fmt: skip
    services.registry.add_project(project, audit=audit)
    services.registry.give_grant(Grant(DATASET, project.id, today, project.ends), audit=audit)


def relation(files: Sequence[Path]) -> str:
    """Return Parquet files as a relation of DuckDB."""
    return "read_parquet([" + ", ".join(f"'{file}'" for file in files) + "])"


def bare(sql: str) -> object:
    """Run in a new instance of DuckDB, as each statement of the portal does."""
    with duckdb.connect(config={"threads": THREADS}) as connection:
        return connection.sql(sql).to_arrow_table()


def bare_copy(sql: str) -> None:
    """Run a COPY in a new instance of DuckDB."""
    with duckdb.connect(config={"threads": THREADS}) as connection:
        connection.execute(sql)


def seconds(run: Callable[[], object]) -> float:
    """Return how long something takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def side_by_side(ours: Callable[[], object], theirs: Callable[[], object], rounds: int = ROUNDS) -> Mapping[str, float]:
    """Run both in turn, so that a machine whose speed drifts slows both; the ratio is that of each pair."""
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    return {
        "ours_s": statistics.median(mine for mine, _ in pairs),
        "theirs_s": statistics.median(other for _, other in pairs),
        "ratio": statistics.median(mine / other for mine, other in pairs),
        "extra_ms": statistics.median(1000 * (mine - other) for mine, other in pairs),
    }
