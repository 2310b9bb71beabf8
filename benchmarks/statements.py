"""Row-access statements, end to end through the desk, against the same SQL in bare DuckDB on the same files.

Both run in turn, so that a machine whose speed drifts slows both; what is reported is the ratio pair by pair.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import duckdb

from portal.clock import system_clock
from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.ids import DatasetName, PersonId, ProjectId
from portal.policy.model import Tier
from portal.policy.people import Grant, Person, Project
from portal.publishing.publish import publish
from portal.registry import Audit
from portal.settings import Settings
from portal.simulation import simulate
from portal.sql.plan import Statement
from portal.wiring import build_services

DATASET = DatasetName("moderation_statements")
ASKER = Asker(PersonId("bench"), ProjectId("bench"))
ROUNDS = 5
QUERIES: Mapping[str, str] = {
    "count": "SELECT count(*) AS n FROM {t}",
    "count by category": "SELECT category, count(*) AS n FROM {t} GROUP BY category ORDER BY n DESC",
    "by month and category": (
        "SELECT date_trunc('month', created_at) AS month, category, count(*) AS n FROM {t} GROUP BY ALL ORDER BY ALL"
    ),
    "one month": "SELECT count(*) AS n FROM {t} WHERE created_at BETWEEN DATE '2025-03-01' AND DATE '2025-03-31'",
    "share of automation": (
        "SELECT automated_decision, round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS share FROM {t} GROUP BY ALL"
    ),
    "distinct traders": "SELECT category, count(DISTINCT trader_ref) AS traders FROM {t} GROUP BY ALL",
    "median by category": "SELECT category, median(reporting_delay_days) AS hours FROM {t} GROUP BY ALL",
    "filter on a list": "SELECT count(*) AS n FROM {t} WHERE list_contains(territorial_scope, 'DE')",
    "top traders": "SELECT trader_ref, count(*) AS n FROM {t} GROUP BY ALL ORDER BY n DESC, trader_ref LIMIT 100",
    "self join": (
        "WITH t AS (SELECT trader_ref, count(*) AS n FROM {t} GROUP BY ALL) "
        "SELECT a.n, count(*) AS traders FROM t a JOIN t b USING (trader_ref) GROUP BY ALL ORDER BY ALL LIMIT 20"
    ),
    "running total": (
        "SELECT month, sum(n) OVER (ORDER BY month) AS total FROM "
        "(SELECT date_trunc('month', created_at) AS month, count(*) AS n FROM {t} GROUP BY ALL) ORDER BY ALL"
    ),
    "first hundred rows": "SELECT * FROM {t} ORDER BY created_at, statement_id LIMIT 100",
}


def measure(scale: float) -> Mapping[str, object]:
    """Return for each query the median seconds of both ways and their ratio, over `500,000 x scale` statements."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        services = build_services(Settings(home=home / "home"))
        try:
            rows = _publish(services, home, scale)
            copy = _governed_files(services)
            return {"rows": rows, "queries": {name: _pair(services, copy, sql) for name, sql in QUERIES.items()}}
        finally:
            services.sandbox.close()


def _publish(services: Services, home: Path, scale: float) -> int:
    sources = simulate(DATASET, home / "raw", scale, 1)
    dataset = services.site.datasets[DATASET]
    manifest = publish(
        dataset, sources, home / "home" / "releases", services.keys.platform, system_clock, synthetic=True
    )
    today, audit = services.clock().date(), Audit(None, services.clock())
    services.registry.add_person(Person(ASKER.person, "Bench", Tier.VETTED), audit=audit)
    project = Project(
        ProjectId("bench"), "Bench", "Bench", today, date(today.year + 1, 12, 31), frozenset({ASKER.person}),
        ("DE", "FR", "IT", "ES", "PL", "NL"), frozenset({"aggregate-publication", "no-reidentification"}),
    )  # fmt: skip
    services.registry.add_project(project, audit=audit)
    services.registry.give_grant(Grant(DATASET, project.id, today, project.ends), audit=audit)
    return manifest.rows


def _governed_files(services: Services) -> str:
    run_statement(services, ASKER, Statement(f"SELECT count(*) AS n FROM {DATASET}"))
    files = sorted((services.workspaces.root / "bench" / DATASET).glob("*.parquet"))
    return "read_parquet([" + ", ".join(f"'{file}'" for file in files) + "])"


def _pair(services: Services, files: str, sql: str) -> Mapping[str, float]:
    desk: list[float] = []
    bare: list[float] = []
    for _ in range(ROUNDS):
        desk.append(_seconds(lambda: run_statement(services, ASKER, Statement(sql.format(t=DATASET))).table()))
        bare.append(_seconds(lambda: _bare(sql.format(t=files))))
    extra = [1000 * (ours - theirs) for ours, theirs in zip(desk, bare, strict=True)]
    ratios = [ours / theirs for ours, theirs in zip(desk, bare, strict=True)]
    return {
        "desk_s": statistics.median(desk),
        "bare_s": statistics.median(bare),
        "ratio": statistics.median(ratios),
        "extra_ms": statistics.median(extra),
    }


def _bare(sql: str) -> object:
    """Run in a new instance, as each statement of the portal does."""
    with duckdb.connect(config={"threads": 2}) as connection:
        return connection.sql(sql).to_arrow_table()


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started
