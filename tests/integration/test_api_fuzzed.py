"""Requests that nobody would write, made from the API's own reference: each is answered as the reference says."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from httpx import Client, Response
from hypothesis import HealthCheck, given, settings
from support.api import an_api, ask, client_of, download
from support.portal import SALES, hidden_in

from portal.api import create_api

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of what the fuzzer itself imports
    from schemathesis import GenerationMode, openapi
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

EXAMPLES = 10
"""Requests of each kind to each operation."""
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
OWN = ("authorization", "user-agent", "accept-encoding")
"""Headers that stay the client's."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Mapping[str, str]]]:
    """Give a client, and the ids of an answer and a file that are there."""
    with an_api(tmp_path_factory.mktemp("fuzzed")) as (services, client):
        receipt = ask(client, SALES).headers["portal-receipt"]
        made = download(services, client, sql=f"{SALES} LIMIT 2", format="csv")
        hurried = client_of(services, create_api(services, requests_per_minute=1_000_000))
        hurried.headers["Authorization"] = client.headers["Authorization"]
        yield hurried, {"/receipts": receipt, "/downloads": made["id"], "/datasets": "sales"}


def operations(client: Client) -> list[Any]:
    schema = openapi.from_dict(client.get("/openapi.json").json())
    return [found.ok() for found in schema.get_all_operations()]


def send(client: Client, case: Any) -> Response:
    sent = case.as_transport_kwargs(base_url="http://portal")
    headers = {name: value for name, value in (sent.get("headers") or {}).items() if name.lower() not in OWN}
    body = {name: sent[name] for name in ("json",) if name in sent}
    if isinstance(sent.get("data"), bytes | str):
        body["content"] = sent["data"]
    response = client.request(sent["method"], sent["url"], params=sent.get("params"), headers=headers, **body)
    response.elapsed = timedelta()  # the fuzzer wants to know, and a transport in the process does not say
    return response


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfitting"])
def test_no_request_breaks_the_api_or_shows_what_is_hidden(
    world: tuple[Client, Mapping[str, str]], mode: GenerationMode
) -> None:
    client, known = world
    ends: dict[str, set[int]] = {}

    def hold(case: Any) -> None:
        response = send(client, case)
        case.validate_response(response, checks=CHECKS)
        assert not hidden_in(response.content)
        assert not hidden_in(str(response.headers))
        if response.status_code >= 400:
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["request_id"] == response.headers["portal-request"]
        ends.setdefault(case.operation.label, set()).add(response.status_code)

    for operation in operations(client):
        there = next((name for prefix, name in known.items() if operation.path.startswith(f"{prefix}/{{")), None)
        _each(operation.as_strategy(generation_mode=mode), hold, there if mode is GenerationMode.POSITIVE else None)
    assert len(ends) > 12
    if mode is GenerationMode.POSITIVE:
        answered = [label for label, statuses in ends.items() if statuses & {200, 202, 206}]
        assert len(answered) > 8, ends


def _each(cases: Any, hold: Callable[[Any], None], there: str | None) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def one(case: Any) -> None:
        hold(case)
        if there:  # a thing that is there is answered at greater length
            case.path_parameters["name" if "name" in case.path_parameters else "identifier"] = there
            hold(case)

    one()
