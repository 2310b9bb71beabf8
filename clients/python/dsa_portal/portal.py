"""The portal, as a researcher's program asks it."""

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
import pyarrow as pa

from dsa_portal.answer import Answer
from dsa_portal.download import fetch
from dsa_portal.http import Connection
from dsa_portal.problem import PortalProblem
from dsa_portal.progress import Progress, shown

ARROW = "application/vnd.apache.arrow.stream"
LOOK_EVERY = 0.5
"""Seconds between two looks at a download that is being made."""
Value = str | int | float | bool | None


class Portal:
    """A research portal, asked with one token: one person in one project.

    Raises `PortalProblem` wherever the portal refuses; asks again by itself where the portal is busy.
    """

    def __init__(  # noqa: PLR0913 - what one may set
        self,
        url: str,
        token: str,
        *,
        attempts: int = 5,
        timeout: float = 600,
        progress: Progress | None = shown,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Ask the portal at `url`.

        Args:
            url: The portal's address, without `/api/v1`.
            token: The secret that `portal tokens issue` printed.
            attempts: How often to ask, in all, a portal that is busy or not reached.
            timeout: Seconds to wait for an answer.
            progress: Told the share done and words, while a download is made and fetched; None: nobody is told.
            transport: How to reach the portal, where that is not by plain HTTP.
        """
        self._client = httpx.Client(base_url=f"{url.rstrip('/')}/api/v1", timeout=timeout, transport=transport)
        self._connection, self._progress = Connection(self._client, token, attempts), progress

    def query(self, sql: str, /, **parameters: Value) -> Answer:
        """Answer a statement; `$name` in it is given as `name=value`, days as text."""
        return self._ask("/query", {"sql": sql, "parameters": parameters})

    def run(self, name: str, /, **parameters: Value) -> Answer:
        """Run a saved query by its name, `topic/name`; what is left out has its default."""
        return self._ask(f"/queries/{quote(name)}/run", {"parameters": parameters})

    def again(self, receipt: str) -> Answer:
        """Return an answer that you were given before, by its receipt; it costs no rows."""
        address = f"/receipts/{quote(receipt, safe='')}/answer"
        tables, following = [], f"{address}?limit=100000"
        while following:
            response = self._connection.send("GET", following, {"Accept": ARROW})
            tables.append(_table(response))
            following = response.links["next"]["url"] if "next" in response.links else ""
        return Answer.from_table(pa.concat_tables(tables))

    def queries(self) -> list[dict[str, Any]]:
        """Return the saved queries that are open to you."""
        return list(self._connection.pages("/queries"))

    def datasets(self) -> list[dict[str, Any]]:
        """Return the datasets of which you may know, and how far each is open to you."""
        return list(self._connection.pages("/datasets"))

    def dataset(self, name: str) -> dict[str, Any]:
        """Return a dataset's codebook, releases, and your own access in words."""
        return self._json(f"/datasets/{quote(name, safe='')}")

    def metadata(self, name: str, form: str = "croissant.json") -> str:
        """Return a dataset's description in another form, e.g. `dcat.jsonld`, `datapackage.json` or `bib`."""
        address = f"/datasets/{quote(name, safe='')}/metadata.{quote(form, safe='')}"
        return self._connection.send("GET", address).text

    def receipt(self, receipt: str) -> dict[str, Any]:
        """Return one of your receipts, as it was recorded."""
        return self._json(f"/receipts/{quote(receipt, safe='')}")

    def me(self) -> dict[str, Any]:
        """Return who you are to the portal, and for which project this token is."""
        return self._json("/me")

    def download(self, sql: str, to: str | Path, /, *, format: str = "parquet", **parameters: Value) -> Path:  # noqa: A002 - the API's own word
        """Have a statement's whole answer made into a file, and fetch it; whole and checked, or not at all."""
        body = {"sql": sql, "format": format, "parameters": parameters}
        status = self._connection.send("POST", "/downloads", json=body).json()
        while status["state"] in ("queued", "running"):
            self._tell(status["share"] / 2, status["words"])
            time.sleep(LOOK_EVERY)
            status = self._json(f"/downloads/{status['id']}")
        if "problem" in status:
            raise PortalProblem.from_json(status["problem"], status["problem"]["status"])
        return self.fetch(status["id"], to)

    def fetch(self, download: str, to: str | Path) -> Path:
        """Fetch a file that is ready; one that was begun before goes on where it ended."""
        status = self._json(f"/downloads/{quote(download, safe='')}")
        return fetch(self._connection, status, Path(to), self._tell)

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        """Use the portal for the length of a block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the connection with the block."""
        self.close()

    def _ask(self, address: str, body: Mapping[str, Any]) -> Answer:
        return Answer.from_table(_table(self._connection.send("POST", address, {"Accept": ARROW}, json=body)))

    def _json(self, address: str) -> dict[str, Any]:
        found: dict[str, Any] = self._connection.send("GET", address).json()
        return found

    def _tell(self, share: float, words: str) -> None:
        if self._progress:
            self._progress(share, words)


def _table(response: httpx.Response) -> pa.Table:
    with pa.ipc.open_stream(response.content) as reader:
        return reader.read_all()
