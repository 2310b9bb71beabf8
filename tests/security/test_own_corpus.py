"""A corpus of our own attacks, run in the order of its file through the desk, in one project of a world of our own."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.attack_world import ASKER
from support.own_world import our_world

from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.errors import LimitReached, PolicyRefusal, PortalError, StatementRefusal, UsageError
from portal.sql.plan import Statement

CORPUS = Path(__file__).parent / "own_attacks.jsonl"
ATTACKS: list[Mapping[str, str]] = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
FEW = frozenset({"isle", "kiosk", "rare", "bots"})
"""Values of dimensions that too few entities have."""
HIDDEN = ("isle", "hush-", "N001", "Note ", "V1", "gold")
"""Texts that no answer and no message may hold, unless the asker wrote them."""

Outcome = list[dict[str, Any]] | PortalError


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Outcome]]:
    with our_world(tmp_path_factory.mktemp("own")) as services:
        yield {attack["id"]: outcome_of(services, ASKER, attack["sql"]) for attack in ATTACKS}


def outcome_of(services: Services, asker: Asker, sql: str) -> Outcome:
    try:
        return run_statement(services, asker, Statement(sql)).table().to_pylist()
    except PortalError as error:
        return error


def values_of(rows: list[dict[str, Any]]) -> list[Any]:
    return [value for row in rows for value in row.values() if value is not None]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack["id"])
def test_an_attack_of_our_own_meets_its_expectation(outcomes: Mapping[str, Outcome], attack: Mapping[str, str]) -> None:
    outcome = outcomes[attack["id"]]
    match attack["expectation"]:
        case "rejected":
            assert isinstance(outcome, PolicyRefusal | StatementRefusal | UsageError)
        case "killed":
            assert isinstance(outcome, LimitReached)
        case "suppressed":
            assert isinstance(outcome, list)
            assert all(isinstance(value, str) and value not in FEW for value in values_of(outcome))
        case "masked":
            assert isinstance(outcome, list)
            assert not any(text in repr(outcome) for text in HIDDEN)
            assert "datetime.date(" not in repr(outcome) or ", 1)" in repr(outcome)
        case _:
            assert attack["expectation"] == "allowed"
            assert isinstance(outcome, list)
            assert outcome
            assert not FEW & set(map(str, values_of(outcome))) - {"isle"}
            assert all(value is not None for row in outcome for value in row.values())


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack["id"])
def test_what_is_said_to_an_attacker_holds_no_hidden_value(
    outcomes: Mapping[str, Outcome], attack: Mapping[str, str]
) -> None:
    outcome = outcomes[attack["id"]]
    said = [str(fault) for fault in outcome.faults] if isinstance(outcome, PortalError) else [repr(outcome)]
    asked = attack["sql"].lower()
    for text in HIDDEN:
        if text.lower() not in asked and not (text == "isle" and "dim_region" in asked):
            assert not any(text in each for each in said)


def test_the_corpus_has_every_class_and_enough_of_them() -> None:
    classes = {attack["class"] for attack in ATTACKS}
    assert len(ATTACKS) >= 150
    assert len({attack["id"] for attack in ATTACKS}) == len({attack["sql"] for attack in ATTACKS}) == len(ATTACKS)
    assert sum(attack["class"] == "control" for attack in ATTACKS) >= 20
    assert classes >= {
        "row_level", "agg_misuse", "singling_out", "differencing", "having_oracle", "join_abuse", "name_tricks",
        "statement", "dml_cte", "file_access", "metadata", "dynamic_sql", "error_channel", "mask_bypass",
        "parser_diff", "resource", "engine_bug", "complement", "dominance", "rounding", "entity_count",
    }  # fmt: skip
