"""Blocks over a protected dataset, end to end with history, against plain and naively exact SQL in bare DuckDB.

The plain form protects nobody. The naive exact ones are what a policy would otherwise have to be written as: `HAVING
count(DISTINCT entity) >= k`, and per-entity sums inside, which dominance needs. Each block is asked by a project of its
own (fresh), and asked again. Base cells are made beforehand; what that costs is told against a bare copy of the file.
"""

import itertools
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from benchmarks.world import ROUNDS, THREADS, bare, bare_copy, seconds
from portal.catalogue.dataset import Dataset
from portal.catalogue.release import Manifest
from portal.desk.bases import Protected, open_bases
from portal.desk.release import Releasing, release_blocks
from portal.disclosure.subject import Subject
from portal.engines.duckdb.trusted import DuckDBTrusted
from portal.ids import DatasetName, Fingerprint, ProjectId
from portal.policy.decision import Obligations
from portal.policy.model import Access, Disclosure, Limits, Obligation
from portal.sql.blocks import Aggregate, Atom, Block, Grouping, PublicJoin
from portal.workspaces.base_store import FileBaseStore
from portal.workspaces.history_store import FileHistoryStore

ROWS, ENTITIES = 2_000_000, 200_000
"""Rows at scale 1."""
ADS, COUNTRIES = DatasetName("ads"), DatasetName("countries")
TYPES: Mapping[str, str] = {
    "advertiser_id": "VARCHAR", "country": "VARCHAR", "placement": "VARCHAR", "format": "VARCHAR",
    "campaign_date": "DATE", "spend_eur": "DOUBLE", "impressions": "BIGINT",
}  # fmt: skip
_ROWS = """
    SELECT 'A' || lpad(CAST(CAST(floor({entities} * power(random(), 1.5)) AS INT) AS VARCHAR), 6, '0') AS advertiser_id,
      'C' || lpad(CAST(CAST(floor(30 * random() * random()) AS INT) AS VARCHAR), 2, '0') AS country,
      ['feed', 'search', 'video', 'story'][1 + CAST(floor(4 * random()) AS INT)] AS placement,
      ['image', 'text', 'film', 'list', 'map'][1 + CAST(floor(5 * random()) AS INT)] AS format,
      DATE '2024-01-01' + CAST(floor(731 * random()) AS INT) AS campaign_date,
      round(exp(3 + 1.5 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())), 2) AS spend_eur,
      CAST(floor(1000 * random()) AS BIGINT) AS impressions
    FROM range({rows})"""


def _by(*columns: str) -> tuple[Grouping, ...]:
    return tuple(Grouping(column.rpartition(".")[2], column, "value", None) for column in columns)


_MONTH = Grouping("month", "campaign_date", "trunc", "month")
_N = Aggregate("n", "count_rows", None, ())
_SPEND = Aggregate("spend", "sum", "spend_eur", ())
_FEED, _C01 = Atom("placement", "=", ("feed",)), Atom("country", "=", ("C01",))
_JOIN = PublicJoin("country", COUNTRIES, "code")


@dataclass(frozen=True, slots=True)
class _Shape:
    """A block, and the same in plain SQL: its keys, its figures with the sums that dominance looks at, its rows."""

    groupings: tuple[Grouping, ...]
    aggregates: tuple[Aggregate, ...]
    keys: tuple[str, ...]
    figures: str
    sums: tuple[str, ...] = ()
    where: str = "true"
    atoms: tuple[Atom, ...] = ()
    joins: tuple[PublicJoin, ...] = ()

    @property
    def block(self) -> Block:
        return Block("b", ADS, self.groupings, self.aggregates, self.atoms, self.joins, 1, 1)


