"""Fifty researchers at once, over HTTP, on a portal of its own process; against the same mix of one who is alone.

The scale is seconds of work. Researchers think between two requests, for times drawn from an exponential distribution:
fifty who ask without pause would measure the length of a queue, on however many processors. What is offered is so
`RESEARCHERS / THINK_SECONDS` requests a second.
"""

import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.serving import served
from portal.desk.answers import Asker
from portal.desk.publication import publish_release
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.desk.upkeep import build_workspaces
from portal.ids import DatasetName, PersonId, ProjectId
from portal.policy.model import Tier
from portal.policy.people import Grant, Person, Project
from portal.registry import Audit
from portal.settings import Settings
from portal.simulation import simulate
from portal.sql.plan import Statement
from portal.wiring import build_services, open_ledger

RESEARCHERS, REGISTERED_AMONG_THEM = 50, 15
PROJECTS = 10
THINK_SECONDS = 10.0
ALONE = 150
"""Requests of the one who is alone."""
STATEMENTS, DAILY = DatasetName("moderation_statements"), DatasetName("dsa_transparency_daily")
SCALE = 0.2
EXPLORED = (
    f"SELECT date_trunc('month', day) AS month, value, sum(statements) AS n FROM {DAILY} "
    "WHERE field = 'category' AND statements >= $salt GROUP BY ALL ORDER BY ALL"
)
SQL = (
    f"SELECT category, count(*) AS n, median(reporting_delay_days) AS days FROM {STATEMENTS} "
    "WHERE reporting_delay_days >= $salt OR $salt > 0 GROUP BY ALL ORDER BY ALL"
)
CELLS = (
    f"SELECT category, count(*) AS n FROM {STATEMENTS} GROUP BY category ORDER BY category",
    f"SELECT automated_decision, count(*) AS n FROM {STATEMENTS} GROUP BY automated_decision ORDER BY 1",
)
FILE = f"SELECT * FROM {DAILY} WHERE platform = 'Temu' AND statements >= $salt"
SAVED = "/queries/moderation/statements_by_month_and_category/run"


@dataclass
class Measured:
    """Seconds of each request by its kind, what failed, and the receipts of what was answered."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)

    @property
    def all_seconds(self) -> list[float]:
        """Of every kind, together."""
        return [one for many in self.seconds.values() for one in many]


class Researcher:
    """One person with a token, who asks this and that."""

    def __init__(self, address: str, token: str, *, vetted: bool, seed: int, measured: Measured) -> None:
        self._dice = random.Random(seed)
        self._measured = measured
        self._mix = VETTED if vetted else REGISTERED
        self._client = httpx.Client(
            base_url=f"{address}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=120
        )

    def work_until(self, ends: float) -> None:
        """Think and ask, until a moment of the monotonic clock."""
        with self._client:
            while (wakes := time.monotonic() + self._dice.expovariate(1 / THINK_SECONDS)) < ends:
                time.sleep(wakes - time.monotonic())
                self._ask()

    def work_without_pause(self, requests: int) -> None:
        """Ask so many times, one after the other."""
        with self._client:
            for _ in range(requests):
                self._ask()

    def _ask(self) -> None:
        [(name, ask)] = self._dice.choices([*KINDS.items()], [self._mix[kind] for kind in KINDS])
        started = time.perf_counter()
        for response in ask(self):
            if not response.is_success:
                self._measured.errors.append(f"{name}: {response.status_code} {response.text[:200]}")
            elif receipt := response.headers.get("portal-receipt"):
                self._measured.receipts.append(receipt)
        self._measured.seconds.setdefault(name, []).append(time.perf_counter() - started)

    def explore(self) -> Sequence[httpx.Response]:
        """Look at open counts, as Explore does."""
        return [self._query(EXPLORED, self._salt())]

    def sql(self) -> Sequence[httpx.Response]:
        """Ask of rows."""
        return [self._query(SQL, self._salt())]

    def cells(self) -> Sequence[httpx.Response]:
        """Ask of statistics."""
        return [self._query(self._dice.choice(CELLS), {})]

    def saved(self) -> Sequence[httpx.Response]:
        """Run a saved query."""
        since = date(2025, 1, 1) + timedelta(days=self._dice.randrange(300))
        return [self._client.post(SAVED, json={"parameters": {"since": str(since)}})]

    def download(self) -> Sequence[httpx.Response]:
        """Make a file, wait until it is there, and fetch it."""
        made = self._client.post("/downloads", json={"sql": FILE, "parameters": self._salt(), "format": "parquet"})
        told = made
        while told.is_success and told.json().get("state") in {"queued", "running"}:
            time.sleep(0.1)
            told = self._client.get(f"/downloads/{made.json()['id']}")
        return [told, self._client.get(f"/downloads/{told.json()['id']}/file")] if told.is_success else [told]

    def catalogue(self) -> Sequence[httpx.Response]:
        """Open the catalogue and a dataset's page."""
        return [self._client.get("/datasets"), self._client.get(f"/datasets/{STATEMENTS}")]

    def _query(self, sql: str, parameters: Mapping[str, int]) -> httpx.Response:
        return self._client.post("/query", json={"sql": sql, "parameters": parameters})

    def _salt(self) -> dict[str, int]:
        """Make a question one's own, most of the time, so that few answers are those that are kept."""
        return {"salt": self._dice.randrange(1, 10_000)}


