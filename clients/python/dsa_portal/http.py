"""Requests that are sent again where that may help, and problems where it does not."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from dsa_portal.problem import PortalProblem

BUSY = (429, 503)
LONGEST_PAUSE = 60.0
"""Seconds; a portal that asks for more patience is believed to mean it, and the problem is raised."""


class Connection:
    """A portal's API as this token may ask it."""

    def __init__(
        self, client: httpx.Client, token: str, attempts: int, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client, self._attempts, self._sleep = client, attempts, sleep
        self._headers = {"Authorization": f"Bearer {token}", "User-Agent": "dsa-portal-client/0.1"}

    def send(self, method: str, address: str, headers: Mapping[str, str] | None = None, **more: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own arguments
        """Return the whole answer. Raises `PortalProblem`."""
        with self.stream(method, address, headers, **more) as response:
            response.read()
            return response

    @contextmanager
    def stream(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str] | None = None,
        **more: Any,  # noqa: ANN401 - httpx's own arguments
    ) -> Iterator[httpx.Response]:
        """Give an answer whose body comes piece by piece. Raises `PortalProblem`."""
        for attempt in range(1, self._attempts + 1):
            is_last = attempt == self._attempts
            try:
                with self._client.stream(
                    method, address, headers={**self._headers, **(headers or {})}, **more
                ) as found:
                    pause = _pause(found, attempt)
                    if pause is None or is_last:
                        _check(found)
                        yield found
                        return
            except httpx.ConnectError as error:  # nothing was sent, so that anything may be sent again
                if is_last:
                    raise _unreached(error) from error
                pause = _backed_off(attempt)
            except httpx.TransportError as error:
                raise _unreached(error) from error
            self._sleep(pause)

    def pages(self, address: str) -> Iterator[Any]:
        """Give every thing of a list, from page to page."""
        following: str | None = address
        while following:
            response = self.send("GET", following)
            yield from response.json()
            following = response.links["next"]["url"] if "next" in response.links else None


def _pause(response: httpx.Response, attempt: int) -> float | None:
    """Return after how many seconds to ask again; None where that would not help."""
    if response.status_code not in BUSY:
        return None
    named = response.headers.get("retry-after", "")
    if named.isdigit():
        return float(named) if float(named) <= LONGEST_PAUSE else None
    return _backed_off(attempt) if response.status_code == BUSY[1] else None  # 429 alone: a budget is used up


def _backed_off(attempt: int) -> float:
    return float(2 ** (attempt - 1) * random.uniform(0.5, 1.0))  # noqa: S311 - keeps clients apart, no secret


def _check(response: httpx.Response) -> None:
    if response.is_success:
        return
    response.read()
    try:
        told = response.json()
    except ValueError:
        told = {}
    raise PortalProblem.from_json(told if isinstance(told, dict) else {}, response.status_code)


def _unreached(error: httpx.TransportError) -> PortalProblem:
    detail = f"The portal could not be reached, or the connection broke: {type(error).__name__}."
    return PortalProblem(0, "NOT_REACHED", "No connection", detail, fix="See that the address is right, and try again.")
