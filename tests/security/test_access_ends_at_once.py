"""Revocation, expiry and dismissal bite at the next statement, page and fetch; nothing is remembered."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.factories import NOW
from support.hiding import ASKER, EVE, OTHERS, PROJECT, SALES, a_portal_that_hides

from portal.desk.access import catalogue
from portal.desk.answers import Asker
from portal.desk.downloads import open_download
from portal.desk.links import read_link, sign_link
from portal.desk.making import make_download
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.desk.upkeep import remove_ended
from portal.errors import NotFoundError, PortalError, SignInError
from portal.registry import Audit
from portal.sql.plan import Statement

ASK = Statement("SELECT count(*) AS n FROM sales")
AUDIT = Audit(None, NOW)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with a_portal_that_hides(tmp_path) as portal:
        yield portal


def later(services: Services, moment: datetime) -> Services:
    return replace(services, clock=lambda: moment)


def revoke(services: Services) -> Services:
    services.registry.revoke_grant(SALES, PROJECT, audit=AUDIT)
    return services


def dismiss(services: Services) -> Services:
    services.registry.set_active(ASKER.person, active=False, audit=AUDIT)
    return services


def leave(services: Services) -> Services:
    services.registry.remove_member(PROJECT, ASKER.person, audit=AUDIT)
    return services


def expire_grant(services: Services) -> Services:
    return later(services, datetime(2026, 12, 1, tzinfo=NOW.tzinfo))


def end_project(services: Services) -> Services:
    return later(services, datetime(2027, 1, 1, tzinfo=NOW.tzinfo))


@pytest.mark.parametrize("end", [revoke, dismiss, leave, expire_grant, end_project])
def test_when_access_ends_statements_and_made_downloads_end_with_it(
    services: Services, end: Callable[[Services], Services]
) -> None:
    assert run_statement(services, ASKER, ASK).table()["n"].to_pylist() == [720]
    ticket = make_download(services, ASKER, ASK, "csv")
    open_download(services, ASKER, ticket.id)
    ended = end(services)
    with pytest.raises(PortalError):
        run_statement(ended, ASKER, ASK)
    with pytest.raises(PortalError):
        open_download(ended, ASKER, ticket.id)


@pytest.mark.parametrize("end", [revoke, expire_grant, end_project])
def test_when_a_grant_ends_its_governed_copies_and_answers_go_and_the_ledger_stays(
    services: Services, end: Callable[[Services], Services]
) -> None:
    answer = run_statement(services, ASKER, ASK)
    folder = services.workspaces.root / PROJECT / SALES
    assert list(folder.glob("*.parquet"))
    assert [copy.dataset for copy in remove_ended(end(services))] == [SALES]
    assert not folder.exists()
    assert not answer.spool.exists()
    assert services.ledger.verify() == ()
    assert {"statement-ran", "workspace-removed"} <= {entry.action.value for entry in services.ledger.tail(50)}


def test_a_living_grant_keeps_its_copies(services: Services) -> None:
    run_statement(services, ASKER, ASK)
    assert remove_ended(services) == ()


def test_a_download_is_its_askers_alone(services: Services) -> None:
    ticket = make_download(services, ASKER, ASK, "csv")
    for other in (Asker(EVE, OTHERS), Asker(EVE, PROJECT), Asker(ASKER.person, None)):
        with pytest.raises(NotFoundError):
            open_download(services, other, ticket.id)


def test_a_link_is_good_for_one_download_and_a_few_minutes(services: Services) -> None:
    first, second = (make_download(services, ASKER, ASK, kind).id for kind in ("csv", "parquet"))
    token = sign_link(services, ASKER, first)
    assert read_link(services, token, first) == ASKER
    forged = token[:-1] + ("0" if token[-1] != "0" else "1")
    for services_, text, download in (
        (services, token, second),
        (services, forged, first),
        (services, "", first),
        (services, "é.é", first),
        (later(services, NOW + timedelta(minutes=11)), token, first),
    ):
        with pytest.raises(SignInError):
            read_link(services_, text, download)


def test_someone_dismissed_sees_no_catalogue(services: Services) -> None:
    assert len(catalogue(services, ASKER)) == 1
    with pytest.raises(SignInError):
        catalogue(dismiss(services), ASKER)
