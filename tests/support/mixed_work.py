"""What researchers do all day, over HTTP, each answer held against the true one."""

import hashlib
import io
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
from support.faulty import CELLS, LEAST, ROWS, SAVED, STATES, Rows, World

ARROW = {"Accept": "application/vnd.apache.arrow.stream"}
SHORTAGES = {
    "RECORDS_BUSY",
    "RECORDS_UNAVAILABLE",
    "PORTAL_BUSY",
    "TOO_MANY_WAITING",
    "DISK_FULL",
    "DISK_FAILED",
    "HISTORY_NOT_WRITTEN",
}
DEATHS = {"ENGINE_CRASHED", "SANDBOX_UNAVAILABLE"}
"""Codes with which a portal may say that a fault kept it from answering."""


@dataclass
class Seen:
    """What came of the work: how much of each kind, the receipts of whole answers, and everything that is wrong."""

    done: Counter[str] = field(default_factory=Counter)
    receipts: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


class UntrueError(Exception):
    """An answer that is not the true one."""


class Researcher:
    """One project's member at work."""

    def __init__(self, world: World, address: str, state: str, seed: str, seen: Seen) -> None:
        self._world, self._state, self._seen = world, state, seen
        self._dice = random.Random(seed)
        self._client = httpx.Client(
            base_url=f"{address}/api/v1", headers={"Authorization": f"Bearer {world.tokens[state]}"}, timeout=60
        )

    def work(self, steps: int) -> None:
        """Do so many things, and note how each ended; stops when the portal is gone."""
        with self._client:
            for _ in range(steps):
                name = self._dice.choice([*STEPS])
                try:
                    STEPS[name](self)
                    self._seen.done[name] += 1
                except httpx.TransportError:
                    self._seen.done["hung up"] += 1
                    return
                except UntrueError as error:
                    self._seen.wrong.append(f"{self._state} {name}: {error}")

    def rows(self) -> None:
        self._ask("rows", ROWS["rows"])

    def slow(self) -> None:
        self._ask("slow", ROWS["slow"])

    def holidays(self) -> None:
        self._ask("holidays", ROWS["holidays"])

    def saved(self) -> None:
        least = self._dice.choice(LEAST)
        answer = self._post(f"/queries/{SAVED}/run", {"parameters": {"least": least}}, ARROW)
        self._check(answer, self._world.rows[self._state, SAVED, least])

    def cells(self) -> None:
        name = self._dice.choice([*CELLS])
        self._check(self._post("/query", {"sql": CELLS[name]}, ARROW), self._world.cells[name])

    def download(self) -> None:
        least = self._dice.choice(LEAST)
        made = self._post("/downloads", self._body(ROWS["rows"], least) | {"format": "parquet"})
        if made is None:
            return
        facts = made.json()
        while facts.get("state") in {"queued", "running"}:
            time.sleep(0.05)
            got = self._got(self._client.get(f"/downloads/{facts['id']}"))
            if got is None:
                return
            facts = got.json()
        if facts["state"] == "failed":  # its sandbox died, and it says so
            if not facts["problem"]["code"].startswith(("ENGINE_", "SANDBOX_")):
                raise UntrueError(f"a download failed without cause: {facts['fault']['code']}")
            return
        file = self._got(self._client.get(f"/downloads/{facts['id']}/file"))
        if file is None:
            return
        if hashlib.sha256(file.content).hexdigest() != facts["sha256"]:
            raise UntrueError("the file is not the one that its checksum is of")
        self._compare(pq.read_table(io.BytesIO(file.content)), self._world.rows[self._state, "rows", least])

    def catalogue(self) -> None:
        listed = self._got(self._client.get("/datasets"))
        if listed is not None and {one["name"] for one in listed.json()} != {"sales", "holidays", "ads"}:
            raise UntrueError("the catalogue is not whole")

    def _ask(self, name: str, sql: str) -> None:
        least = self._dice.choice(LEAST)
        answer = self._post("/query", self._body(sql, least), ARROW)
        self._check(answer, self._world.rows[self._state, name, least])

    def _body(self, sql: str, least: int) -> dict[str, Any]:
        return {"sql": sql, "parameters": {"least": least, "salt": self._dice.randrange(10**9)}}

    def _post(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> httpx.Response | None:
        return self._got(self._client.post(path, json=body, headers=headers))

    def _got(self, response: httpx.Response) -> httpx.Response | None:
        """Return a success; note a failure that says what it must, and call any other untrue."""
        if response.is_success:
            if "Portal-Receipt" in response.headers:
                self._seen.receipts.add(response.headers["Portal-Receipt"])
            return response
        problem = response.json()
        self._seen.done[problem["code"]] += 1
        if problem["code"] not in SHORTAGES | DEATHS:
            raise UntrueError(f"{response.status_code} {problem}")
        if str(self._world.home) in response.text or "-mark-" in response.text:
            raise UntrueError(f"an error tells too much: {problem}")
        return None

    def _check(self, response: httpx.Response | None, true: Rows) -> None:
        if response is not None:
            self._compare(pa.ipc.open_stream(response.content).read_all(), true)

    def _compare(self, table: pa.Table, true: Rows) -> None:
        found = table.to_pylist()
        for other in STATES:
            if other != self._state and any(f"{other}-mark-" in str(value) for row in found for value in row.values()):
                raise UntrueError(f"rows of {other} reached {self._state}")
        if found != true:
            raise UntrueError(f"{len(found)} rows, of which the first is {found[:1]}; not {len(true)}, {true[:1]}")


STEPS: Mapping[str, Callable[[Researcher], None]] = {
    step.__name__: step
    for step in (
        Researcher.rows,
        Researcher.slow,
        Researcher.holidays,
        Researcher.saved,
        Researcher.cells,
        Researcher.download,
        Researcher.catalogue,
    )
}


def work(world: World, address: str, seed: str, steps: int, meanwhile: Callable[[], None] = lambda: None) -> Seen:
    """Have two members of every project work at once, and do something meanwhile."""
    seen = Seen()
    with ThreadPoolExecutor(2 * len(STATES)) as pool:
        ends = [
            pool.submit(Researcher(world, address, state, f"{seed} {state} {number}", seen).work, steps)
            for state in STATES
            for number in range(2)
        ]
        meanwhile()
        for end in ends:
            end.result()
    return seen
