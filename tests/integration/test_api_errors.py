from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import Client, Response
from support.api import an_api, ask, client_of, download
from support.portal import GOODS, OSCAR, RITA, SALES, VERA, a_token, hidden_in

from portal.api.bodies import LONGEST_SQL
from portal.api.envelope import LARGEST_BODY
from portal.clock import system_clock
from portal.desk.services import Services
from portal.ids import DatasetName
from portal.registry import Audit

ENDPOINTS = (
    ("GET", "/datasets"),
    ("GET", "/datasets/sales"),
    ("GET", "/datasets/sales/metadata.croissant.json"),
    ("POST", "/query"),
    ("GET", "/queries"),
    ("POST", "/queries/traders/sales_by_country/run"),
    ("POST", "/queries/traders/sales_by_country/fork"),
    ("GET", "/queries/own"),
    ("POST", "/queries/own"),
    ("GET", "/queries/own/abc"),
    ("POST", "/queries/own/abc"),
    ("POST", "/downloads"),
    ("GET", "/downloads"),
    ("GET", "/downloads/abc"),
    ("GET", "/downloads/abc/file"),
    ("POST", "/downloads/abc/cancel"),
    ("GET", "/entries"),
    ("GET", "/receipts/abc"),
    ("GET", "/receipts/abc/answer"),
    ("GET", "/me"),
)
JSON = {"Content-Type": "application/json"}
BODY = {"sql": "SELECT 1", "parameters": {}}


def is_problem(response: Response, status: int, code: str) -> bool:
    body = response.json()
    assert (response.status_code, body["code"]) == (status, code), body
    assert response.headers["content-type"] == "application/problem+json"
    assert body["status"] == status
    assert body["detail"]
    assert body["title"]
    assert body["faults"][0]["code"] == code
    assert body["request_id"] == response.headers["portal-request"]
    return not hidden_in(response.content)


def test_every_endpoint_is_in_the_list_above(tmp_path: Path) -> None:
    with an_api(tmp_path) as (_, client):
        paths = client.get("/openapi.json").json()["paths"]
    known = {
        (method, path.replace("abc", "{identifier}").replace("croissant.json", "{form}")) for method, path in ENDPOINTS
    }
    named = {
        (method.upper(), path.replace("{name}", "sales" if "datasets" in path else "sales_by_country"))
        for path, methods in paths.items()
        for method in methods
    }
    assert {(method, path.replace("{topic}", "traders")) for method, path in named} == known


@pytest.mark.parametrize(
    "credentials", [{}, {"Authorization": "Bearer no-such-token"}, {"Authorization": "Basic eDp5"}]
)
def test_every_endpoint_needs_a_good_token(tmp_path: Path, credentials: dict[str, str]) -> None:
    with an_api(tmp_path) as (services, _):
        stranger = client_of(services)
        for method, path in ENDPOINTS:
            response = stranger.request(
                method, path, headers=credentials, json=BODY if path != "/queries" and method == "POST" else None
            )
            if response.status_code == 400 and path.endswith("/run"):
                response = stranger.request(method, path, headers=credentials, json={"parameters": {}})
            assert is_problem(response, 401, "TOKEN_NEEDED"), path
            assert response.headers["www-authenticate"] == "Bearer"


def test_a_token_ends_when_it_expires_or_is_revoked_or_its_person_is_put_out(tmp_path: Path) -> None:
    late = timedelta()

    def clock() -> Any:
        return system_clock() + late

    with an_api(tmp_path, clock) as (services, client):
        audit = Audit(None, services.clock())
        token, secret = services.registry.issue_token(
            VERA, GOODS, "second", services.clock() + timedelta(days=9), audit=audit
        )
        services.registry.revoke_token(token.id, audit=audit)
        assert is_problem(client.get("/me", headers={"Authorization": f"Bearer {secret}"}), 401, "TOKEN_NEEDED")
        services.registry.set_active(VERA, active=False, audit=audit)
        assert is_problem(client.get("/me"), 401, "NOT_ADMITTED")
        services.registry.set_active(VERA, active=True, audit=audit)
        assert client.get("/me").status_code == 200
        late = timedelta(days=2)
        assert is_problem(client.get("/me"), 401, "TOKEN_NEEDED")


