import hashlib
import io
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from httpx import Response
from support.api import CSV, an_api, ask, client_of, download
from support.portal import SALES, VETTED, a_token, hidden_in

from portal.desk.links import sign_link
from portal.desk.making import run_next
from portal.ids import DownloadId
from portal.ledger import Action
from portal.workspaces.export import MANIFEST_KEY

EXPECTED_CSV = "country,price,day\nDE,10.5,2026-01-01\nFR,20.0,2026-01-02\nDE,,2026-01-03\n"


def test_the_same_rows_come_in_every_form_that_accept_names(tmp_path: Path) -> None:
    with an_api(tmp_path) as (_, client):
        csv, arrow, parquet, plain = (
            ask(client, SALES, {"Accept": media})
            for media in (
                "text/csv",
                "application/vnd.apache.arrow.stream",
                "application/vnd.apache.parquet",
                "application/json",
            )
        )
    assert csv.text == EXPECTED_CSV
    with pa.ipc.open_stream(arrow.content) as reader:
        rows = reader.read_all().to_pylist()
    assert [row["price"] for row in rows] == [10.5, 20.0, None]
    assert pq.read_table(io.BytesIO(parquet.content)).to_pylist() == rows
    assert plain.json()["rows"] == [[row["country"], row["price"], str(row["day"])] for row in rows]
    assert [column["name"] for column in plain.json()["columns"]] == ["country", "price", "day"]


def test_the_headers_say_all_that_is_to_be_known_of_an_answer(tmp_path: Path) -> None:
    with an_api(tmp_path) as (_, client):
        first, second = ask(client, SALES, CSV), ask(client, "SELECT country FROM sales LIMIT 1", CSV)
        receipt = client.get(f"/receipts/{first.headers['portal-receipt']}").json()
    told = {name: value for name, value in first.headers.items() if name.startswith("portal-")}
    del told["portal-request"], told["portal-receipt"]
    assert told == {
        "portal-rows": "3",
        "portal-complete": "yes",
        "portal-cells-withheld": "no",
        "portal-rows-left-this-week": "37",
        "portal-errata": "sales/prices_rounded",
        "portal-synthetic": "yes",
    }
    assert second.headers["portal-errata"] == ""
    assert second.headers["portal-rows-left-this-week"] == "36"
    assert first.headers["cache-control"] == "no-store"
    assert receipt["statement"] == SALES
    assert receipt["rows"] == 3


def test_parameters_are_bound_and_a_saved_query_has_its_defaults(tmp_path: Path) -> None:
    with an_api(tmp_path) as (_, client):
        bound = ask(client, "SELECT count(*) FROM sales WHERE country = $c", CSV, parameters={"c": "DE' OR 1=1"})
        listed = client.get("/queries").json()
        ran = client.post("/queries/traders/sales_by_country/run", json={"parameters": {"least": 15}}, headers=CSV)
        default = client.post("/queries/traders/sales_by_country/run", json={}, headers=CSV)
    assert bound.text == "count_star()\n0\n"
    assert [query["name"] for query in listed] == ["traders/sales_by_country"]
    assert ran.text == "country,sales\nFR,1\n"
    assert default.text == "country,sales\nDE,1\nFR,1\n"


def test_the_catalogue_shows_what_is_open_and_how_far(tmp_path: Path) -> None:
    with an_api(tmp_path) as (_, client):
        listed = {entry["name"]: entry["access"] for entry in client.get("/datasets").json()}
        one = client.get("/datasets/sales").json()
        package = client.get("/datasets/sales/metadata.datapackage.json").json()
        me = client.get("/me").json()
    assert listed == {"holidays": "rows", "sales": "rows", "traders": "aggregates"}
    assert one["releases"][0]["number"] == 1
    assert "You may query row by row." in one["access_in_words"]
    assert "recipe" not in one["codebook"]
    assert package["resources"][0]["schema"]["fields"][3]["type"] == "number"
    assert "(synthetic data)" in package["title"]
    assert me["person"] == {"id": "vera", "name": "Vera", "tier": "vetted"}
    assert me["project"] == "goods"


def test_a_download_is_asked_for_made_listed_and_fetched_with_its_manifest(tmp_path: Path) -> None:
    with an_api(tmp_path) as (services, client):
        asked = client.post("/downloads", json={"sql": f"{SALES} LIMIT 2", "format": "parquet"})
        told = asked.json()
        assert (asked.status_code, told["state"], told["before"]) == (202, "queued", 0)
        assert asked.headers["location"] == f"/downloads/{told['id']}"
        assert client.get(f"/downloads/{told['id']}/file").status_code == 404
        assert run_next(services, "test")
        assert not run_next(services, "test")
        made = client.get(asked.headers["location"]).json()
        assert (made["state"], made["receipt"]["rows"]) == ("ready", 2)
        assert [(each["id"], each["state"]) for each in client.get("/downloads").json()] == [(told["id"], "ready")]
        whole = client.get(f"/downloads/{made['id']}/file")
    assert hashlib.sha256(whole.content).hexdigest() == made["sha256"]
    assert whole.headers["content-length"] == str(made["bytes"]) == str(len(whole.content))
    assert made["filename"] in whole.headers["content-disposition"]
    assert whole.headers["portal-expires"]
    digest = b64encode(bytes.fromhex(made["sha256"])).decode()
    assert whole.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert pl.read_parquet(io.BytesIO(whole.content)).height == 2
    manifest = json.loads(pq.read_schema(io.BytesIO(whole.content)).metadata[MANIFEST_KEY.encode()])
    assert manifest["receipt"]["id"] == made["receipt"]["id"]
    assert manifest["synthetic"] is True


