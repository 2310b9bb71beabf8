"""A filtered download as Parquet, through the desk, against a bare COPY of the same rows; and its memory by size."""

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

import psutil

from benchmarks.world import ASKER, DATASET, THREADS, World, a_world, bare_copy, side_by_side
from portal.desk.making import make_download
from portal.desk.statements import run_statement
from portal.ids import ProjectId
from portal.sql.plan import Statement

SIZES = (1_000_000, 20_000_000)
"""Most rows of a download; it is smaller where fewer are granted."""
ROUNDS = 3
LOOK_EVERY = 0.02
"""Seconds between two looks at the memory of this process and its children."""
_FILTERED = "SELECT * FROM {t} WHERE decision_ground = 'DECISION_GROUND_INCOMPATIBLE_CONTENT' LIMIT {rows}"


def measure(scale: float) -> Mapping[str, Any]:
    """Return for each size the seconds of both ways, their ratio, and the most bytes that were held meanwhile."""
    with a_world(scale) as world:
        run_statement(world.services, ASKER, Statement(f"SELECT count(*) AS n FROM {DATASET}"))
        return {"published": world.rows, "sizes": [_download(world, rows) for rows in SIZES]}


def _download(world: World, rows: int) -> Mapping[str, float]:
    files, target = world.governed_files(), world.home / "bare.parquet"
    statement = Statement(_FILTERED.format(t=DATASET, rows=rows))
    copy = f"COPY ({_FILTERED.format(t=files, rows=rows)}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
    made: list[int] = []

    def ours() -> None:
        world.services.spool.remove_project(ProjectId("bench"))
        made.append(make_download(world.services, ASKER, statement, "parquet").rows)

    before = _held()
    peak = _peak(ours)
    return {"rows": made[0], "held_before": before, "peak_bytes": peak} | dict(
        side_by_side(ours, lambda: bare_copy(copy), ROUNDS)
    )


def _peak(run: Callable[[], None]) -> int:
    """Return the most memory that this process and its children held while something ran."""
    done, seen = threading.Event(), [0]

    def watch() -> None:
        while not done.wait(LOOK_EVERY):
            seen.append(_held())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        run()
    finally:
        done.set()
        watcher.join()
    return max(seen)


def _held() -> int:
    """Return the bytes that this process and its children hold by themselves; what they share counts once."""
    total, own = 0, psutil.Process(os.getpid())
    for process in (own, *own.children(recursive=True)):
        try:
            total += int(process.memory_full_info().pss)
        except psutil.Error:
            continue
    return total


def section(found: Mapping[str, Any]) -> str:
    """Return what was measured as a part of the page."""
    rows = "\n".join(
        f"| {one['rows']:,} | {one['theirs_s']:.2f} | {one['ours_s']:.2f} | {one['ratio']:.2f} | "
        f"{one['held_before'] / 1e6:,.0f} | {one['peak_bytes'] / 1e6:,.0f} |"
        for one in found["sizes"]
    )
    return f"""## A download of filtered rows as Parquet, through queue, sandbox and manifest, against a bare COPY

Both over the governed copy of {found["published"]:,} published rows, {THREADS} threads, zstd; medians of
{ROUNDS} rounds in turn. Memory is that of the portal with all its processes.

| rows | bare COPY, s | portal, s | ratio | memory before, MB | most memory, MB |
|---|---|---|---|---|---|
{rows}
"""
