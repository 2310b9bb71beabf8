"""The sample of attacks, each run for real against its world: through the desk, the API, the command and the page."""

import json
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from httpx import Client
from support.api import ask, client_of
from support.attack_world import ASKER, an_attack_world
from support.pages import open_page, press, text_of

from portal import wiring
from portal.cli import context
from portal.cli.main import main
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.errors import LimitReached, PolicyRefusal, PortalError, StatementRefusal
from portal.registry import Audit
from portal.sql.plan import Statement

ATTACKS = Path(__file__).parents[2].parent / "shared" / "attacks"
SAMPLE, WORLD = ATTACKS / "sample.jsonl", ATTACKS / "demo_world.sql"
EXIT_CODES = {LimitReached: 4, PolicyRefusal: 3, StatementRefusal: 3}

pytestmark = pytest.mark.skipif(not SAMPLE.exists(), reason="the attack samples are not on this machine")

Attack = Mapping[str, str]


def _lines() -> list[Attack]:
    return [json.loads(line) for line in SAMPLE.read_text().splitlines()] if SAMPLE.exists() else []


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with an_attack_world(tmp_path_factory.mktemp("attacks"), WORLD.read_text()) as world:
        yield world


@pytest.fixture(scope="module")
def outcomes(services: Services) -> Mapping[str, Any]:
    """What the desk says to each, in the order of the file and in one project: the rows, or the error."""
    return {attack["id"]: _outcome_of(services, attack["sql"]) for attack in _lines()}


@pytest.fixture(scope="module")
def client(services: Services) -> Client:
    ends, audit = services.clock() + timedelta(days=1), Audit(None, services.clock())
    _, secret = services.registry.issue_token(ASKER.person, ASKER.project, "attack", ends, audit=audit)
    client = client_of(services)
    client.headers["Authorization"] = f"Bearer {secret}"
    return client


def _outcome_of(services: Services, sql: str) -> list[dict[str, Any]] | PortalError:
    try:
        return run_statement(services, ASKER, Statement(sql)).table().to_pylist()
    except PortalError as error:
        return error


def _told_apart(rows: list[dict[str, Any]]) -> bool:
    """Whether a figure is shown, or a group that has too few or is dominated."""
    values = [value for row in rows for value in row.values() if value is not None]
    return "LU" in values or any(not isinstance(value, str) for value in values)


@pytest.mark.parametrize("attack", _lines(), ids=lambda attack: attack["id"])
def test_a_sampled_attack_meets_its_expectation(outcomes: Mapping[str, Any], attack: Attack) -> None:
    outcome, expectation = outcomes[attack["id"]], attack["expectation"]
    if expectation == "rejected":
        assert isinstance(outcome, (PolicyRefusal, StatementRefusal))
    elif expectation == "killed":
        assert isinstance(outcome, LimitReached)
    elif expectation == "suppressed":
        assert isinstance(outcome, list)
        assert not _told_apart(outcome)
    elif expectation == "masked":
        assert isinstance(outcome, list)
        assert "LU" not in repr(outcome)
        assert "sha-" not in repr(outcome)
    else:
        assert expectation == "allowed"
        assert isinstance(outcome, list)
        assert all(None not in row.values() for row in outcome)
        assert outcome


@pytest.mark.parametrize("attack", _lines(), ids=lambda attack: attack["id"])
def test_the_api_the_command_and_the_page_come_the_same_way(
    services: Services,
    client: Client,
    outcomes: Mapping[str, Any],
    attack: Attack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outcome, sql = outcomes[attack["id"]], attack["sql"]
    monkeypatch.setattr(context, "services_over", lambda _: nullcontext(services))
    monkeypatch.setattr(wiring, "services_of_this_process", lambda: services)
    response = ask(client, sql)
    asked = ["query", "--as", ASKER.person, "--project", str(ASKER.project), "--json", "--", sql]
    printed = CliRunner().invoke(main, asked)
    page = open_page("sql", ASKER.person, ASKER.project)
    page.text_area(key="sql-text").set_value(sql)
    shown = text_of(press(page, "Run"))
    if isinstance(outcome, PortalError):
        assert response.json()["code"] == outcome.faults[0].code
        told = json.loads(printed.stderr)
        assert [fault["code"] for fault in told["faults"]] == [fault.code for fault in outcome.faults]
        assert printed.exit_code == EXIT_CODES[type(outcome)]
        assert outcome.title in shown
    else:
        assert response.status_code == 200
        assert json.loads(printed.stdout) == response.json()
        assert len(response.json()["rows"]) == len(outcome)
        assert "Receipt and citation" in shown
