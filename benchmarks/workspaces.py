"""Building a governed copy against a bare COPY of the same rows and columns, masked in SQL the same way."""

from collections.abc import Mapping
from typing import Any

import duckdb

from benchmarks.world import ASKER, DATASET, THREADS, World, a_world, relation, side_by_side
from portal.desk.preparing import prepare
from portal.desk.upkeep import build_workspaces
from portal.ids import ProjectId
from portal.publishing.releases import release_folder
from portal.sql.plan import Statement
from portal.workspaces.plan import GovernedFile, plan_copy

ROUNDS = 3
WORKSPACE = ProjectId("bench")


def measure(scale: float) -> Mapping[str, Any]:
    """Return the seconds of each way and the ratios, over `500,000 x scale` statements."""
    with a_world(scale) as world:
        files = _plan(world)
        return {
            "published": world.rows,
            "files": len(files),
            "sorted": side_by_side(lambda: _build(world), lambda: _copy(world, files, sort=True), ROUNDS),
            "unsorted": side_by_side(lambda: _build(world), lambda: _copy(world, files, sort=False), ROUNDS),
        }


def _plan(world: World) -> tuple[GovernedFile, ...]:
    prepared = prepare(world.services, ASKER, Statement(f"SELECT count(*) AS n FROM {DATASET}"))
    dataset, manifest = world.services.site.datasets[DATASET], prepared.manifests[DATASET]
    key = world.services.keys.project(WORKSPACE)
    return plan_copy(dataset, manifest, prepared.permits[DATASET].obligations, WORKSPACE, key)


def _build(world: World) -> None:
    world.services.workspaces.remove(WORKSPACE)
    build_workspaces(world.services, ASKER)


def _copy(world: World, files: tuple[GovernedFile, ...], *, sort: bool) -> None:
    """Write each governed file with one COPY; a governed copy is sorted by what it shows, so the fair one is too."""
    release = release_folder(world.home / "releases", DATASET, 1)
    with duckdb.connect(config={"threads": THREADS}) as connection:
        for place, file in enumerate(files):
            select = file.select if sort else file.select.removeprefix("SELECT * FROM (").rpartition(") ORDER BY")[0]
            source = relation([release / origin.path for origin in file.origins])
            target = world.home / f"bare-{place}.parquet"
            connection.execute(f"CREATE OR REPLACE TEMP VIEW source AS FROM {source}")
            connection.execute(f"COPY ({select}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")


def section(found: Mapping[str, Any]) -> str:
    """Return what was measured as a part of the page."""
    rows = "\n".join(
        f"| {name} | {found[way]['theirs_s']:.2f} | {found[way]['ours_s']:.2f} | {found[way]['ratio']:.2f} |"
        for way, name in (("sorted", "sorted as a governed copy is"), ("unsorted", "in the release's own order"))
    )
    return f"""## Building a governed copy, against a bare COPY of the same projection

{found["published"]:,} published rows into {found["files"]} files, {THREADS} threads, zstd; medians of {ROUNDS} rounds
in turn. A masked copy is sorted anew, so that the order of its rows tells nothing of what is masked.

| bare COPY | bare, s | portal, s | ratio |
|---|---|---|---|
{rows}
"""