_AVERAGE = Aggregate("average", "avg", "spend_eur", ())
_SHOWN = Aggregate("shown", "sum", "impressions", ())
_MONTH_SQL = "date_trunc('month', campaign_date)"
SHAPES: Mapping[str, _Shape] = {
    "one dimension": _Shape(_by("country"), (_N, _SPEND), ("country",), "count(*), sum(spend_eur)", ("spend_eur",)),
    "two dimensions": _Shape(
        _by("placement", "format"), (_N, _SPEND), ("placement", "format"), "count(*), sum(spend_eur)", ("spend_eur",)
    ),
    "months": _Shape((_MONTH,), (_N, _SPEND), (_MONTH_SQL,), "count(*), sum(spend_eur)", ("spend_eur",)),
    "months and country": _Shape((_MONTH, *_by("country")), (_N,), (_MONTH_SQL, "country"), "count(*)"),
    "several figures": _Shape(
        _by("placement"), (_N, _SPEND, _SHOWN, _AVERAGE), ("placement",),
        "count(*), sum(spend_eur), sum(impressions), avg(spend_eur)", ("spend_eur", "impressions"),
    ),
    "filter": _Shape(
        _by("placement"), (_N, _SPEND), ("placement",), "count(*), sum(spend_eur)", ("spend_eur",),
        "country = 'C01'", (_C01,),
    ),
    "filter clause": _Shape(
        _by("country"), (_N, Aggregate("feed", "sum", "spend_eur", (_FEED,))), ("country",),
        "count(*), sum(spend_eur) FILTER (placement = 'feed')", ("CASE WHEN placement = 'feed' THEN spend_eur END",),
    ),
    "distinct values": _Shape(
        _by("placement"), (Aggregate("n", "count_distinct", "advertiser_id", ()),
                           Aggregate("c", "count_distinct", "country", ())),
        ("placement",), "count(DISTINCT advertiser_id), count(DISTINCT country)",
    ),
    "public join": _Shape(
        _by("countries.region"), (_N, _SPEND), ("region",), "count(*), sum(spend_eur)", ("spend_eur",), joins=(_JOIN,)
    ),
    "no groups": _Shape((), (_N, _SPEND), (), "count(*), sum(spend_eur)", ("spend_eur",)),
}  # fmt: skip


def measure(scale: float) -> Mapping[str, object]:
    """Return by shape the median seconds of each way and the ratios to plain SQL, over `2,000,000 x scale` rows."""
    with tempfile.TemporaryDirectory() as folder:
        world = _World(Path(folder), int(ROWS * scale))
        made = seconds(world.make)
        with open_bases(world.source, world.engine, world.bases) as opened:
            cells = len(opened.cells.names)
        copied = seconds(lambda: bare_copy(f"COPY (FROM '{world.files}') TO '{Path(folder, 'copy')}' (FORMAT parquet)"))
        queries = {name: _measured(world, shape) for name, shape in SHAPES.items()}
        return {"rows": world.rows, "entities": ENTITIES, "cells": cells, "made_s": made, "copy_s": copied,
                "queries": queries}  # fmt: skip


class _World:
    """A published table, with all that releasing needs; every question of a new project has a new history."""

    def __init__(self, home: Path, rows: int) -> None:
        self.home, self.rows, self.files = home, rows, home / "ads.parquet"
        bare_copy(
            f"COPY ({_ROWS.format(entities=ENTITIES, rows=rows)}) TO '{self.files}' (FORMAT parquet, COMPRESSION zstd)"
        )
        regions = "SELECT 'C' || lpad(CAST(i AS VARCHAR), 2, '0') AS code, 'R' || CAST(i % 6 AS VARCHAR) AS region"
        bare_copy(f"COPY ({regions} FROM range(30) t(i)) TO '{home / 'countries.parquet'}' (FORMAT parquet)")
        self.engine, self.bases = DuckDBTrusted(threads=THREADS), FileBaseStore(home / "bases")
        self.source = Protected(_subject(), _manifest(), [self.files], ProjectId("p"))
        self._projects = itertools.count()

    def make(self) -> None:
        with open_bases(self.source, self.engine, self.bases):
            pass

    def project(self) -> ProjectId:
        return ProjectId(f"p{next(self._projects)}")

    def ask(self, block: Block, project: ProjectId) -> object:
        releasing = Releasing(
            project, self.engine, FileHistoryStore(self.home / "history"), self.bases,
            {COUNTRIES: [self.home / "countries.parquet"]}, lambda _: None,
        )  # fmt: skip
        return release_blocks([block], {ADS: replace(self.source, owner=project)}, releasing)


def _measured(world: _World, shape: _Shape) -> Mapping[str, float]:
    times: dict[str, list[float]] = {"plain": [], "fresh": [], "again": [], "distinct": [], "per_entity": []}
    for _ in range(ROUNDS):
        project = world.project()
        times["plain"].append(seconds(lambda: bare(_plain(world, shape))))
        times["fresh"].append(seconds(lambda: world.ask(shape.block, project)))  # noqa: B023 - run at once
        times["again"].append(seconds(lambda: world.ask(shape.block, project)))  # noqa: B023 - run at once
    times["distinct"].append(seconds(lambda: bare(_plain(world, shape, "HAVING count(DISTINCT advertiser_id) >= 10"))))
    times["per_entity"].append(seconds(lambda: bare(_per_entity(world, shape))))
    medians = {f"{way}_s": statistics.median(each) for way, each in times.items()}
    ratios = {way: [one / plain for one, plain in zip(times[way], times["plain"], strict=True)]
              for way in ("fresh", "again")}  # fmt: skip
    return medians | {f"{way}_ratio": statistics.median(each) for way, each in ratios.items()}


