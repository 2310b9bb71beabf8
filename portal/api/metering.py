"""What an operator watches: metrics in Prometheus' text, and one line of the log for each request.

Labels and lines name routes, never addresses or queries: these may hold what somebody asked.
"""

import hmac
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from anyio import to_thread
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from portal.api.problems import MEDIA_TYPE, refusal
from portal.desk.services import Services
from portal.desk.watching import how_busy

LOG = logging.getLogger("portal.requests")
"""Has a line for each request, where the operator asked for it."""
_UNKNOWN = "none"
_METHODS = frozenset({"GET", "POST"})
"""The methods that routes take."""
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


class Meter:
    """Counts what one API answered."""

    def __init__(self) -> None:
        """Begin at nothing, in a registry of its own."""
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("portal_requests", "Requests answered.", labels, registry=self.registry)
        self._seconds = Histogram(
            "portal_request_seconds", "Seconds until a request was answered.", ("route",), registry=self.registry
        )
        self._busy = Gauge("portal_busy", "What runs and waits now.", ("what",), registry=self.registry)

    def text(self, busy: Mapping[str, int]) -> bytes:
        """Return everything counted, and how busy the portal is, as Prometheus reads it."""
        for what, number in busy.items():
            self._busy.labels(what).set(number)
        return generate_latest(self.registry)

    def note(self, scope: Scope, status: int, begun: float) -> None:
        """Count a request that began at this reading of the monotonic clock, and write its line."""
        route, seconds = getattr(scope.get("route"), "path", None) or _UNKNOWN, time.monotonic() - begun
        method = scope["method"] if scope["method"] in _METHODS else _UNKNOWN  # else anyone could make new labels
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        facts = {
            "request": scope["state"]["request_id"],
            "method": method,
            "route": route,
            "status": status,
            "seconds": round(seconds, 4),
        }
        LOG.info("answered", extra={"facts": facts})


@dataclass(frozen=True, slots=True)
class Metrics:
    """The page of metrics: for the own machine, or for who shows the operator's token; to all others, nothing."""

    services: Services
    meter: Meter
    token: str | None

    async def answer(self, request: Request) -> Response:
        """Answer one scrape."""
        if not self._may_read(request):
            return Response(refusal(404), 404, media_type=MEDIA_TYPE)
        text = self.meter.text(await to_thread.run_sync(how_busy, self.services))
        return Response(text, headers={"Cache-Control": "no-store", "Content-Type": CONTENT_TYPE_LATEST})

    def _may_read(self, request: Request) -> bool:
        shown = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.token:
            return hmac.compare_digest(shown.encode(), self.token.encode())
        return is_from_here(request)


def is_from_here(request: Request) -> bool:
    """Whether a request comes from this machine by itself, and not through a proxy that stands on it."""
    names = (request.client.host if request.client else "", request.url.hostname or "")
    return all(_is_loopback(name) for name in names) and not any(name in request.headers for name in _FORWARDED)


def _is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