def test_a_file_is_fetched_in_ranges_only_as_long_as_it_is_the_same(tmp_path: Path) -> None:
    with an_api(tmp_path) as (services, client):
        made = download(services, client, sql=f"{SALES} LIMIT 2", format="csv")
        whole = client.get(f"/downloads/{made['id']}/file")

        def fetch(**headers: str) -> Response:
            return client.get(
                f"/downloads/{made['id']}/file", headers={name.replace("_", "-"): it for name, it in headers.items()}
            )

        size, etag = len(whole.content), whole.headers["etag"]
        assert etag == f'"{made["sha256"]}"'
        for asked, part in (("0-3", whole.content[:4]), ("7-", whole.content[7:]), ("-5", whole.content[-5:])):
            answer = fetch(Range=f"bytes={asked}")
            assert (answer.status_code, answer.content) == (206, part)
            assert answer.headers["content-length"] == str(len(part))
            assert answer.headers["content-range"].endswith(f"/{size}")
        beyond = fetch(Range=f"bytes={size}-")
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
        assert fetch(Range="bytes=0-3", If_Range=etag).status_code == 206
        assert fetch(Range="bytes=0-3", If_Range='"another"').content == whole.content
        same = fetch(If_None_Match=f'"another", {etag}')
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
        assert fetch(If_None_Match='"another"').status_code == 200


def test_the_ledger_has_each_fetch_and_the_ranges_of_a_minute_as_one(tmp_path: Path) -> None:
    now = [datetime(2026, 6, 1, 12, tzinfo=UTC)]
    with an_api(tmp_path, lambda: now[0]) as (services, client):
        made = download(services, client, sql=f"{SALES} LIMIT 2", format="csv")

        def fetches(times: int, headers: dict[str, str]) -> int:
            for _ in range(times):
                assert client.get(f"/downloads/{made['id']}/file", headers=headers).is_success
            return len(services.ledger.search(action=Action.DOWNLOAD_FETCHED, subject=made["id"]))

        assert fetches(5, {"Range": "bytes=0-3"}) == 1
        now[0] += timedelta(minutes=2)
        assert fetches(5, {"Range": "bytes=0-3"}) == 2
        assert fetches(2, {}) == 4
        now[0] += timedelta(days=8)
        client.headers["Authorization"] = f"Bearer {a_token(services)}"
        assert client.get(f"/downloads/{made['id']}").json()["state"] == "expired"
        assert client.get(f"/downloads/{made['id']}/file").json()["code"] == "DOWNLOAD_EXPIRED"


def test_a_download_that_is_cancelled_is_never_made(tmp_path: Path) -> None:
    with an_api(tmp_path) as (services, client):
        told = client.post("/downloads", json={"sql": SALES, "format": "csv"}).json()
        ended = client.post(f"/downloads/{told['id']}/cancel").json()
        assert (ended["state"], ended["problem"]["code"]) == ("failed", "CANCELLED")
        assert not run_next(services, "test")
        assert client.post("/downloads/none/cancel").status_code == 404


def test_a_signed_link_opens_its_one_download_and_no_other(tmp_path: Path) -> None:
    with an_api(tmp_path) as (services, client):
        one, other = (download(services, client, sql=f"{SALES} LIMIT {rows}", format="csv") for rows in (1, 2))
        link = sign_link(services, VETTED, DownloadId(one["id"]))
        del client.headers["Authorization"]
        assert client.get(f"/downloads/{one['id']}/file", params={"link": link}).status_code == 200
        assert client.get(f"/downloads/{other['id']}/file", params={"link": link}).status_code == 401


EVERYTHING = (
    "SELECT * FROM sales",
    "FROM sales SELECT DISTINCT id",
    "SELECT seller, min(id), max(id) FROM sales GROUP BY ALL",
    "SELECT country, count(*) FROM sales GROUP BY country",
    "SELECT s FROM sales AS s",
    "SUMMARIZE sales",
    "SELECT CAST(seller AS INTEGER) FROM sales",
    "SELECT error(seller) FROM sales",
    "SELECT * FROM parquet_metadata('sales')",
)


@pytest.mark.parametrize("media", ["text/csv", "application/json", "application/vnd.apache.arrow.stream"])
def test_nothing_hidden_is_in_any_body_or_header(tmp_path: Path, media: str) -> None:
    with an_api(tmp_path) as (services, client):
        responses = [ask(client, sql, {"Accept": media}) for sql in EVERYTHING]
        responses += [client.get(path) for path in ("/datasets", "/datasets/sales", "/queries", "/me", "/openapi.json")]
        responses.append(client.get("/datasets/sales/metadata.datapackage.json"))
        assert any(response.status_code == 200 for response in responses[: len(EVERYTHING)])
        for response in responses:
            assert not hidden_in(response.content), response.request.url
            assert not hidden_in(str(response.headers))
        home = str(services.downloads.parent)
        assert not any(home in response.text for response in responses)


def test_no_file_stays_behind_an_answer(tmp_path: Path) -> None:
    with an_api(tmp_path) as (_, client):
        ask(client, SALES, CSV)
        spooled = [path for path in (tmp_path / "home" / "results").rglob("*") if path.is_file()]
    assert sorted(path.suffix for path in spooled) == ["", ".arrow", ".json"], "a lock, the answer and its note"


def test_the_reference_needs_no_token_no_script_and_nothing_from_elsewhere(tmp_path: Path) -> None:
    with an_api(tmp_path) as (services, _):
        page = client_of(services).get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "POST /queries/{topic}/{name}/run" in page.text
    assert "<script" not in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
