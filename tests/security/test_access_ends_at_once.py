"""Revocation, expiry and dismissal bite at the next statement, page and fetch; nothing is remembered."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from support.factories import NOW, a_grant
from support.hiding import ASKER, EVE, OTHERS, PROJECT, SALES, a_portal_that_hides

from portal.desk.access import catalogue
from portal.desk.answers import Asker
from portal.desk.downloads import open_download
from portal.desk.links import read_link, sign_link
from portal.desk.making import make_download
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.desk.upkeep import remove_ended
from portal.engines.port import AnswerStream, CancelSignal, ReadJob, SandboxEngine
from portal.errors import NotFoundError, PolicyRefusal, PortalError, SignInError
from portal.fingerprints import fingerprint
from portal.ledger import Action
from portal.policy.people import Narrowing
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


def replace_by_a_narrower_grant(services: Services) -> Services:
    services.registry.give_grant(a_grant(narrowing=Narrowing(hidden=frozenset({"price"}))), audit=AUDIT)
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


@dataclass(frozen=True)
class EndsMeanwhile:
    """A sandbox in which an access ends between the question and the answer."""

    inner: SandboxEngine
    end: Callable[[], object]

    @contextmanager
    def read(self, job: ReadJob, cancel: CancelSignal | None = None) -> Iterator[AnswerStream]:
        with self.inner.read(job, cancel) as stream:
            self.end()
            yield stream

    def close(self) -> None:
        self.inner.close()


@pytest.mark.parametrize("end", [revoke, dismiss, leave, replace_by_a_narrower_grant])
def test_an_access_that_ends_while_a_statement_runs_gives_nothing_and_charges_nothing(
    services: Services, end: Callable[[Services], Services]
) -> None:
    meanwhile = replace(services, sandbox=EndsMeanwhile(services.sandbox, lambda: end(services)))
    with pytest.raises((PolicyRefusal, SignInError)):
        run_statement(meanwhile, ASKER, ASK)
    (entry,) = services.ledger.search(subject=str(fingerprint(ASK.text)))
    assert entry.action in {Action.STATEMENT_REFUSED, Action.STATEMENT_FAILED}
    assert services.ledger.rows_charged(PROJECT, datetime(2026, 1, 1, tzinfo=NOW.tzinfo)) == 0
    assert list((services.spool.root / PROJECT).glob("[!.]*")) == []


@pytest.mark.parametrize("end", [revoke, expire_grant, end_project])
def test_when_a_grant_ends_its_governed_copies_and_answers_go_and_the_ledger_stays(
    services: Services, end: Callable[[Services], Services]
) -> None:
    answer = run_statement(services, ASKER, ASK)
    ticket = make_download(services, ASKER, ASK, "csv")
    _, file = open_download(services, ASKER, ticket.id)
    folder = services.workspaces.root / PROJECT / SALES
    assert list(folder.glob("*.parquet"))
    assert [copy.dataset for copy in remove_ended(end(services))] == [SALES]
    assert not folder.exists()
    assert not answer.spool.exists()
    assert not file.exists()
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
