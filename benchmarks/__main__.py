"""`python -m benchmarks [SCALE]`: measures, prints, and writes `docs/performance.md` and `benchmarks/results.json`."""

import json
import platform
import statistics
import sys
from pathlib import Path
from typing import Any

from benchmarks import cells, load, statements

PAGE = Path("docs/performance.md")
RESULTS = Path("benchmarks/results.json")
DEFAULT_SCALE = 10.0


def main() -> None:
    """Measure everything and write it down."""
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_SCALE
    measured: dict[str, Any] = {"python": platform.python_version(), "statements": statements.measure(scale)}
    measured["cells"] = cells.measure(scale)
    RESULTS.write_text(json.dumps(measured, indent=2) + "\n")
    under_load = load.section(json.loads(load.RESULTS.read_text()))
    PAGE.write_text(_page(measured["statements"]) + _cells_page(measured["cells"]) + "\n" + under_load)
    print(PAGE.read_text())


def _page(found: dict[str, Any]) -> str:
    queries = found["queries"]
    rows = "\n".join(
        f"| {name} | {one['bare_s']:.3f} | {one['desk_s']:.3f} | {one['ratio']:.2f} | {one['extra_ms']:.0f} |"
        for name, one in queries.items()
    )
    return f"""# Performance

Written by `make bench`. Ratios are of runs side by side in one run; single times are of one noisy machine.

## Row-access statements, end to end through the desk, against bare DuckDB on the same files

{found["rows"]:,} rows published; both run over the governed copy, two threads, medians of {
        statements.ROUNDS
    } rounds in turn.
The desk's time holds looking up person and grant, planning, a process of its own, spooling and the ledger.

| query | bare, s | desk, s | ratio | extra, ms |
|---|---|---|---|---|
{rows}
| **median** | | | **{statistics.median(one["ratio"] for one in queries.values()):.2f}** | **{
        statistics.median(one["extra_ms"] for one in queries.values()):.0f}** |
"""


def _cells_page(found: dict[str, Any]) -> str:
    queries = found["queries"]
    columns = ("plain_s", "fresh_s", "again_s", "distinct_s", "per_entity_s", "fresh_ratio", "again_ratio")
    rows = "\n".join(
        f"| {name} | {' | '.join(f'{one[column]:.3f}' for column in columns)} |" for name, one in queries.items()
    )
    fresh, again = ([one[way] for one in queries.values()] for way in ("fresh_ratio", "again_ratio"))
    return f"""
## Released cells, end to end with history, against plain GROUP BY in bare DuckDB on the same file

{found["rows"]:,} rows, {found["entities"]:,} entities, {found["cells"]:,} base cells, two threads, medians of {
        cells.ROUNDS
    } rounds in turn. A fresh question is that of a project without history. The exact forms in plain SQL were run once.
Base cells were made in {found["made_s"] / found["copy_s"]:.1f} times the time of a bare copy of the file, once.

| block | plain, s | fresh, s | again, s | count(DISTINCT), s | per entity, s | fresh ratio | again ratio |
|---|---|---|---|---|---|---|---|
{rows}
| **median** | | | | | | **{statistics.median(fresh):.2f}** | **{statistics.median(again):.2f}** |
| **largest** | | | | | | **{max(fresh):.2f}** | **{max(again):.2f}** |
"""


if __name__ == "__main__":
    main()
