"""A small portal to do harm to: every row bears the mark of the one project that may see it, and every answer is known.

Three projects study one Member State each. `sales` is open row by row, `holidays` to all as it is, `ads` as cells only.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
from pyroaring import BitMap
from support.aggregates import a_manifest

from portal.clock import Clock, system_clock
from portal.desk.answers import Asker
from portal.desk.publication import publish_release
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.ids import DatasetName, PersonId, ProjectId
from portal.ledger import Action
from portal.policy.model import Tier
from portal.policy.people import Grant, Person, Project
from portal.registry import Audit
from portal.settings import Settings
from portal.sql.plan import Statement
from portal.wiring import build_services
from portal.workspaces.history_store import FileHistoryStore

ROUNDS = int(os.environ.get("PORTAL_FAULT_ROUNDS", "0"))
"""How much harm is done; 0 is the short form, a few of everything."""
STATES = ("DE", "FR", "PL")
"""One project studies each; its id and its member's are the state's in small letters."""

_BECAUSE = "because: A reason that is long enough to be read."
_ALL = "download: {formats: [parquet, csv, arrow]}\n    limits: {rows_per_week: 900000000, seconds: 60, memory: 500MB}"
_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "sales": {"id": "VARCHAR", "mark": "VARCHAR", "country": "VARCHAR", "price": "BIGINT", "day": "DATE"},
    "holidays": {"day": "DATE", "name": "VARCHAR"},
    "ads": {"advertiser": "VARCHAR", "country": "VARCHAR", "placement": "VARCHAR", "month": "DATE", "spend": "DOUBLE"},
}
_RULES: Mapping[str, str] = {
    "sales": f"""\
  - for: {{tier: vetted, grant: required}}
    access: rows
    rows: country IN project.member_states
    columns: {{id: pseudonym}}
    {_ALL}
    {_BECAUSE}
""",
    "holidays": f"""\
  - for: {{tier: vetted}}
    access: rows
    {_ALL}
    {_BECAUSE}
""",
    "ads": f"""\
  - for: {{tier: vetted, grant: required}}
    access: aggregates
    disclosure:
      entities: {{advertiser: 10}}
      dimensions: {{country: equal, placement: equal, month: {{range: month}}}}
      measures: {{spend: {{round: 10}}}}
    {_BECAUSE}
""",
}
_RAW: Mapping[str, str] = {
    "sales": "SELECT 'id' || i AS id, ['DE', 'FR', 'PL'][1 + i % 3] || '-mark-' || i AS mark, "
    "['DE', 'FR', 'PL'][1 + i % 3] AS country, i % 97 AS price, DATE '2026-01-01' + (i % 150)::INT AS day "
    "FROM range(6000) t(i)",
    "holidays": "SELECT DATE '2026-01-01' + (i * 30)::INT AS day, 'holiday ' || i AS name FROM range(9) t(i)",
    "ads": "SELECT 'adv' || i % 60 AS advertiser, ['DE', 'FR', 'PL', 'IT'][1 + i * 7 % 4] AS country, "
    "['feed', 'search'][1 + i * 31 % 2] AS placement, DATE '2026-01-01' + (i * 13 % 120)::INT AS month, "
    "(i * 37 % 50)::DOUBLE AS spend FROM range(4000) t(i)",
}
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
{columns}"""
_POLICY = "dataset: {name}\nlegal_basis: DSA Art. 40(4)\nrules:\n{rules}"
_QUERY = """\
/*---
title: Sales by day
question: How many sales are there on each day?
why: To know.
reading: Each row is a day.
datasets: [sales]
tiers: [vetted]
parameters:
  least: {type: integer, label: Least price, default: 0}
---*/
SELECT day, count(*) AS sales, max(price) AS highest FROM sales WHERE price >= $least GROUP BY day ORDER BY day
"""
SAVED = "moderation/sales_by_day"

ROWS: Mapping[str, str] = {
    "rows": "SELECT mark, price, day FROM sales WHERE price >= $least AND $salt >= 0 ORDER BY mark",
    "slow": "SELECT count(*) AS n, sum(length(a.mark || b.mark)) AS letters, max(md5(a.mark || b.mark)) AS digest "
    "FROM sales a, sales b WHERE a.price >= $least AND b.price >= 48 AND $salt >= 0",
    "holidays": "SELECT day, name FROM holidays WHERE $least >= 0 AND $salt >= 0 ORDER BY day",
}
"""Statements over rows whose price is at least `$least`. `$salt` makes each a question of its own, never kept."""
CELLS: Mapping[str, str] = {
    "by country": "SELECT country, count(*) AS n, sum(spend) AS total FROM ads GROUP BY country ORDER BY country",
    "by placement": "SELECT placement, count(*) AS n FROM ads GROUP BY placement ORDER BY placement",
    "in all": "SELECT count(*) AS n, sum(spend) AS total FROM ads",
}
LEAST = (0, 40, 80)

Rows = list[dict[str, Any]]
Released = frozenset[tuple[Any, ...]]
"""Released cells as a history has them: figure, column, base cells and value of each."""


@dataclass(frozen=True, slots=True)
class World:
    """The portal's settings, its sources, each state's token, and what answers and histories must say."""

    settings: Settings
    sources: Mapping[str, Path]
    tokens: Mapping[str, str]
    rows: Mapping[tuple[str, str, int], Rows]
    cells: Mapping[str, Rows]
    released: Mapping[str, Released]

    @property
    def home(self) -> Path:
        return self.settings.home