KINDS: Mapping[str, Callable[[Researcher], Sequence[httpx.Response]]] = {
    "explore": Researcher.explore,
    "sql": Researcher.sql,
    "cells": Researcher.cells,
    "saved": Researcher.saved,
    "download": Researcher.download,
    "catalogue": Researcher.catalogue,
}
VETTED: Mapping[str, int] = {"explore": 25, "sql": 25, "cells": 0, "saved": 15, "download": 10, "catalogue": 25}
REGISTERED: Mapping[str, int] = {"explore": 25, "sql": 0, "cells": 25, "saved": 15, "download": 10, "catalogue": 25}


def measure(seconds: float) -> dict[str, Any]:
    """Return what one alone and fifty at once meet on a portal of its own, and what the portal holds in memory."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home", warm_sandboxes=4)
        tokens = _furnish(settings, Path(folder))
        with served("serve", settings) as (address, process):
            alone, together = Measured(), Measured()
            for place in (0, RESEARCHERS - 1):  # one of either kind, in the proportion of the fifty
                share = REGISTERED_AMONG_THEM if place else RESEARCHERS - REGISTERED_AMONG_THEM
                one = Researcher(address, tokens[place], vetted=not place, seed=-place, measured=alone)
                one.work_without_pause(ALONE * share // RESEARCHERS)
            memory = _work_together(address, tokens, seconds, together, psutil.Process(process.pid))
        return _found(settings, seconds, alone, together, memory)


def _work_together(
    address: str, tokens: Sequence[str], seconds: float, measured: Measured, process: psutil.Process
) -> tuple[int, int]:
    """Have all work; return the bytes that the portal holds after a third of the time, and at the end."""
    begun = time.monotonic()
    threads = [
        threading.Thread(
            target=Researcher(address, token, vetted=_is_vetted(place), seed=place, measured=measured).work_until,
            args=(begun + seconds,),
        )
        for place, token in enumerate(tokens)
    ]
    for thread in threads:
        thread.start()
    time.sleep(seconds / 3)
    third = process.memory_info().rss
    for thread in threads:
        thread.join()
    return third, process.memory_info().rss


def _found(
    settings: Settings, seconds: float, alone: Measured, together: Measured, memory: tuple[int, int]
) -> dict[str, Any]:
    ledger = open_ledger(settings)
    receipts = [*alone.receipts, *together.receipts]
    kinds = {
        name: {"alone_p95_s": _p95(alone.seconds[name]), "together_p95_s": _p95(together.seconds[name])}
        for name in KINDS
        if name in alone.seconds and name in together.seconds
    }
    return {
        "researchers": RESEARCHERS,
        "think_s": THINK_SECONDS,
        "seconds": seconds,
        "processors": os.cpu_count(),
        "requests": len(together.all_seconds),
        "errors": [*alone.errors, *together.errors],
        "receipts": len(receipts),
        "receipts_without_entry": sum(1 for each in receipts if ledger.find_receipt(each) is None),
        "ledger_faults": len(ledger.verify()),
        "median_s": {
            "alone": statistics.median(alone.all_seconds),
            "together": statistics.median(together.all_seconds),
        },
        "p95_s": {"alone": _p95(alone.all_seconds), "together": _p95(together.all_seconds)},
        "p95_ratio": _p95(together.all_seconds) / _p95(alone.all_seconds),
        "memory_bytes": {"after_a_third": memory[0], "at_the_end": memory[1]},
        "kinds": kinds,
    }


def _p95(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]


def _furnish(settings: Settings, folder: Path) -> list[str]:
    """Publish open counts and statements, admit everybody, and return their tokens: the vetted first."""
    services = build_services(settings)
    try:
        source = settings.site / "datasets" / DAILY / "source.parquet"
        publish_release(services, DAILY, [source], synthetic=False)
        publish_release(services, STATEMENTS, simulate(STATEMENTS, folder / "raw", SCALE, 1), synthetic=True)
        tokens = [_admit(services, place) for place in range(RESEARCHERS)]
        for place in range(RESEARCHERS):
            _make_ready(services, _asker(place))
        return tokens
    finally:
        services.sandbox.close()
        services.ledger.engine.dispose()


def _is_vetted(place: int) -> bool:
    return place < RESEARCHERS - REGISTERED_AMONG_THEM


def _asker(place: int) -> Asker:
    kind = "vetted" if _is_vetted(place) else "registered"
    return Asker(PersonId(f"r{place}"), ProjectId(f"{kind}-{place % PROJECTS}"))


def _make_ready(services: Services, asker: Asker) -> None:
    """Build governed copies and base cells ahead of their first use, as an operator does."""
    build_workspaces(services, asker)
    if asker.project and asker.project.startswith("registered"):
        run_statement(services, asker, Statement(CELLS[0]))


def _admit(services: Services, place: int) -> str:
    """Let a person in, to one of the projects of their kind, and return their token."""
    now = services.clock()
    audit, today = Audit(None, now), now.date()
    vetted, project = _is_vetted(place), _asker(place).project
    assert project is not None
    person = Person(_asker(place).person, f"Researcher {place}", Tier.VETTED if vetted else Tier.REGISTERED)
    services.registry.add_person(person, audit=audit)
    if services.registry.project(project) is None:
        ends = today + timedelta(days=300)
        undertakings = frozenset({"aggregate-publication", "no-reidentification"})
        made = Project(project, "Load", "Load", today, ends, frozenset({person.id}), ("DE", "FR", "IT"), undertakings)
        services.registry.add_project(made, audit=audit)
        services.registry.give_grant(Grant(STATEMENTS, project, today, ends), audit=audit)
    else:
        services.registry.add_member(project, person.id, audit=audit)
    _, secret = services.registry.issue_token(person.id, project, "load", now + timedelta(days=1), audit=audit)
    return secret


def section(found: Mapping[str, Any]) -> str:
    """Return what was measured as a part of the page."""
    memory, p95 = found["memory_bytes"], found["p95_s"]
    rows = "\n".join(
        f"| {name} | {one['alone_p95_s']:.3f} | {one['together_p95_s']:.3f} | "
        f"{one['together_p95_s'] / one['alone_p95_s']:.1f} |"
        for name, one in found["kinds"].items()
    )
    return f"""## {found["researchers"]} researchers at once

{found["seconds"]:.0f} s of mixed work over HTTP on {found["processors"]}
processors, each researcher thinking {found["think_s"]:.0f} s on average (exponentially) between two requests; against
the same mix of one alone. {found["requests"]:,} requests, {len(found["errors"])} errors; {found["receipts"]:,}
receipts, of which {found["receipts_without_entry"]} without an entry in the ledger. The portal's process held
{memory["after_a_third"] / 1e6:.0f} MB after a third of the time, {memory["at_the_end"] / 1e6:.0f} MB at the end.
Governed copies and base cells were built ahead.

| requests | alone, p95, s | together, p95, s | ratio |
|---|---|---|---|
{rows}
| **all** | {p95["alone"]:.3f} | {p95["together"]:.3f} | **{found["p95_ratio"]:.1f}** |
"""
