import hashlib
import io
import json
from base64 import b64encode
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.api import CSV, an_api, ask, client_of
from support.portal import SALES, VETTED, hidden_in

from portal.desk.links import sign_link
from portal.ids import DownloadId
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


def test_a_download_is_made_listed_and_fetched_whole_and_in_ranges(tmp_path: Path) -> None:
    with an_api(tmp_path) as (_, client):
        response = client.post("/downloads", json={"sql": f"{SALES} LIMIT 2", "format": "parquet"})
        made = response.json()
        assert response.status_code == 201
        assert response.headers["location"] == f"/downloads/{made['id']}/file"
        assert [each["id"] for each in client.get("/downloads").json()] == [made["id"]]
        assert client.get(f"/downloads/{made['id']}").json()["receipt"]["rows"] == 2
        whole = client.get(f"/downloads/{made['id']}/file")
        part = client.get(f"/downloads/{made['id']}/file", headers={"Range": "bytes=0-3"})
    assert hashlib.sha256(whole.content).hexdigest() == made["sha256"]
    assert whole.headers["etag"] == f'"{made["sha256"]}"'
    digest = b64encode(bytes.fromhex(made["sha256"])).decode()
    assert whole.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert made["filename"] in whole.headers["content-disposition"]
    assert (part.status_code, part.content) == (206, b"PAR1")
    assert pl.read_parquet(io.BytesIO(whole.content)).height == 2
    manifest = json.loads(pq.read_schema(io.BytesIO(whole.content)).metadata[MANIFEST_KEY.encode()])
    assert manifest["receipt"]["id"] == made["receipt"]["id"]
    assert manifest["synthetic"] is True


def test_a_signed_link_opens_its_one_download_and_no_other(tmp_path: Path) -> None:
    with an_api(tmp_path) as (services, client):
        one, other = (
            client.post("/downloads", json={"sql": f"{SALES} LIMIT {rows}", "format": "csv"}).json() for rows in (1, 2)
        )
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