REFUSALS: tuple[tuple[str, int, str], ...] = (
    ("SELECT * FROM salaries", 422, "SQL_UNKNOWN_TABLE"),
    ("SELECT * FROM no_such_table", 422, "SQL_UNKNOWN_TABLE"),
    ("DROP TABLE sales", 422, "SQL_NOT_A_QUERY"),
    ("SELECT * FROM read_csv('/etc/passwd')", 422, "SQL_TABLE_FUNCTION"),
    ("SELECT FROM WHERE", 422, "SQL_SYNTAX"),
    ("SELECT nothing FROM sales", 422, "SQL_UNKNOWN_COLUMN"),
    ("SELECT trader FROM traders", 422, "P_ROWS"),
    ("SELECT * FROM sales WHERE price > $least", 400, "PARAMETER_MISSING"),
)


def test_each_refusal_has_its_status_its_code_and_its_place(tmp_path: Path) -> None:
    with an_api(tmp_path) as (_, client):
        for sql, status, code in REFUSALS:
            assert is_problem(ask(client, sql), status, code), sql
        body = ask(client, "SELECT price\nFROM salaries").json()
        assert (body["line"], body["column"]) == (2, 6)
        assert body["rule"]
        assert body["fix"]


def test_a_closed_table_reads_as_one_that_does_not_exist(tmp_path: Path) -> None:
    with an_api(tmp_path) as (_, client):
        for method, path in (
            ("POST", "/query"),
            ("GET", "/datasets/{}"),
            ("GET", "/datasets/{}/metadata.datapackage.json"),
        ):
            told = [
                client.request(
                    method, path.format(name), json={"sql": f"SELECT * FROM {name}"} if method == "POST" else None
                )
                for name in ("salaries", "whatever")
            ]
            closed, missing = (
                response.text.replace(response.headers["portal-request"], "").replace(name, "")
                for response, name in zip(told, ("salaries", "whatever"), strict=True)
            )
            assert closed == missing


def test_limits_are_told_as_limits(tmp_path: Path) -> None:
    with an_api(tmp_path) as (services, client):
        failed = download(services, client, sql=SALES, format="csv")
        assert (failed["state"], failed["problem"]["status"], failed["problem"]["code"]) == (
            "failed",
            429,
            "DOWNLOAD_ROWS",
        )
        for number in range(13):
            assert ask(client, f"SELECT price + {number} FROM sales").status_code == 200
        cut = ask(client, "SELECT price FROM sales")
        assert cut.status_code == 200 or is_problem(cut, 429, "WEEKLY_BUDGET")
        assert is_problem(ask(client, SALES), 429, "WEEKLY_BUDGET")
        assert ask(client, "SELECT price + 3 FROM sales").status_code == 200


MALFORMED: tuple[tuple[Callable[[Client], Response], int, str], ...] = (
    (lambda client: client.post("/query", content=b"{", headers=JSON), 400, "REQUEST_INVALID"),
    (lambda client: client.post("/query", content=b"{}"), 415, "MEDIA_TYPE"),
    (lambda client: client.post("/query", data={"sql": "SELECT 1"}), 415, "MEDIA_TYPE"),
    (
        lambda client: client.post("/downloads", content=b"<a/>", headers={"Content-Type": "text/xml"}),
        415,
        "MEDIA_TYPE",
    ),
    (lambda client: client.get("/datasets", params={"limit": 0}), 400, "REQUEST_INVALID"),
    (lambda client: client.get("/datasets", params={"after": "salaries"}), 400, "PAGE_UNKNOWN"),
    (lambda client: client.get("/datasets/sales/metadata.exe"), 404, "NOT_FOUND"),
    (lambda client: client.get("/datasets/salaries/metadata.dcat.jsonld"), 404, "NO_SUCH_DATASET"),
    (lambda client: client.get("/receipts/none/answer"), 404, "NO_SUCH_RECEIPT"),
    (lambda client: client.post("/query", json={}), 400, "REQUEST_INVALID"),
    (lambda client: client.post("/query", json={"sql": "SELECT 1", "engine": "x"}), 400, "REQUEST_INVALID"),
    (lambda client: ask(client, "x" * (LONGEST_SQL + 1)), 400, "REQUEST_INVALID"),
    (lambda client: client.post("/query", content=b" " * (LARGEST_BODY + 1)), 413, "BODY_TOO_LARGE"),
    (lambda client: client.post("/downloads", json={"sql": SALES, "format": "xlsx"}), 400, "REQUEST_INVALID"),
    (lambda client: ask(client, SALES, {"Accept": "text/html"}), 406, "NOT_ACCEPTABLE"),
    (lambda client: ask(client, SALES, project="other"), 403, "TOKEN_PROJECT"),
    (lambda client: client.get("/no/such/page"), 404, "NOT_FOUND"),
    (lambda client: client.get("/datasets/"), 404, "NOT_FOUND"),
    (lambda client: client.put("/query", json={}), 405, "METHOD_NOT_ALLOWED"),
    (lambda client: client.get("/receipts/none"), 404, "NO_SUCH_RECEIPT"),
    (lambda client: client.get("/downloads/none"), 404, "NO_SUCH_DOWNLOAD"),
    (lambda client: client.get("/downloads/none/file"), 404, "NO_SUCH_DOWNLOAD"),
    (lambda client: client.get("/downloads/none/file", params={"link": "x.y"}), 401, "LINK_EXPIRED"),
    (lambda client: client.post("/queries/a/b/run", json={}), 404, "NO_SUCH_QUERY"),
)


