"""The sample of attacks, each run for real against its world: what must be refused is, and what is masked stays so."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from support.attack_world import ASKER, an_attack_world

from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.errors import LimitReached, PolicyRefusal, PortalError, StatementRefusal
from portal.sql.plan import Statement

ATTACKS = Path(__file__).parents[2].parent / "shared" / "attacks"
SAMPLE, WORLD = ATTACKS / "sample.jsonl", ATTACKS / "demo_world.sql"

pytestmark = pytest.mark.skipif(not SAMPLE.exists(), reason="the attack samples are not on this machine")

PROTECTED = ("ads", "moderation")
"""Open for statistics only, which the portal refuses until it can hold their rules."""


def _lines() -> list[Mapping[str, str]]:
    return [json.loads(line) for line in SAMPLE.read_text().splitlines()] if SAMPLE.exists() else []


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with an_attack_world(tmp_path_factory.mktemp("attacks"), WORLD.read_text()) as world:
        yield world


def assert_governed(rows: object) -> None:
    assert "LU" not in repr(rows)
    assert "sha-" not in repr(rows)


def outcome_of(services: Services, sql: str) -> object:
    """Return the rows, or the error."""
    try:
        return run_statement(services, ASKER, Statement(sql)).table().to_pylist()
    except PortalError as error:
        return error


@pytest.mark.parametrize("attack", _lines(), ids=lambda attack: attack["id"])
def test_a_sampled_attack_meets_its_expectation(services: Services, attack: Mapping[str, str]) -> None:
    sql, expectation = attack["sql"], attack["expectation"]
    outcome = outcome_of(services, sql)
    if expectation == "rejected":
        assert isinstance(outcome, (PolicyRefusal, StatementRefusal))
    elif expectation == "killed":
        assert isinstance(outcome, LimitReached)
    elif any(name in sql for name in PROTECTED):
        assert isinstance(outcome, PolicyRefusal)
        assert {fault.code for fault in outcome.faults} == {"AGGREGATES_NOT_YET"}
    else:
        assert expectation in ("allowed", "masked")
        assert isinstance(outcome, list)
        assert_governed(outcome)
