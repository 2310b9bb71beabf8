"""The machine's clock jumps back, by a minute or a day: nothing opens that was closed, and the order of things stays.

What is over by its date alone (a token, a link, a grant) is in force again while the clock says so; who sets the clock
decides that. What was ended by a person stays ended.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.factories import NOW
from support.hiding import ADA, ASKER, MARK, PROJECT, SALES, a_portal_that_hides

from portal.desk.budget import rows_left
from portal.desk.downloads import open_download
from portal.desk.making import make_download
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.errors import PortalError
from portal.policy.model import Limits
from portal.registry import Audit
from portal.sql.plan import Statement

ALL = Statement("SELECT country, price, day FROM sales")
JUMPS = [timedelta(minutes=1), timedelta(days=1), timedelta(days=40)]


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with a_portal_that_hides(tmp_path) as opened:
        yield opened


def at(services: Services, moment: datetime) -> Services:
    """Return the same portal by another clock."""
    ledger = replace(services.ledger, clock=lambda: moment)
    return replace(services, clock=lambda: moment, ledger=ledger, registry=replace(services.registry, ledger=ledger))


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_the_ledger_goes_on_in_the_order_in_which_things_were_done(services: Services, jump: timedelta) -> None:
    back = at(services, NOW - jump)
    before, after = run_statement(services, ASKER, ALL), run_statement(back, ASKER, ALL)
    newest, older = services.ledger.tail(2)
    assert (older.subject, newest.subject) == (before.receipt.id, after.receipt.id)
    assert newest.sequence == older.sequence + 1
    assert newest.at == older.at - jump
    assert services.ledger.verify() == ()


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_rows_that_were_taken_stay_taken(services: Services, jump: timedelta) -> None:
    taken = run_statement(services, ASKER, ALL).receipt.rows
    assert taken > 0
    limits = Limits()
    assert rows_left(at(services, NOW - jump), PROJECT, limits) == limits.rows_per_week - taken


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_an_embargo_never_opens_earlier(services: Services, jump: timedelta) -> None:
    today = run_statement(services, ASKER, ALL).table()
    back = run_statement(at(services, NOW - jump), ASKER, ALL).table()
    newest = (NOW - jump - timedelta(days=14)).date()
    assert all(day <= newest for day in back["day"].to_pylist())
    assert back.num_rows <= today.num_rows
    assert MARK not in str(back.to_pylist())
    assert run_statement(services, ASKER, ALL).table() == today, "and is as it was when the clock is right again"


def test_what_was_ended_stays_ended(services: Services) -> None:
    _, secret = services.registry.issue_token(ADA, PROJECT, "t", NOW + timedelta(days=9), audit=Audit(None, NOW))
    token = services.registry.resolve_token(secret, NOW)
    assert token is not None
    services.registry.revoke_token(token.id, audit=Audit(None, NOW))
    services.registry.revoke_grant(SALES, PROJECT, audit=Audit(None, NOW))
    for jump in JUMPS:
        assert services.registry.resolve_token(secret, NOW - jump) is None
        with pytest.raises(PortalError):
            run_statement(at(services, NOW - jump), ASKER, ALL)


def test_a_token_in_use_outlasts_a_jump_and_ends_by_its_date(services: Services) -> None:
    _, secret = services.registry.issue_token(ADA, PROJECT, "t", NOW + timedelta(days=1), audit=Audit(None, NOW))
    for moment in (NOW, NOW - JUMPS[0], NOW - JUMPS[1]):
        assert services.registry.resolve_token(secret, moment) is not None
    assert services.registry.resolve_token(secret, NOW + timedelta(days=1)) is None


def test_a_download_made_before_the_jump_is_shown_as_of_its_own_day(services: Services) -> None:
    ticket = make_download(services, ASKER, ALL, "csv")
    record, path = open_download(at(services, NOW - JUMPS[0]), ASKER, ticket.id)
    assert (record.sha256, path.exists()) == (ticket.sha256, True)
    services.registry.revoke_grant(SALES, PROJECT, audit=Audit(None, NOW))
    with pytest.raises(PortalError):
        open_download(at(services, NOW - JUMPS[1]), ASKER, ticket.id)
