"""What holds for every request: a number to quote, no more bytes than a statement needs, an end that shows nothing."""

import secrets
from collections.abc import Mapping
from types import MappingProxyType

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal.api.problems import unforeseen

LARGEST_BODY = 1_000_000
"""Bytes of a request."""
HEADERS: Mapping[str, str] = MappingProxyType({"cache-control": "no-store", "x-content-type-options": "nosniff"})
"""Answers are one person's at one moment; no cache may keep them."""


class Envelope:
    """Middleware: gives each request an id, bounds its body, and turns what nobody foresaw into a problem."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        taken, started = 0, False

        async def receive_bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > LARGEST_BODY:
                raise HTTPException(413)
            return message

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["Portal-Request"] = request_id
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive_bounded, send_with_headers)
        except Exception as error:
            if started:  # what was sent cannot be taken back; the connection breaks, so that nobody takes it for whole
                raise
            await unforeseen(Request(scope), error)(scope, receive, send_with_headers)
