import asyncio
from typing import Any

import pytest

from portal.web.guard import Guard, hosts_of, is_loopback, security_headers

HOSTS = hosts_of("portal.example.org")


async def _inside(scope: Any, _receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"inside"})
    else:
        await send({"type": "websocket.accept"})


def answer(kind: str = "http", path: str = "/", **headers: str) -> list[Any]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": kind, "path": path, "headers": [(key.encode(), value.encode()) for key, value in headers.items()]}
    asyncio.run(Guard(_inside, HOSTS)(scope, receive, send))
    return sent


@pytest.mark.parametrize("host", ["portal.example.org", "PORTAL.example.org:443", "127.0.0.1:8501", "[::1]:8501"])
def test_our_own_names_are_answered(host: str) -> None:
    assert answer(host=host)[0]["status"] == 200


@pytest.mark.parametrize("host", ["evil.example", "portal.example.org.evil.example", "127.0.0.1@evil.example", ""])
def test_foreign_hosts_are_refused(host: str) -> None:
    assert answer(host=host)[0]["status"] == 403
    assert answer("websocket", host=host, origin=f"http://{host}")[0]["type"] == "websocket.close"


def test_a_request_without_a_host_is_refused() -> None:
    assert answer()[0]["status"] == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8501"])
def test_foreign_origins_are_refused(origin: str) -> None:
    assert answer(host="127.0.0.1:8501", origin=origin)[0]["status"] == 403
    assert answer("websocket", host="127.0.0.1:8501", origin=origin)[0]["type"] == "websocket.close"


def test_a_websocket_must_say_where_it_comes_from() -> None:
    assert answer("websocket", host="127.0.0.1:8501")[0]["type"] == "websocket.close"
    accepted = answer("websocket", host="127.0.0.1:8501", origin="http://127.0.0.1:8501")
    assert accepted[0]["type"] == "websocket.accept"


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/metrics/", "/_stcore/agent/openapi.json"])
def test_streamlits_own_routes_without_use_are_closed(path: str) -> None:
    assert answer(path=path, host="localhost")[0]["status"] == 404


@pytest.mark.parametrize(
    ("path", "host"), [("/", "localhost"), ("/", "evil.example"), ("/_stcore/metrics", "localhost")]
)
def test_every_answer_carries_the_headers(path: str, host: str) -> None:
    headers = dict(answer(path=path, host=host)[0]["headers"])
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"referrer-policy"] == b"no-referrer"
    assert b"frame-ancestors 'none'" in headers[b"content-security-policy"]


def test_the_policy_admits_no_eval_no_foreign_source_and_no_inline_script() -> None:
    policy = dict(security_headers())[b"content-security-policy"].decode()
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts
    assert "'sha256-" in scripts
    assert "http" not in policy
    assert "*" not in policy


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("example.org", False),
    ],
)
def test_only_the_own_machine_is_loopback(host: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_loopback(host) is expected
