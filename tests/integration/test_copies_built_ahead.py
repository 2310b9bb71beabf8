from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.jobs import eventually
from support.portal import GOODS, SALES, VETTED, a_portal
from support.workspaces import CountingEngine

from portal.desk import workers
from portal.desk.access import catalogue_entry
from portal.desk.copies import build_copy, kept_copies, missing_bases, missing_copies, wanted_copy
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.desk.workers import workspaces_built
from portal.errors import Cancelled
from portal.ids import DatasetName
from portal.ledger import Action
from portal.policy.people import Grant
from portal.registry import Audit
from portal.sql.plan import Statement

NAME, OTHER = DatasetName("sales"), DatasetName("salaries")


@contextmanager
def counted(folder: Path) -> Iterator[tuple[Services, CountingEngine]]:
    """Give the small portal with an engine that counts the files that it makes."""
    engine = CountingEngine()
    with a_portal(folder) as services:
        yield replace(services, workspaces=replace(services.workspaces, engine=engine)), engine


def states(services: Services) -> dict[str, str]:
    return {copy.dataset: copy.state for copy in kept_copies(services)}


def give(services: Services, name: DatasetName) -> None:
    today = services.clock().date()
    grant = Grant(name, GOODS, today, today + timedelta(days=9))
    services.registry.give_grant(grant, audit=Audit(None, services.clock()))


def test_what_a_grant_asks_for_is_built_at_start_and_soon_after_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "ROUND", 0.05)
    with counted(tmp_path) as (services, engine):
        assert states(services) == {"sales": "waiting"}
        with workspaces_built(services):
            eventually(lambda: states(services) == {"sales": "ready"})
            give(services, OTHER)
            eventually(lambda: states(services) == {"sales": "ready", "salaries": "ready"})
            entry = catalogue_entry(services, VETTED, NAME)
            assert (entry.rows, entry.copy and entry.copy.ready) == (3, 1)
            run_statement(services, VETTED, Statement(SALES))
        assert len(engine.written) == 1, "salaries are open as they are, so they are linked"
        built = services.ledger.search(action=Action.WORKSPACE_BUILT)
        assert {entry.subject for entry in built} == {"sales", "salaries"}
        assert not list(missing_copies(services))


def test_a_statement_that_comes_meanwhile_waits_for_the_same_build(tmp_path: Path) -> None:
    with counted(tmp_path) as (services, engine), workspaces_built(services):
        answer = run_statement(services, VETTED, Statement(SALES))
        assert answer.receipt.rows == 3
        eventually(lambda: states(services) == {"sales": "ready"})
    assert len(engine.written) == 1


def test_damage_that_nobody_noticed_is_set_aside_at_start_and_made_good(tmp_path: Path) -> None:
    with counted(tmp_path) as (services, engine):
        run_statement(services, VETTED, Statement(SALES))
        (path,) = (services.workspaces.root / GOODS / NAME).glob("*.parquet")
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        with workspaces_built(services):
            eventually(lambda: len(engine.written) == 2 and states(services) == {"sales": "ready"})
        assert services.workspaces.damaged(GOODS, NAME) == (f"{path.name}.damaged",)
        assert run_statement(services, VETTED, Statement(f"{SALES} LIMIT 1")).receipt.rows == 1


def test_a_copy_that_cannot_be_built_is_left_to_who_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workers, "ROUND", 0.05)
    with counted(tmp_path) as (services, _):
        manifest = services.releases.latest(NAME)
        assert manifest is not None
        (origin,) = services.releases.paths(manifest)
        origin.chmod(0o600)
        origin.write_bytes(origin.read_bytes()[:-9])
        give(services, OTHER)
        with workspaces_built(services):
            eventually(lambda: states(services) == {"sales": "waiting", "salaries": "ready"})
            eventually(lambda: "RELEASE_DAMAGED" in caplog.text)
        assert caplog.text.count("RELEASE_DAMAGED") == 1, "it is not tried again and again"


def test_a_portal_that_stops_leaves_no_half_built_copy(tmp_path: Path) -> None:
    def stop(_share: float, _words: str) -> None:
        raise Cancelled

    with counted(tmp_path) as (services, _):
        wanted = wanted_copy(services, GOODS, NAME)
        assert wanted is not None
        with pytest.raises(Cancelled):
            build_copy(services, wanted, stop)
        assert states(services) == {"sales": "waiting"}
        assert [path.name for path in (services.workspaces.root / GOODS / NAME).iterdir()] == [".lock"]
        assert not services.ledger.search(action=Action.WORKSPACE_BUILT)


def test_base_cells_are_made_at_start_so_that_the_first_question_waits_for_nothing(tmp_path: Path) -> None:
    with a_portal(tmp_path) as services:
        assert {wanted.dataset for wanted in missing_bases(services)} == {"traders"}
        with workspaces_built(services):
            eventually(lambda: not list(missing_bases(services)))
        engine = CountingEngine()
        counting = replace(services, trusted=engine)
        run_statement(counting, VETTED, Statement("SELECT count(*) AS n FROM traders"))
        assert engine.written == []