def test_what_is_not_well_formed_is_a_problem_too(tmp_path: Path) -> None:
    with an_api(tmp_path) as (_, client):
        for number, (send, status, code) in enumerate(MALFORMED):
            assert is_problem(send(client), status, code), number


def test_what_nobody_foresaw_shows_a_number_and_nothing_of_the_inside(tmp_path: Path) -> None:
    def broken_clock() -> Any:
        raise RuntimeError("/secret/path concealed-id")

    with an_api(tmp_path) as (services, client):
        token = client.headers["Authorization"]
        broken = replace(services, clock=broken_clock)
        response = client_of(broken).get("/me", headers={"Authorization": token})
        assert is_problem(response, 500, "INTERNAL")
        assert "secret" not in response.text


def test_a_foreign_token_opens_neither_downloads_nor_receipts(tmp_path: Path) -> None:
    with an_api(tmp_path) as (services, client):
        made = download(services, client, sql=f"{SALES} LIMIT 2", format="csv")
        receipt = ask(client, SALES).headers["portal-receipt"]
        audit = Audit(None, services.clock())
        services.registry.add_member(GOODS, OSCAR, audit=audit)
        other = client_of(services)
        other.headers["Authorization"] = f"Bearer {a_token(services, OSCAR)}"
        assert is_problem(other.get(f"/downloads/{made['id']}"), 404, "NO_SUCH_DOWNLOAD")
        assert is_problem(other.get(f"/downloads/{made['id']}/file"), 404, "NO_SUCH_DOWNLOAD")
        assert is_problem(other.get(f"/receipts/{receipt}"), 404, "NO_SUCH_RECEIPT")


def test_one_who_is_no_member_gets_nothing_by_a_token_of_the_project(tmp_path: Path) -> None:
    with an_api(tmp_path) as (services, _):
        stranger = client_of(services)
        stranger.headers["Authorization"] = f"Bearer {a_token(services, RITA)}"
        for method, path in (("GET", "/datasets"), ("GET", "/queries"), ("GET", "/downloads")):
            assert is_problem(stranger.request(method, path), 403, "NO_SUCH_PROJECT")
        assert is_problem(ask(stranger, SALES), 403, "NO_SUCH_PROJECT")


def revoke(services: Services) -> None:
    services.registry.revoke_grant(DatasetName("sales"), GOODS, audit=Audit(None, services.clock()))


def test_a_revoked_grant_closes_dataset_statement_and_download_at_once(tmp_path: Path) -> None:
    with an_api(tmp_path) as (services, client):
        made = download(services, client, sql=f"{SALES} LIMIT 2", format="csv")
        assert client.get(f"/downloads/{made['id']}/file").status_code == 200
        revoke(services)
        assert is_problem(ask(client, SALES), 422, "SQL_UNKNOWN_TABLE")
        assert is_problem(client.get("/datasets/sales"), 404, "NO_SUCH_DATASET")
        assert is_problem(client.get(f"/downloads/{made['id']}/file"), 404, "NO_SUCH_DATASET")
