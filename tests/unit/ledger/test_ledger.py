import io
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from support.records import HOSTILE_TEXTS, KEY, NOW, UNSTORABLE_TEXTS, ledger_in

from portal.fingerprints import fingerprint
from portal.ids import PersonId, ProjectId, ReceiptId
from portal.ledger import Action, Event, Ledger
from portal.storage import writing

pytestmark = pytest.mark.usefixtures("each_database")

ANNA, PROJECT = PersonId("anna"), ProjectId("p1")


def record_statement(ledger: Ledger, receipt: str = "r1", rows: int = 10, project: ProjectId = PROJECT) -> None:
    ledger.record(
        Action.STATEMENT_RAN, actor=ANNA, project=project, subject=receipt, rows=rows, details={"statement": "SELECT 1"}
    )


def test_an_entry_reads_back_as_it_was_recorded(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        entry = ledger.record(
            Action.DECIDED,
            actor=ANNA,
            project=PROJECT,
            subject="moderation_statements",
            rows=3,
            details={"reasons": ["b", "a"], "n": None, "share": 0.1},
        )
        assert ledger.tail(1) == (entry,)
        assert (entry.sequence, entry.at, entry.details["reasons"]) == (1, NOW, ["b", "a"])


def test_an_auditor_can_compute_the_chain_from_the_export_alone(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        for number in range(5):
            record_statement(ledger, f"r{number}")
        stream = io.StringIO()
        assert ledger.export(stream) == 5
    previous = "0" * 64
    *lines, proof = stream.getvalue().splitlines()
    for line in lines:
        entry = json.loads(line)
        given = entry.pop("hash")
        assert entry["previous"] == previous
        assert given == fingerprint(entry)
        previous = given
    assert json.loads(proof)["hash"] == previous


@pytest.mark.parametrize("hostile", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_hostile_text_comes_back_as_it_was(tmp_path: Path, hostile: str) -> None:
    with ledger_in(tmp_path) as ledger:
        ledger.record(
            Action.STATEMENT_REFUSED,
            actor=PersonId(hostile),
            project=ProjectId(hostile),
            subject=hostile,
            details={hostile: hostile},
        )
        (found,) = ledger.search(actor=PersonId(hostile), project=ProjectId(hostile), subject=hostile)
        assert (found.actor, found.project, found.subject, found.details) == (
            hostile,
            hostile,
            hostile,
            {hostile: hostile},
        )
        assert ledger.verify(ledger.checkpoint()) == ()


@pytest.mark.parametrize(("given", "kept"), UNSTORABLE_TEXTS.items(), ids=range(len(UNSTORABLE_TEXTS)))
def test_text_that_no_database_can_hold_is_recorded_all_the_same(tmp_path: Path, given: str, kept: str) -> None:
    with ledger_in(tmp_path) as ledger:
        entry = ledger.record(Action.SIGNED_IN, actor=PersonId(given), subject=given, details={"half": "\ud83d"})
        assert (entry.actor, entry.subject, entry.details) == (kept, kept, {"half": "\ufffd"})
        assert ledger.search(actor=PersonId(given)) == (entry,)
        assert ledger.verify() == ()


def test_details_that_are_no_json_are_kept_as_text(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        given = {"day": date(2026, 1, 2), "price": Decimal("1.10"), "rate": float("nan"), "tuple": (1, 2)}
        entry = ledger.record(Action.DECIDED, actor=None, details=given)
        assert entry.details == {"day": "2026-01-02", "price": "1.10", "rate": "NaN", "tuple": [1, 2]}
        assert ledger.tail(1) == (entry,)


def test_a_receipt_is_found_by_its_id_and_only_as_a_statement_that_ran(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        record_statement(ledger, "r1")
        ledger.record(Action.DOWNLOAD_MADE, actor=ANNA, subject="r2")
        found = ledger.find_receipt(ReceiptId("r1"))
        assert found is not None
        assert found.details == {"statement": "SELECT 1"}
        assert ledger.find_receipt(ReceiptId("r2")) is None


def test_only_the_rows_of_the_projects_own_statements_since_then_are_charged(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        record_statement(ledger, rows=1)
        record_statement(ledger, rows=20)
        record_statement(ledger, rows=300)
        record_statement(ledger, rows=4000, project=ProjectId("p2"))
        ledger.record(Action.DOWNLOAD_MADE, actor=ANNA, project=PROJECT, rows=50_000)
        assert ledger.rows_charged(PROJECT, NOW) == 321
        assert ledger.rows_charged(PROJECT, NOW + timedelta(seconds=1)) == 320
        assert ledger.rows_charged(ProjectId("nobody"), NOW) == 0


def test_search_goes_by_all_that_is_given_newest_first(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        for number in range(6):
            record_statement(ledger, f"r{number}", project=ProjectId(f"p{number % 2}"))
        ledger.record(Action.SIGNED_IN, actor=PersonId("ben"))

        def found(**asked: object) -> list[int]:
            return [entry.sequence for entry in ledger.search(**asked)]  # type: ignore[arg-type]

        assert found(actor=ANNA, project=ProjectId("p0")) == [5, 3, 1]
        assert found(action=Action.SIGNED_IN) == [7]
        assert found(since=NOW + timedelta(seconds=2), until=NOW + timedelta(seconds=4)) == [4, 3]
        assert found(limit=2) == [7, 6]


def test_times_of_other_zones_are_kept_and_compared_in_utc(tmp_path: Path) -> None:
    east = timezone(timedelta(hours=9))
    with ledger_in(tmp_path) as ledger:
        with writing(ledger.engine) as connection:
            entry = ledger.append(
                connection, Event(action=Action.SIGNED_IN, actor=ANNA), datetime(2026, 1, 1, 3, tzinfo=east)
            )
        assert entry.at == datetime(2025, 12, 31, 18, tzinfo=UTC)
        assert ledger.search(until=datetime(2026, 1, 1, tzinfo=UTC)) == (entry,)


CHANGES = {
    "update": "UPDATE ledger_entries SET rows = 0",
    "delete": "DELETE FROM ledger_entries",
    "insert": "INSERT INTO ledger_entries SELECT * FROM ledger_entries",
    "upsert": "INSERT INTO ledger_entries SELECT * FROM ledger_entries WHERE true"
    " ON CONFLICT (sequence) DO UPDATE SET rows = 0",
}
OF_ONE_DATABASE = {
    "sqlite": {"replace": "INSERT OR REPLACE INTO ledger_entries SELECT * FROM ledger_entries"},
    "postgresql": {"truncate": "TRUNCATE ledger_entries"},
}


def test_the_database_itself_refuses_to_change_an_entry(tmp_path: Path, each_database: str) -> None:
    with ledger_in(tmp_path) as ledger:
        record_statement(ledger)
        before = ledger.tail(10)
        for change in (CHANGES | OF_ONE_DATABASE[each_database]).values():
            with (
                ledger.engine.connect().execution_options(portal_writes=True) as connection,
                pytest.raises(IntegrityError, match=r"append-only|duplicate key"),
            ):
                connection.execute(text(change))
        assert ledger.tail(10) == before


def test_the_key_is_not_in_the_ledgers_words(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        assert repr(KEY) not in repr(ledger)
