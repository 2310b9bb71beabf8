"""What holds for every request: a number to quote, no more bytes than a statement needs, an end that shows nothing."""

import secrets
import time
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from portal.api.metering import Meter
from portal.api.problems import is_problem, unforeseen, worded
from portal.api.rates import Rate, rate_fields

LARGEST_BODY = 1_000_000
"""Bytes of a request."""
HEADERS: Mapping[str, str] = MappingProxyType({"cache-control": "no-store", "x-content-type-options": "nosniff"})
"""Answers are one person's at one moment; no cache may keep them, where a route does not say otherwise."""


class Envelope:
    """Middleware: gives each request an id, bounds its body, and turns what nobody foresaw into a problem."""

    def __init__(self, app: ASGIApp, meter: Meter) -> None:
        """Stand before `app`, and tell the meter of each answer."""
        self._app = app
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._meter)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception as error:
            if (
                exchange.started
            ):  # what was sent cannot be taken back: the connection breaks, so that none takes it for whole
                raise
            await unforeseen(Request(scope), error)(scope, receive, exchange.send)


class _Exchange:
    """One request and what is sent back."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, meter: Meter) -> None:
        self.started = False
        self._scope, self._receive, self._send, self._meter = scope, receive, send, meter
        self._id, self._begun = secrets.token_hex(8), time.monotonic()
        self._rates: list[Rate] = []
        self._taken, self._dropped = 0, False
        scope.setdefault("state", {}).update(request_id=self._id, rates=self._rates)

    async def receive(self) -> Message:
        """Hand on a piece of the body, unless it is too much."""
        message = await self._receive()
        self._taken += len(message.get("body", b""))
        if self._taken > LARGEST_BODY:
            raise HTTPException(413)
        return message

    async def send(self, message: Message) -> None:
        """Hand on a piece of the answer; an error of the framework's own is said as every other is."""
        if self._dropped:
            return
        if message["type"] == "http.response.start":
            headers, status = MutableHeaders(scope=message), message["status"]
            if status >= HTTPStatus.BAD_REQUEST and not is_problem(headers.get("content-type", "")):
                await worded(Request(self._scope), status, headers)(self._scope, self._receive, self.send)
                self._dropped = True
                return
            self.started = True
            headers["Portal-Request"] = self._id
            for name, value in {**HEADERS, **rate_fields(self._rates)}.items():
                headers.setdefault(name, value)
            self._meter.note(self._scope, status, self._begun)
        await self._send(message)
