"""The Python client against the real API: in the process, and once over a real connection."""

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest
from support.api import InProcess, an_api
from support.portal import SALES, a_token, hidden_in, services_of, write_portal
from support.serving import served

from dsa_portal import Answer, Portal, PortalProblem
from dsa_portal.http import Connection
from portal.api import create_api
from portal.desk.making import run_next
from portal.desk.services import Services

FLAKY = "flaky"
Answers = Callable[[httpx.Request], httpx.Response]


class Before(httpx.BaseTransport):
    """Stands before the API: answers the first requests by itself."""

    def __init__(self, api: httpx.BaseTransport, *answers: Answers) -> None:
        self._api, self._answers = api, list(answers)
        self.seen: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if self._answers:
            return self._answers.pop(0)(request)
        request.url = request.url.copy_with(path=request.url.path.removeprefix("/api/v1"))
        return self._api.handle_request(request)


@contextmanager
def a_client(folder: Path, *answers: Answers) -> Iterator[tuple[Services, Portal, Before]]:
    with an_api(folder) as (services, client):
        transport = Before(InProcess(create_api(services)), *answers)
        token = client.headers["Authorization"].removeprefix("Bearer ")
        with Portal("http://portal", token, transport=transport, progress=None) as portal:
            yield services, portal, transport


def test_an_answer_comes_in_every_form_with_all_that_is_to_be_known_of_it(tmp_path: Path) -> None:
    with a_client(tmp_path) as (_, portal, _):
        answer = portal.query("SELECT country, price FROM sales WHERE price > $least ORDER BY price", least=5)
    rows = [{"country": "DE", "price": 10.5}, {"country": "FR", "price": 20.0}]
    assert answer.arrow().to_pylist() == rows
    assert answer.polars().to_dicts() == rows
    assert answer.pandas().to_dict("records") == rows
    assert answer.duckdb().aggregate("sum(price)").fetchall() == [(30.5,)]
    assert answer.receipt["parameters"] == {"least": 5}
    assert answer.cite().startswith("Nobody (2026). Sales. Release 1 (synthetic data). Accessed ")
    assert [erratum["id"] for erratum in answer.errata] == ["prices_rounded"]
    assert (answer.complete, answer.withheld, answer.synthetic, len(answer)) == (True, False, True, 2)
    assert "2 rows, synthetic data, erratum: Prices were rounded" in repr(answer)
    assert "<td>10.5</td>" in answer._repr_html_()


def test_a_withheld_figure_is_told(tmp_path: Path) -> None:
    with a_client(tmp_path) as (_, portal, _):
        told = portal.query("SELECT country, sum(fee) AS fees FROM traders GROUP BY country")
    assert told.withheld
    assert "figures withheld" in repr(told)


def test_what_is_refused_is_one_exception_that_says_where_and_what_to_do(tmp_path: Path) -> None:
    with a_client(tmp_path) as (_, portal, _), pytest.raises(PortalProblem) as refused:
        portal.query("SELECT country,\n  prise FROM sales")
    problem = refused.value
    assert (problem.status, problem.line, problem.column) == (422, 2, 3)
    assert problem.code.startswith("SQL_")
    assert problem.fix
    assert problem.request_id
    assert f"{problem.code} (line 2, column 3): " in str(problem)
    assert not hidden_in(str(problem))


def test_saved_queries_catalogue_and_receipts_are_there(tmp_path: Path) -> None:
    with a_client(tmp_path) as (_, portal, _):
        assert [dataset["name"] for dataset in portal.datasets()] == ["holidays", "sales", "traders"]
        assert portal.dataset("sales")["codebook"]["dataset"] == "sales"
        assert json.loads(portal.metadata("sales", "datapackage.json"))["name"] == "sales"
        [saved] = portal.queries()
        answer = portal.run(saved["name"], least=15)
        assert answer.arrow().to_pylist() == [{"country": "FR", "sales": 1}]
        assert portal.receipt(answer.receipt["id"])["rows"] == 1
        assert portal.again(answer.receipt["id"]).arrow().equals(answer.arrow())
        assert portal.me()["project"] == "goods"


