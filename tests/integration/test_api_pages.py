"""Lists and answers page by page, what is asked again only when it changed, and what is told of quotas."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from httpx import Client, Response
from support.api import CSV, an_api, ask, client_of, download
from support.portal import GOODS, OSCAR, SALES, a_token, hidden_in

from portal.api import create_api
from portal.api.examples import EXAMPLES
from portal.desk.making import run_next
from portal.ids import DatasetName
from portal.registry import Audit
from portal.workspaces.export import MANIFEST_KEY


def pages(client: Client, address: str, **headers: str) -> Iterator[Response]:
    """Follow the links from page to page."""
    following: str | None = address
    while following:
        response = client.get(following, headers=headers)
        assert response.status_code == 200, response.text
        yield response
        following = response.links["next"]["url"] if "next" in response.links else None


def test_a_list_in_pages_is_the_whole_list(tmp_path: Path) -> None:
    with an_api(tmp_path) as (services, client):
        for number in range(3):
            ask(client, f"SELECT {number} FROM holidays")
            download(services, client, sql=f"SELECT {number} AS n FROM holidays", format="csv")
        for address in ("/datasets", "/downloads", "/entries"):
            whole = client.get(address).json()
            assert len(whole) >= 3
            short = [response.json() for response in pages(client, f"{address}?limit=2")]
            assert [thing for page in short for thing in page] == whole
            assert [len(page) for page in short[:-1]] == [2] * (len(short) - 1)


def test_entries_are_ones_own_and_of_the_tokens_project(tmp_path: Path) -> None:
    with an_api(tmp_path) as (services, client):
        ask(client, SALES)
        services.registry.add_member(GOODS, OSCAR, audit=Audit(None, services.clock()))
        other = client_of(services)
        other.headers["Authorization"] = f"Bearer {a_token(services, OSCAR)}"
        assert [entry["action"] for entry in client.get("/entries").json()] == ["statement-ran"]
        assert other.get("/entries").json() == []


@pytest.mark.parametrize("media", ["text/csv", "application/json", "application/vnd.apache.arrow.stream"])
def test_an_answer_comes_again_in_pages_and_costs_nothing(tmp_path: Path, media: str) -> None:
    with an_api(tmp_path) as (_, client):
        asked = ask(client, SALES, CSV)
        address = f"/receipts/{asked.headers['portal-receipt']}/answer"
        short = list(pages(client, f"{address}?limit=1", Accept=media))
        left = ask(client, "SELECT country FROM sales LIMIT 1", CSV).headers["portal-rows-left-this-week"]
    assert len(short) == 3
    assert {page.headers["portal-receipt"] for page in short} == {asked.headers["portal-receipt"]}
    assert left == "36"
    if media == "text/csv":
        head, *rows = asked.text.splitlines()
        assert [page.text.splitlines() for page in short] == [[head, row] for row in rows]
    if media == "application/json":
        assert [len(page.json()["rows"]) for page in short] == [1, 1, 1]


def test_an_answer_is_not_given_again_to_others_nor_once_access_has_changed(tmp_path: Path) -> None:
    with an_api(tmp_path) as (services, client):
        address = f"/receipts/{ask(client, SALES).headers['portal-receipt']}/answer"
        audit = Audit(None, services.clock())
        services.registry.add_member(GOODS, OSCAR, audit=audit)
        other = client_of(services)
        other.headers["Authorization"] = f"Bearer {a_token(services, OSCAR)}"
        assert other.get(address).json()["code"] == "NO_SUCH_RECEIPT"
        assert client.get(f"{address}?offset=99", headers=CSV).text == "country,price,day\n"
        services.registry.revoke_grant(DatasetName("sales"), GOODS, audit=audit)
        refused = client.get(address)
        assert (refused.status_code, refused.json()["code"]) == (403, "ANSWER_OUTDATED")


def test_an_answer_that_is_never_twice_the_same_or_is_gone_is_not_given_again(tmp_path: Path) -> None:
    with an_api(tmp_path) as (_, client):
        chance = ask(client, "SELECT random() AS r FROM holidays").headers["portal-receipt"]
        kept = ask(client, SALES).headers["portal-receipt"]
        for path in (tmp_path / "home" / "results").glob("*/*.arrow"):
            path.write_bytes(b"x" + path.read_bytes()[1:])
        for receipt in (chance, kept):
            refused = client.get(f"/receipts/{receipt}/answer")
            assert (refused.status_code, refused.json()["code"]) == (404, "ANSWER_NOT_KEPT")


@pytest.mark.parametrize(
    "address",
    ["/datasets", "/datasets/sales", "/queries", "/datasets/sales/metadata.croissant.json", "/datasets?limit=2"],
)
def test_what_has_not_changed_is_not_sent_again(tmp_path: Path, address: str) -> None:
    with an_api(tmp_path) as (services, client):
        ask(client, SALES)  # builds the copy, whose rows the catalogue tells
        first = client.get(address)
        assert first.headers["cache-control"] == "private, no-cache"
        assert first.headers["vary"] == "Authorization"
        again = client.get(address, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200
        services.registry.revoke_grant(DatasetName("sales"), GOODS, audit=Audit(None, services.clock()))
        changed = client.get(address, headers={"If-None-Match": first.headers["etag"]})
        assert changed.status_code in (200, 404)


def test_quotas_are_told_and_one_request_too_many_says_when_to_come_back(tmp_path: Path) -> None:
    now = datetime(2026, 6, 1, 12, 0, 15, tzinfo=UTC)
    with an_api(tmp_path, lambda: now) as (services, client):
        answer = ask(client, SALES, CSV)
        assert answer.headers["ratelimit-policy"] == '"requests";q=600;w=60, "rows";q=40;w=604800'
        assert answer.headers["ratelimit"] == '"requests";r=599;t=45, "rows";r=37'
        token = client.headers["Authorization"]
        few = client_of(services, create_api(services, requests_per_minute=2))
        few.headers["Authorization"] = token
        assert [few.get("/me").status_code for _ in range(4)] == [200, 200, 429, 429]
        refused = few.get("/me")
        assert refused.json()["code"] == "TOO_MANY_REQUESTS"
        assert refused.headers["retry-after"] == "45"
        assert refused.headers["content-type"] == "application/problem+json"
        now = datetime(2026, 6, 1, 12, 1, 0, tzinfo=UTC)
        assert few.get("/me").status_code == 200


def test_a_range_that_is_not_there_is_a_problem_as_every_error_is(tmp_path: Path) -> None:
    with an_api(tmp_path) as (services, client):
        made = download(services, client, sql=f"{SALES} LIMIT 2", format="csv")
        for asked, status in (("bytes=9999-", 416), ("bytes=x-y", 400), ("lines=1-2", 400)):
            refused = client.get(f"/downloads/{made['id']}/file", headers={"Range": asked})
            assert refused.status_code == status
            assert refused.headers["content-type"] == "application/problem+json"
            assert refused.json()["request_id"] == refused.headers["portal-request"]
            assert int(refused.headers["content-length"]) == len(refused.content)
            assert not hidden_in(refused.content)


def test_a_file_says_in_its_own_metadata_what_it_is(tmp_path: Path) -> None:
    with an_api(tmp_path) as (services, client):
        made = download(services, client, sql=f"{SALES} LIMIT 2", format="parquet")
        (tmp_path / "it.parquet").write_bytes(client.get(f"/downloads/{made['id']}/file").content)
        policy = made["receipt"]["sources"][0]["policy"]
    metadata = {name.decode(): text.decode() for name, text in pq.read_schema(tmp_path / "it.parquet").metadata.items()}
    told = {name.removeprefix(f"{MANIFEST_KEY}."): text for name, text in metadata.items() if name != MANIFEST_KEY}
    citation = told.pop("citation")
    assert told == {
        "dataset": "sales",
        "release": "1",
        "policy": policy,
        "licence": "CC0-1.0",
        "errata": "sales/prices_rounded: Prices were rounded",
        "synthetic": "yes",
        "receipt": made["receipt"]["id"],
    }
    assert citation.startswith("Nobody (2026). Sales. Release 1 (synthetic data). Accessed ")
    assert json.loads(metadata[MANIFEST_KEY])["receipt"]["id"] == told["receipt"]


def shape(value: Any) -> Any:
    """Return the names in a value, all the way down; what is open in its names or empty is not looked into."""
    if isinstance(value, Mapping):
        return {name: shape(each) for name, each in value.items() if name not in OPEN}
    return [shape(value[0])] if isinstance(value, list) and value and isinstance(value[0], Mapping) else None


OPEN = {"codebook", "parameters", "columns", "faults", "errata"}


def test_the_reference_shows_an_example_of_every_answer_and_each_is_true_in_its_shape(tmp_path: Path) -> None:
    with an_api(tmp_path) as (services, client):
        asked = ask(client, SALES)
        queued = client.post("/downloads", json={"sql": f"{SALES} LIMIT 2", "format": "csv"}).json()
        downloads = client.get("/downloads").json()
        while run_next(services, "test"):
            pass
        given = {
            "datasets": client.get("/datasets?limit=1").json(),
            "dataset": client.get("/datasets/sales").json(),
            "queries": client.get("/queries").json(),
            "kept": client.post("/queries/own", json={"title": "Mine", "sql": SALES}).json(),
            "own_queries": client.get("/queries/own").json(),
            "queued": queued,
            "downloads": downloads,
            "download": client.get(f"/downloads/{queued['id']}").json(),
            "receipt": client.get(f"/receipts/{asked.headers['portal-receipt']}").json(),
            "entries": client.get("/entries").json()[-1:],
            "me": client.get("/me").json(),
        }
        schema = client.get("/openapi.json").json()
    assert {name: shape(value) for name, value in given.items()} == {
        name: shape(value) for name, value in EXAMPLES.items()
    }
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            shown = operation["responses"]
            assert "example" in shown["default"]["content"]["application/problem+json"]
            best = shown.get("200") or shown["202"]
            is_file = path.endswith(("/file", "metadata.{form}"))
            assert is_file or any("example" in media for media in best["content"].values()), (method, path)
            body = operation.get("requestBody")
            assert body is None or "$ref" in body["content"]["application/json"]["schema"]
    for name in ("StatementBody", "DownloadBody", "ParametersBody", "KeptBody"):
        assert schema["components"]["schemas"][name]["examples"]
