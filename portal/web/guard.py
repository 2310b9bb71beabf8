"""What stands before every page: which hosts and origins are answered, what is closed, and the headers of safety.

Pure ASGI, so that it sees the WebSocket as well as HTTP.
"""

import hashlib
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from importlib.resources import files
from ipaddress import ip_address
from re import findall
from typing import Any
from urllib.parse import urlsplit

from portal.api.problems import MEDIA_TYPE, refusal

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
CLOSED = ("/_stcore/metrics", "/_stcore/agent", "/_stcore/upload_file", "/_stcore/script-health-check")
"""Streamlit's own routes that a portal has no use for."""


class Guard:
    """Middleware: refuses foreign hosts and origins and closed routes, and adds the headers to all that it answers."""

    def __init__(self, app: Application, hosts: Iterable[str]) -> None:
        """Guard `app`, which answers to these host names only."""
        self._app = app
        self._hosts = frozenset(hosts)
        self._headers = security_headers()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif not is_admitted(scope, self._hosts):
            await self._refuse(scope, receive, send, 403)
        elif scope["path"].rstrip("/").startswith(CLOSED):
            await self._refuse(scope, receive, send, 404)
        else:
            await self._app(scope, receive, self._with_headers(send))

    def _with_headers(self, send: Send) -> Send:
        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                added = [(name, value) for name, value in self._headers if name not in own]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        return send_on

    async def _refuse(self, scope: Message, receive: Receive, send: Send, status: int) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"cache-control", b"no-store")]
        await self._with_headers(send)({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": refusal(status)})


def is_admitted(scope: Message, hosts: frozenset[str]) -> bool:
    """Whether a connection names one of our hosts, and comes from a page of ours where it says where from.

    A WebSocket must say so: browsers always do, and it is not bound by the rule of one origin.
    """
    host, origin = (_header(scope, name) for name in (b"host", b"origin"))
    if host is None or (urlsplit(f"//{host}").hostname or "") not in hosts:
        return False
    if origin is None:
        return bool(scope["type"] == "http")
    return urlsplit(origin).netloc.lower() == host.lower()


def hosts_of(host: str) -> frozenset[str]:
    """Return the names to answer to when bound to this host: its own and those of the loopback."""
    return LOOPBACK | {host.strip("[]").lower()}


def is_loopback(host: str) -> bool:
    """Whether a server bound to this host is reached from its own machine only."""
    bare = host.strip("[]")
    try:
        return bare == "localhost" or ip_address(bare).is_loopback
    except ValueError:
        return False


def security_headers() -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that every answer carries.

    Streamlit's page has one inline script, admitted by its hash; its styles are inline throughout.
    """
    policy = {
        "default-src": "'self'",
        "script-src": " ".join(("'self'", *_hashes_of_inline_scripts())),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    headers = {
        "content-security-policy": "; ".join(f"{name} {sources}" for name, sources in policy.items()),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    }
    return tuple((name.encode(), value.encode()) for name, value in headers.items())


def _hashes_of_inline_scripts() -> Iterable[str]:
    page = files("streamlit").joinpath("static/index.html").read_text(encoding="utf-8")
    for script in findall(r"(?s)<script>(.*?)</script>", page):
        yield f"'sha256-{b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _header(scope: Message, name: bytes) -> str | None:
    found = [value for key, value in scope["headers"] if key == name]
    return found[0].decode("latin-1") if len(found) == 1 else None