@contextmanager
def working(services: Services) -> Iterator[None]:
    """Make downloads meanwhile, as a serving portal does."""
    done = Event()

    def work() -> None:
        while not done.wait(0.05):
            run_next(services, "test")

    worker = Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        done.set()
        worker.join()


def test_a_download_is_made_fetched_checked_and_goes_on_where_it_ended(tmp_path: Path) -> None:
    with a_client(tmp_path) as (services, portal, before), working(services):
        whole = portal.download(f"{SALES} LIMIT $n", tmp_path, format="csv", n=2)
        content = whole.read_bytes()
        assert content == b"country,price,day\nDE,10.5,2026-01-01\nFR,20.0,2026-01-02\n"
        [made] = portal._connection.pages("/downloads")
        target = tmp_path / "again.csv"
        part = tmp_path / f".again.csv.{made['sha256'][:12]}.part"
        part.write_bytes(content[:10])
        assert portal.fetch(made["id"], target).read_bytes() == content
        assert before.seen[-1].headers["range"] == "bytes=10-"
        part.write_bytes(b"x" * len(content))
        with pytest.raises(PortalProblem, match="CHECKSUM"):
            portal.fetch(made["id"], target)
        assert not part.exists()
        assert target.read_bytes() == content


def test_a_download_that_fails_says_why(tmp_path: Path) -> None:
    with a_client(tmp_path) as (services, portal, _), working(services), pytest.raises(PortalProblem) as refused:
        portal.download(SALES, tmp_path / "it.csv", format="csv")
    assert (refused.value.code, refused.value.status) == ("DOWNLOAD_ROWS", 429)
    assert "LIMIT" in str(refused.value)
    assert not list(tmp_path.glob("*.csv"))


def says(status: int, **headers: str) -> Answers:
    return lambda _: httpx.Response(status, headers={name.replace("_", "-"): it for name, it in headers.items()})


def breaks(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route", request=request)


@pytest.mark.parametrize(
    ("answers", "pauses"),
    [
        ((says(429, retry_after="7"), says(503)), [7.0, "about 2"]),
        ((breaks, says(503, retry_after="0")), ["about 1", 0.0]),
    ],
)
def test_a_portal_that_is_busy_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: tuple[Answers, ...], pauses: list[object]
) -> None:
    slept: list[float] = []
    with a_client(tmp_path, *answers) as (_, portal, before):
        monkeypatch.setattr(portal._connection, "_sleep", slept.append)
        assert portal.me()["project"] == "goods"
    assert len(before.seen) == 3
    for pause, expected in zip(slept, pauses, strict=True):
        assert pause == expected or (
            isinstance(expected, str) and float(expected[-1]) / 2 <= pause <= float(expected[-1])
        )


@pytest.mark.parametrize("answer", [says(429), says(429, retry_after="9999"), says(401), says(500)])
def test_what_does_not_pass_is_asked_once(tmp_path: Path, answer: Answers) -> None:
    with a_client(tmp_path, answer) as (_, portal, before):
        with pytest.raises(PortalProblem):
            portal.me()
        assert len(before.seen) == 1


def test_a_portal_that_stays_away_is_a_problem_in_the_end() -> None:
    client = httpx.Client(base_url="http://portal", transport=httpx.MockTransport(breaks))
    slept: list[float] = []
    with pytest.raises(PortalProblem, match="NOT_REACHED"):
        Connection(client, "t", attempts=3, sleep=slept.append).send("GET", "/me")
    assert len(slept) == 2


def test_the_client_works_over_a_real_connection(tmp_path: Path) -> None:
    settings = write_portal(tmp_path)
    with services_of(settings) as services:
        token = a_token(services)
    told: list[float] = []
    with (
        served(settings, tmp_path / "serve.log") as server,
        Portal(server.address, token, progress=lambda share, _: told.append(share)) as portal,
        warnings.catch_warnings(),
    ):
        answer = portal.query(SALES)
        assert isinstance(answer, Answer)
        assert len(answer) == 3
        fetched = portal.download(f"{SALES} LIMIT 2", tmp_path, format="parquet")
    assert fetched.name == f"sales-{fetched.stem[6:]}.parquet"
    assert told[-1] == 1.0
    assert told == sorted(told)
