"""What a stranger on the network meets: closed doors, quiet headers, nothing of the inside. Over real connections."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx import ASGITransport, AsyncClient
from starlette.applications import Starlette
from starlette.routing import Route
from support.api import an_api, ask
from support.portal import SALES, a_token, hidden_in, services_of, write_portal
from support.serving import served
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from portal.api.envelope import LARGEST_BODY
from portal.api.metering import Meter, Metrics
from portal.web.asgi import LONGEST_MESSAGE, create_app

SECRET = "a-token-of-the-operator"
GUARDED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path]]:
    """Give the address of a portal that serves, a token for it, and its log."""
    folder = tmp_path_factory.mktemp("served")
    written = write_portal(folder)
    with services_of(written) as services:
        token = a_token(services)
    log = folder / "serve.log"
    settings = written.model_copy(update={"log_requests": True})
    with served(settings, log) as server:
        yield server.address, token, log


PLACES = (
    "/",
    "/no/such/page",
    "/_stcore/health",
    "/_stcore/metrics",
    "/api/v1/docs",
    "/api/v1/me",
    "/api/v1/nothing",
    "/metrics",
)


@pytest.mark.parametrize("place", PLACES)
def test_every_answer_has_the_headers_of_safety(running: tuple[str, str, Path], place: str) -> None:
    address, _, _ = running
    answer = httpx.get(f"{address}{place}")
    assert {name: answer.headers.get(name) for name in GUARDED} == GUARDED
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["frame-ancestors"] == "'none'"
    assert policy["object-src"] == "'none'"
    assert "unsafe" not in policy["script-src"]
    assert "server" not in answer.headers
    cookies = answer.headers.get_list("set-cookie")
    assert all(cookie.startswith("_streamlit_xsrf=") for cookie in cookies), "a page's script must read that one"
    assert all("SameSite=Lax" in cookie for cookie in cookies)


@pytest.mark.parametrize("place", PLACES)
def test_a_foreign_host_or_origin_is_refused_everywhere(running: tuple[str, str, Path], place: str) -> None:
    address, token, _ = running
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        answer = httpx.get(f"{address}{place}", headers={"Authorization": f"Bearer {token}", **headers})
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "HOST_REFUSED"
        assert "access-control-allow-origin" not in answer.headers


def test_a_websocket_is_for_pages_of_our_own_only(running: tuple[str, str, Path]) -> None:
    address, _, _ = running
    stream = f"{address.replace('http', 'ws')}/_stcore/stream"
    for origin in (None, "https://evil.example", "null", address.replace("127.0.0.1", "localhost")):
        with pytest.raises(InvalidStatus, match="403"):
            connect(stream, origin=origin).close()  # type: ignore[arg-type]  # any text is an origin to a stranger
    with connect(stream, origin=address) as socket:  # type: ignore[arg-type]
        assert socket.protocol.state.name == "OPEN"


def test_too_much_is_refused_before_it_is_read(running: tuple[str, str, Path]) -> None:
    address, token, _ = running
    bearer = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answer = httpx.post(f"{address}/api/v1/query", content=b" " * (LARGEST_BODY + 1), headers=bearer)
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")
    assert httpx.put(f"{address}/_stcore/upload_file/x/y", content=b"x").status_code == 404
    assert LONGEST_MESSAGE < 10_000_000


def test_metrics_count_routes_and_say_nothing_of_what_was_asked(running: tuple[str, str, Path]) -> None:
    address, token, log = running
    bearer = {"Authorization": f"Bearer {token}"}
    httpx.post(f"{address}/api/v1/query", json={"sql": SALES}, headers=bearer)
    httpx.get(f"{address}/api/v1/receipts/concealed-receipt?secret=concealed-word", headers=bearer)
    httpx.get(f"{address}/api/v1/downloads/x/file?link=concealed-link")
    httpx.get(f"{address}/api/v1/concealed/address")
    httpx.request("CONCEALED", f"{address}/api/v1/query", headers=bearer)
    text = httpx.get(f"{address}/metrics").text
    assert 'portal_requests_total{method="POST",route="/query",status="200"}' in text
    assert 'portal_busy{what="statements running"} 0.0' in text
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    assert {"request", "method", "route", "status", "seconds", "at"} <= lines[-1].keys()
    for told in (text, log.read_text()):
        assert "concealed" not in told.lower()
        assert "SELECT" not in told
        assert token not in told
        assert "vera" not in told


@pytest.mark.parametrize(
    "headers", [{"X-Forwarded-For": "10.0.0.1"}, {"Forwarded": "for=10.0.0.1"}, {"X-Real-IP": "::1"}]
)
def test_metrics_are_not_for_who_comes_through_a_proxy(running: tuple[str, str, Path], headers: dict[str, str]) -> None:
    address, _, _ = running
    answer = httpx.get(f"{address}/metrics", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


SCRAPES = (
    (None, "127.0.0.1", "127.0.0.1", None, 200),
    (None, "portal.example.org", "127.0.0.1", None, 404),
    (None, "127.0.0.1", "10.0.0.7", None, 404),
    (SECRET, "127.0.0.1", "127.0.0.1", None, 404),
    (SECRET, "portal.example.org", "10.0.0.7", SECRET, 200),
    (SECRET, "portal.example.org", "10.0.0.7", f"{SECRET}x", 404),
)


def test_metrics_are_for_this_machine_or_for_the_operators_token(tmp_path: Path) -> None:
    async def scrape(metrics: Metrics, host: str, client: str, shown: str | None) -> int:
        transport = ASGITransport(Starlette(routes=[Route("/metrics", metrics.answer)]), client=(client, 1))
        async with AsyncClient(transport=transport, base_url=f"http://{host}") as asking:
            headers = {"Authorization": f"Bearer {shown}"} if shown else {}
            return (await asking.get("/metrics", headers=headers)).status_code

    with services_of(write_portal(tmp_path)) as services:
        for token, host, client, shown, status in SCRAPES:
            assert asyncio.run(scrape(Metrics(services, Meter(), token), host, client, shown)) == status


def test_no_page_holds_a_secret_or_a_row(running: tuple[str, str, Path]) -> None:
    address, token, log = running
    master = (log.parent / "home" / "keys" / "master.key").read_bytes()
    for place in PLACES:
        body = httpx.get(f"{address}{place}", headers={"Authorization": f"Bearer {token}"}).content
        assert token.encode() not in body
        assert master not in body
        assert master.hex().encode() not in body
        assert str(log.parent).encode() not in body
        assert not hidden_in(body)


def test_what_is_one_persons_is_kept_by_no_cache(tmp_path: Path) -> None:
    with an_api(tmp_path) as (_, client):
        answers = [ask(client, SALES), client.get("/me"), client.get("/entries"), client.get("/nothing")]
        kept: list[Any] = [client.get("/datasets"), client.get("/queries")]
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    assert {answer.headers["cache-control"] for answer in kept} == {"private, no-cache"}


def test_no_route_takes_data_in_its_address(tmp_path: Path) -> None:
    with an_api(tmp_path) as (_, client):
        paths = client.get("/openapi.json").json()["paths"]
    named = {
        parameter["name"]
        for methods in paths.values()
        for operation in methods.values()
        for parameter in operation.get("parameters", [])
    }
    assert named == {"name", "form", "topic", "identifier", "limit", "after", "before", "offset", "link"}


def test_the_application_is_behind_the_guard(tmp_path: Path) -> None:
    settings = write_portal(tmp_path)
    with services_of(settings) as services:
        assert [each.cls.__name__ for each in create_app(settings, services)._user_middleware] == ["Guard"]