def _from(world: _World, shape: _Shape) -> str:
    joined = f" JOIN '{world.home / 'countries.parquet'}' c ON country = c.code" if shape.joins else ""
    return f"FROM '{world.files}'{joined} WHERE {shape.where}"


def _plain(world: _World, shape: _Shape, having: str = "") -> str:
    shown = ", ".join([*shape.keys, shape.figures])
    return f"SELECT {shown} {_from(world, shape)} {_grouped(shape.keys)} {having}"


def _per_entity(world: _World, shape: _Shape) -> str:
    names = [f"k{i}" for i in range(len(shape.keys))]
    keys = [f"{key} AS {name}" for key, name in zip(shape.keys, names, strict=True)]
    sums = [f"sum({column}) AS s{i}" for i, column in enumerate(shape.sums)]
    by = _grouped([*shape.keys, "advertiser_id"])
    inner = f"SELECT {', '.join([*keys, 'count(*) AS n', *sums])} {_from(world, shape)} {by}"
    looked = [f"sum(s{i}), sum(abs(s{i})), max(abs(s{i}), 2)" for i in range(len(sums))]
    shown = ", ".join([*names, "sum(n)", "count(*)", *looked])
    return f"SELECT {shown} FROM ({inner}) {_grouped(names)} HAVING count(*) >= 10"


def _grouped(keys: Sequence[str]) -> str:
    return f"GROUP BY {', '.join(keys)}" if keys else ""


def _subject() -> Subject:
    columns = {name: {"type": type_, "meaning": name} for name, type_ in TYPES.items()}
    dataset = Dataset.model_validate(
        {"dataset": "ads", "title": "Ads", "topic": "advertising", "description": "Ads.", "grain": "one ad and day",
         "entities": ["advertiser_id"], "legal_basis": ["DSA Art. 39"], "columns": columns, "citation": "Ads.",
         "provenance": {"publisher": "a benchmark", "licence": "none"}}
    )  # fmt: skip
    dimensions = {**dict.fromkeys(("country", "placement", "format"), "equal"), "campaign_date": {"range": "month"}}
    disclosure = Disclosure.model_validate(
        {"entities": {"advertiser_id": 10}, "measures": {"spend_eur": {"round": 100}, "impressions": {"round": 1000}},
         "dimensions": dimensions,
         "public_joins": {"country": "countries.code"}}
    )  # fmt: skip
    shown = dict.fromkeys(TYPES, Obligation(show=True))
    return Subject(
        dataset, Obligations(Access.AGGREGATES, shown, (), None, Limits(), disclosure, Fingerprint("p")), b""
    )


def _manifest() -> Manifest:
    return Manifest(
        dataset="ads", number=1, created_at=datetime.combine(date(2026, 1, 1), datetime.min.time(), UTC),
        tool_version="0", synthetic=True, columns={}, rows=0, rejected_rows=0, recipe_sha256="", sources=(), files=(),
    )  # fmt: skip


def section(found: Mapping[str, Any]) -> str:
    """Return what was measured as a part of the page."""
    queries = found["queries"]
    columns = ("plain_s", "fresh_s", "again_s", "distinct_s", "per_entity_s", "fresh_ratio", "again_ratio")
    rows = "\n".join(
        f"| {name} | {' | '.join(f'{one[column]:.3f}' for column in columns)} |" for name, one in queries.items()
    )
    fresh, again = ([one[way] for one in queries.values()] for way in ("fresh_ratio", "again_ratio"))
    return f"""## Released cells, end to end with history, against plain GROUP BY in bare DuckDB on the same file

{found["rows"]:,} rows, {found["entities"]:,} entities, {found["cells"]:,} base cells, two threads, medians of {ROUNDS}
rounds in turn. A fresh question is that of a project without history. The exact forms in plain SQL were run once.
Base cells were made in {found["made_s"] / found["copy_s"]:.1f} times the time of a bare copy of the file, once.

| block | plain, s | fresh, s | again, s | count(DISTINCT), s | per entity, s | fresh ratio | again ratio |
|---|---|---|---|---|---|---|---|
{rows}
| **median** | | | | | | **{statistics.median(fresh):.2f}** | **{statistics.median(again):.2f}** |
| **largest** | | | | | | **{max(fresh):.2f}** | **{max(again):.2f}** |
"""
