"""An answer is given again to the same question over the same data, to its own project alone; it then costs nothing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.factories import NOW, a_grant, a_policy, a_rule
from support.hiding import ASKER, EVE, OTHERS, PROJECT, SALES, a_portal_that_hides

from portal.desk.answers import Answer, Asker
from portal.desk.services import Services
from portal.desk.statements import Running, run_statement
from portal.engines.port import ReadJob
from portal.policy.people import Narrowing
from portal.registry import Audit
from portal.sql.plan import Statement

SQL = "SELECT country, count(*) AS n FROM sales GROUP BY ALL ORDER BY ALL"


class Counting:
    """A sandbox that counts what it is asked to run."""

    def __init__(self, services: Services) -> None:
        self.inner, self.jobs = services.sandbox, list[ReadJob]()

    def read(self, job: ReadJob, cancel: Any = None) -> Any:
        self.jobs.append(job)
        return self.inner.read(job, cancel)

    def close(self) -> None:
        self.inner.close()


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with a_portal_that_hides(tmp_path) as portal:
        yield replace(portal, sandbox=Counting(portal))


def ask(services: Services, sql: str = SQL, asker: Asker = ASKER, running: Running | None = None) -> Answer:
    return run_statement(services, asker, Statement(sql), running or Running())


def runs(services: Services) -> int:
    return len(services.sandbox.jobs)  # type: ignore[attr-defined]


def charged(services: Services) -> int:
    return services.ledger.rows_charged(PROJECT, NOW - timedelta(days=7))


def test_the_same_question_runs_once_costs_once_and_has_a_receipt_each_time(services: Services) -> None:
    first, again = ask(services), ask(services, f"{SQL} -- a remark")
    assert first.table() == again.table()
    assert first.receipt.id != again.receipt.id
    assert (runs(services), charged(services)) == (1, first.receipt.rows)
    assert again.receipt.rows_left_this_week == first.receipt.rows_left_this_week


def test_another_question_or_a_smaller_limit_runs_anew(services: Services) -> None:
    ask(services)
    ask(services, SQL.replace("AS n", "AS m"))
    assert ask(services, running=Running(result_rows=1)).receipt.rows == 1
    assert ask(services, running=Running(result_rows=1)).receipt.complete is False
    assert runs(services) == 4


@pytest.mark.parametrize(
    "sql", ["SELECT random()", "SELECT now()", "SELECT current_date", "SELECT * FROM sales USING SAMPLE 3"]
)
def test_what_depends_on_chance_or_the_clock_is_never_given_again(services: Services, sql: str) -> None:
    ask(services, sql)
    ask(services, sql)
    assert runs(services) == 2


def test_no_other_project_is_given_the_answer(services: Services) -> None:
    services.registry.give_grant(a_grant(dataset=SALES, project=OTHERS), audit=Audit(None, NOW))
    mine, theirs = ask(services), ask(services, asker=Asker(EVE, OTHERS))
    assert runs(services) == 2
    assert theirs.table() != mine.table()
    assert theirs.spool.parent != mine.spool.parent


def _with(services: Services, **changes: Any) -> Services:
    rule = a_rule(rows="country IN project.member_states", columns={"id": "hide"}) | changes
    return replace(services, site=replace(services.site, policies={**services.site.policies, SALES: a_policy(rule)}))


def test_a_change_of_what_may_be_seen_ends_the_answer(services: Services) -> None:
    before = ask(services)
    fewer = _with(services, rows="country = 'DE'")
    assert ask(fewer).table().num_rows == 1
    later = replace(services, clock=lambda: NOW + timedelta(days=9))
    ask(later)
    assert runs(services) == 3
    services.registry.revoke_grant(SALES, PROJECT, audit=Audit(None, NOW))
    narrowed = replace(a_grant(dataset=SALES, project=PROJECT), narrowing=Narrowing(rows="country = 'FR'"))
    services.registry.give_grant(narrowed, audit=Audit(None, NOW))
    assert ask(services).table() != before.table()
    assert runs(services) == 4


def test_a_damaged_answer_is_made_again(services: Services) -> None:
    first = ask(services)
    first.spool.write_bytes(first.spool.read_bytes()[:40])
    second = ask(services)
    assert second.table().num_rows == 2
    turned = bytearray(second.spool.read_bytes())
    turned[len(turned) // 2] ^= 1
    second.spool.write_bytes(turned)
    third = ask(services)
    assert third.table() == ask(services).table()
    third.spool.unlink()
    assert ask(services).table().num_rows == 2
    assert runs(services) == 4


def test_the_oldest_answers_go_when_there_are_too_many_bytes(services: Services) -> None:
    old, new = ask(services), ask(services, "SELECT 1")
    kept = sum(path.stat().st_size for path in old.spool.parent.glob("[!.]*"))
    services.spool.expire(NOW, days=10_000, most_bytes=kept - 1)
    assert (old.spool.exists(), new.spool.exists()) == (False, True)
