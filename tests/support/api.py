"""The API over a small portal, asked as a program asks it: over HTTP, with a token."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from httpx import ASGITransport, BaseTransport, Client, Request, Response
from support.portal import a_portal, a_token

from portal.api import create_api
from portal.clock import Clock, system_clock
from portal.desk.making import run_next
from portal.desk.services import Services

CSV = {"Accept": "text/csv"}


@contextmanager
def an_api(folder: Path, clock: Clock = system_clock) -> Iterator[tuple[Services, Client]]:
    """Give the services and a client whose token is of `vera` and the project `goods`."""
    with a_portal(folder, clock) as services:
        client = client_of(services)
        client.headers["Authorization"] = f"Bearer {a_token(services)}"
        yield services, client


def client_of(services: Services, api: FastAPI | None = None) -> Client:
    """Give a client without a token."""
    return Client(transport=InProcess(api or create_api(services)), base_url="http://portal")


class InProcess(BaseTransport):
    """Hands each request straight to the application, in an event loop of its own."""

    def __init__(self, app: FastAPI) -> None:
        self._transport = ASGITransport(app, raise_app_exceptions=False)

    def handle_request(self, request: Request) -> Response:
        return asyncio.run(self._answer(request))

    async def _answer(self, request: Request) -> Response:
        response = await self._transport.handle_async_request(request)
        return Response(response.status_code, headers=response.headers, content=await response.aread())


def ask(client: Client, sql: str, headers: dict[str, str] | None = None, **body: Any) -> Response:
    return client.post("/query", json={"sql": sql, **body}, headers=headers)


def download(services: Services, client: Client, **body: Any) -> dict[str, Any]:
    """Ask for a file, work on what is asked for, and return how it ended."""
    asked = client.post("/downloads", json=body)
    assert asked.status_code == 202, asked.text
    while run_next(services, "test"):
        pass
    ended: dict[str, Any] = client.get(asked.headers["location"]).json()
    return ended