def a_world(folder: Path, clock: Clock = system_clock) -> World:
    """Write site and home, published and peopled, and work out every answer.

    Answers over rows are worked out from the sources; those over cells are what a portal without faults says.
    """
    sources = {name: folder / f"{name}.parquet" for name in _RAW}
    site = _write_site(folder / "site")
    rows = _write_sources(sources)
    spare = Settings(site=site, home=folder / "spare", warm_sandboxes=1, threads=1)
    with services_over(spare, clock) as services:
        _furnish(services, sources)
        told = {name: _told(services, name, place) for place, name in enumerate(CELLS)}
    settings = spare.model_copy(update={"home": folder / "home"})
    with services_over(settings, clock) as services:
        _furnish(services, sources)
        tokens = {state: _token(services, state) for state in STATES}
    cells, released = ({name: pair[side] for name, pair in told.items()} for side in (0, 1))
    return World(settings, sources, tokens, rows, cells, released)


@contextmanager
def services_over(settings: Settings, clock: Clock = system_clock) -> Iterator[Services]:
    """Give the services of a portal in this process, and end what they started."""
    services = build_services(settings, clock)
    try:
        yield services
    finally:
        services.sandbox.close()
        services.ledger.engine.dispose()


def asker(state: str) -> Asker:
    return Asker(PersonId(state.lower()), ProjectId(state.lower()))


def history(home: Path, project: str, release: int) -> Released:
    """Return the cells that the project was given of a release of `ads`, as the history on disk has them."""
    manifest = a_manifest().model_copy(update={"number": release})
    found = FileHistoryStore(home / "history").update(ProjectId(project), manifest, lambda kept: (kept, kept))
    return frozenset(
        (
            entry.kind.figure,
            entry.kind.column,
            tuple(sorted(found.names[cell] for cell in BitMap.deserialize(entry.cells))),
            entry.value,
        )
        for entry in found.entries
    )


def forgotten(world: World) -> list[str]:
    """Return every statement over cells of which the ledger says that it was answered, and the history does not."""
    names = {sql: name for name, sql in CELLS.items()}
    with services_over(world.settings) as services:
        entries = services.ledger.search(action=Action.STATEMENT_RAN, limit=1_000_000)
    answered = {
        (str(entry.project), entry.details["sources"][0]["release"], names[entry.details["statement"]])
        for entry in entries
        if entry.details["statement"] in names
    }
    return [str(each) for each in sorted(answered) if not world.released[each[2]] <= history(world.home, *each[:2])]


def _told(services: Services, name: str, place: int) -> tuple[Rows, Released]:
    """Ask one statement over cells for a project that asks nothing else."""
    state = STATES[place]
    answer = run_statement(services, asker(state), Statement(CELLS[name]))
    return answer.table().to_pylist(), history(services.releases.root.parent, state.lower(), 1)


def _write_sources(sources: Mapping[str, Path]) -> dict[tuple[str, str, int], Rows]:
    saved = _QUERY.partition("*/")[2]
    with duckdb.connect() as connection:
        for name, select in _RAW.items():
            connection.execute(f"COPY ({select}) TO '{sources[name]}' (FORMAT parquet)")
        connection.execute(f"CREATE VIEW holidays AS FROM '{sources['holidays']}'")
        found = {}
        for state in STATES:
            connection.execute(f"CREATE OR REPLACE VIEW sales AS FROM '{sources['sales']}' WHERE country = '{state}'")
            for name, sql in {**ROWS, SAVED: saved}.items():
                for least in LEAST:
                    ready = sql.replace("$least", str(least)).replace("$salt", "0")
                    found[state, name, least] = connection.sql(ready).to_arrow_table().to_pylist()
        return found


def _furnish(services: Services, sources: Mapping[str, Path]) -> None:
    """Publish, admit the three projects with their members, and grant."""
    now = services.clock()
    audit, today = Audit(None, now), now.date()
    starts, ends = today - timedelta(days=30), today + timedelta(days=300)
    for name, source in sources.items():
        publish_release(services, DatasetName(name), [source], synthetic=True)
    for state in STATES:
        person, project = PersonId(state.lower()), ProjectId(state.lower())
        services.registry.add_person(Person(person, state, Tier.VETTED), audit=audit)
        services.registry.add_project(
            Project(project, state, "To know.", starts, ends, frozenset({person}), (state,)), audit=audit
        )
        for name in ("sales", "ads"):
            services.registry.give_grant(Grant(DatasetName(name), project, starts, ends), audit=audit)


def _token(services: Services, state: str) -> str:
    now, who = services.clock(), asker(state)
    assert who.project is not None
    _, secret = services.registry.issue_token(
        who.person, who.project, "test", now + timedelta(days=2), audit=Audit(None, now)
    )
    return secret


def _write_site(folder: Path) -> Path:
    files = {f"queries/{SAVED}.sql": _QUERY}
    for name, columns in _COLUMNS.items():
        described = "".join(f"  {column}: {{type: {kind}, meaning: Made up.}}\n" for column, kind in columns.items())
        files[f"datasets/{name}/dataset.yaml"] = _DATASET.format(name=name, columns=described)
        files[f"access_policies/{name}.yaml"] = _POLICY.format(name=name, rules=_RULES[name])
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
