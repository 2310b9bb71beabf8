from pathlib import Path

from support.api import an_api
from support.portal import OSCAR, SALES, a_token

from portal.registry import Audit


def test_a_kept_query_is_run_revised_forked_and_put_away(tmp_path: Path) -> None:
    with an_api(tmp_path) as (_, client):
        dearer = {
            "title": "Dearer",
            "sql": "SELECT country FROM sales WHERE price > $least",
            "parameters": {"least": 15},
        }
        kept = client.post("/queries/own", json=dearer).json()
        ran = client.post(f"/queries/{kept['name']}/run", json={"parameters": {"least": 5}})
        assert ran.headers["portal-rows"] == "2"
        path = f"/queries/own/{kept['id']}"
        assert client.post(path, json={"title": "All", "sql": SALES, "seen_by": "project"}).json()["version"] == 2
        assert [version["version"] for version in client.get(path).json()] == [2, 1]
        assert client.post("/queries/traders/sales_by_country/fork").json()["origin"] == "traders/sales_by_country"
        client.post(path, json={"title": "All", "sql": SALES, "seen_by": "nobody"})
        assert client.get(path).status_code == 404
        assert client.post(f"/queries/{kept['name']}/run", json={}).status_code == 404


def test_a_member_sees_what_is_shared_and_no_more(tmp_path: Path) -> None:
    with an_api(tmp_path) as (services, client):
        names = [
            client.post("/queries/own", json={"title": seen_by, "sql": SALES, "seen_by": seen_by}).json()["name"]
            for seen_by in ("owner", "project")
        ]
        services.registry.add_member("goods", OSCAR, audit=Audit(None, services.clock()))
        client.headers["Authorization"] = f"Bearer {a_token(services, OSCAR)}"
        assert [query["title"] for query in client.get("/queries/own").json()] == ["project"]
        codes = [client.post(f"/queries/{name}/run", json={}).status_code for name in names]
        assert codes == [404, 200]


def test_what_cannot_be_kept_is_a_problem_in_words(tmp_path: Path) -> None:
    with an_api(tmp_path) as (_, client):
        for body in ({"title": " ", "sql": SALES}, {"title": "x", "sql": SALES, "parameters": {"a": None}}):
            refused = client.post("/queries/own", json=body)
            assert (refused.status_code, refused.json()["code"]) == (400, "QUERY_NOT_KEPT")
