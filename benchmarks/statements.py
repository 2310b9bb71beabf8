"""Row-access statements, end to end through the desk, against the same SQL in bare DuckDB on the same files."""

import statistics
from collections.abc import Mapping
from typing import Any

from benchmarks.world import ASKER, DATASET, ROUNDS, THREADS, World, a_world, bare, seconds, side_by_side
from portal.desk.preparing import prepare
from portal.desk.statements import run_statement
from portal.ids import ProjectId
from portal.sql.plan import Statement

WORKSPACE = ProjectId("bench")
PLANNED = 40
"""How often each query is planned."""
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


def measure(scale: float) -> Mapping[str, Any]:
    """Return for each query the seconds of both ways and their ratio, over `500,000 x scale` statements; and planning.

    Answers that are kept are forgotten before each run: what is measured is an answer that is computed.
    """
    with a_world(scale) as world:
        _answer(world, f"SELECT count(*) AS n FROM {DATASET}")
        files = world.governed_files()
        planning = [_plan(world, sql) for sql in QUERIES.values() for _ in range(PLANNED)]
        queries = {name: _compare(world, files, sql) for name, sql in QUERIES.items()}
    return {"rows": world.rows, "queries": queries, "plan_p95_ms": 1000 * statistics.quantiles(planning, n=20)[-1]}


def _compare(world: World, files: str, sql: str) -> Mapping[str, float]:
    return side_by_side(lambda: _answer(world, sql.format(t=DATASET)), lambda: bare(sql.format(t=files)))


def _answer(world: World, sql: str) -> object:
    world.services.spool.remove_project(WORKSPACE)
    return run_statement(world.services, ASKER, Statement(sql)).table()


def _plan(world: World, sql: str) -> float:
    return seconds(lambda: prepare(world.services, ASKER, Statement(sql.format(t=DATASET))))


def section(found: Mapping[str, Any]) -> str:
    """Return what was measured as a part of the page."""
    queries = found["queries"]
    rows = "\n".join(
        f"| {name} | {one['theirs_s']:.3f} | {one['ours_s']:.3f} | {one['ratio']:.2f} | {one['extra_ms']:.0f} |"
        for name, one in queries.items()
    )
    ratio, extra = (statistics.median(one[column] for one in queries.values()) for column in ("ratio", "extra_ms"))
    return f"""## Row-access statements, end to end through the desk, against bare DuckDB on the same files

{found["rows"]:,} rows published; both run over the governed copy, {THREADS} threads, medians of {ROUNDS} rounds in
turn. The desk's time holds looking up person and grant, planning, a process of its own, spooling and the ledger; no
answer is one that was kept. To plan and decide takes {found["plan_p95_ms"]:.1f} ms (95th percentile, warm).

| query | bare, s | desk, s | ratio | extra, ms |
|---|---|---|---|---|
{rows}
| **median** | | | **{ratio:.2f}** | **{extra:.0f}** |
"""
