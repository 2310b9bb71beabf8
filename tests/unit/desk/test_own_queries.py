from collections.abc import Iterator

import pytest
from support.portal import GOODS, OSCAR, REGISTERED, SALES, VETTED, a_portal

from portal.desk.answers import Asker
from portal.desk.own_queries import (
    Draft,
    keep_query,
    own_library,
    own_name,
    own_versions,
    revise_query,
    show_to,
)
from portal.desk.saved import fork_query, run_saved_query, statement_named
from portal.desk.services import Services
from portal.errors import NotFoundError, PolicyRefusal, PortalError, UsageError
from portal.ids import OwnQueryId, ProjectId, QueryName
from portal.ledger import Action
from portal.policy.people import Project
from portal.registry import Audit, SeenBy
from portal.sql.plan import Statement

DEARER = Statement("SELECT country FROM sales WHERE price > $least ORDER BY ALL", {"least": 15})
COLLEAGUE = Asker(OSCAR, GOODS)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with a_portal(tmp_path_factory.mktemp("own")) as services:
        services.registry.add_member(GOODS, OSCAR, audit=Audit(None, services.clock()))
        yield services


def kept(services: Services, title: str, seen_by: SeenBy = SeenBy.OWNER, asker: Asker = VETTED) -> OwnQueryId:
    return keep_query(services, asker, Draft(title, DEARER, seen_by=seen_by)).id


def titles(services: Services, asker: Asker) -> list[str]:
    return [query.title for query in own_library(services, asker)]


def test_a_kept_query_is_run_by_its_name_with_its_values_or_others(portal: Services) -> None:
    query = keep_query(portal, VETTED, Draft("Dearer", DEARER))
    name = QueryName(f"own/{query.id}")
    assert statement_named(portal, VETTED, name, {}) == DEARER
    assert run_saved_query(portal, VETTED, name, {}).receipt.rows == 1
    assert run_saved_query(portal, VETTED, name, {"least": "1"}).receipt.rows == 2
    with pytest.raises(UsageError, match="must be of type integer"):
        statement_named(portal, VETTED, name, {"least": "cheap"})
    with pytest.raises(UsageError, match="has no parameter"):
        statement_named(portal, VETTED, name, {"most": "1"})


def test_an_own_query_is_its_owners_alone_until_it_is_shared(portal: Services) -> None:
    query = kept(portal, "Mine")
    assert "Mine" not in titles(portal, COLLEAGUE)
    with pytest.raises(NotFoundError):
        own_versions(portal, COLLEAGUE, query)
    show_to(portal, VETTED, query, SeenBy.PROJECT)
    assert "Mine" in titles(portal, COLLEAGUE)
    assert [version.version for version in own_versions(portal, COLLEAGUE, query)] == [2]
    assert [version.version for version in own_versions(portal, VETTED, query)] == [2, 1]
    show_to(portal, VETTED, query, SeenBy.OWNER)
    assert "Mine" not in titles(portal, COLLEAGUE)
    with pytest.raises(NotFoundError):
        own_versions(portal, COLLEAGUE, query)


def test_nobody_outside_of_the_project_learns_of_its_queries(portal: Services) -> None:
    query = kept(portal, "Shared", SeenBy.PROJECT)
    outside = (REGISTERED, Asker(VETTED.person, None), Asker(OSCAR, None))
    seen = []
    for asker in outside:
        assert "Shared" not in titles(portal, asker)
        for name in (f"own/{query}", f"own/{query}.1", "own/000000000000"):
            with pytest.raises(NotFoundError) as refusal:
                statement_named(portal, asker, QueryName(name), {})
            seen.append(str(refusal.value.faults))
    assert len(set(seen)) == 1, "one that is there reads as one that is not"
    with pytest.raises(PolicyRefusal):
        own_library(portal, Asker(REGISTERED.person, GOODS))


def test_what_a_shared_query_answers_is_decided_anew_for_whoever_opens_it(portal: Services) -> None:
    query = keep_query(portal, VETTED, Draft("Rows", Statement("SELECT id, seller FROM sales"), seen_by=SeenBy.PROJECT))
    name = own_name(query)
    answers = [run_saved_query(portal, asker, name, {}).receipt for asker in (VETTED, COLLEAGUE)]
    assert [receipt.person for receipt in answers] == [VETTED.person, OSCAR]
    portal.registry.add_project(
        Project(ProjectId("other"), "Other", "To know.", *_days(portal), frozenset({OSCAR}), ("DE",)),
        audit=Audit(None, portal.clock()),
    )
    stranger = Asker(OSCAR, ProjectId("other"))
    mine = keep_query(portal, stranger, Draft("Copied", Statement(query.sql)))
    with pytest.raises(PortalError):
        run_saved_query(portal, stranger, own_name(mine), {})


def _days(portal: Services) -> tuple:  # type: ignore[type-arg]
    goods = portal.registry.project(GOODS)
    assert goods
    return goods.starts, goods.ends


def test_a_version_stays_what_it_was_and_a_member_may_write_the_next(portal: Services) -> None:
    query = kept(portal, "Ours", SeenBy.PROJECT)
    revise_query(portal, COLLEAGUE, query, Draft("Ours, mended", Statement(SALES), seen_by=SeenBy.PROJECT))
    assert statement_named(portal, VETTED, QueryName(f"own/{query}.1"), {}) == DEARER
    assert statement_named(portal, VETTED, QueryName(f"own/{query}"), {}).text == SALES
    newest = own_versions(portal, VETTED, query)[0]
    assert (newest.owner, newest.author) == (VETTED.person, OSCAR)
    with pytest.raises(PolicyRefusal, match="Only its owner"):
        show_to(portal, COLLEAGUE, query, SeenBy.NOBODY)


def test_a_fork_is_ones_own_and_names_where_it_comes_from(portal: Services) -> None:
    query = kept(portal, "Origin", SeenBy.PROJECT)
    fork = fork_query(portal, COLLEAGUE, QueryName(f"own/{query}"))
    assert (fork.owner, fork.version, fork.seen_by, fork.origin) == (OSCAR, 1, SeenBy.OWNER, f"own/{query}.1")
    assert fork.sql == DEARER.text
    library = fork_query(portal, VETTED, QueryName("traders/sales_by_country"))
    assert (library.origin, library.parameters) == ("traders/sales_by_country", {"least": 0.0})


def test_a_query_put_away_is_gone_for_everybody(portal: Services) -> None:
    query = kept(portal, "Gone", SeenBy.PROJECT)
    show_to(portal, VETTED, query, SeenBy.NOBODY)
    for asker in (VETTED, COLLEAGUE):
        assert "Gone" not in titles(portal, asker)
        with pytest.raises(NotFoundError):
            statement_named(portal, asker, QueryName(f"own/{query}.1"), {})


def test_the_ledger_names_each_version_and_holds_none_of_its_text(portal: Services) -> None:
    query = kept(portal, "A title of mine")
    [entry] = portal.ledger.search(subject=query)
    assert entry.action is Action.QUERY_KEPT
    assert entry.actor == VETTED.person
    assert "sales" not in str(entry.details)
    assert "mine" not in str(entry.details)


@pytest.mark.parametrize(
    "draft",
    [
        Draft(" ", DEARER),
        Draft("x" * 201, DEARER),
        Draft("Empty", Statement(" ")),
        Draft("Long", Statement("x" * 100_001)),
        Draft("Null", Statement("SELECT $a", {"a": None})),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(portal: Services, draft: Draft) -> None:
    with pytest.raises(UsageError) as refusal:
        keep_query(portal, VETTED, draft)
    assert refusal.value.faults[0].fix


def test_without_a_project_nothing_is_shared(portal: Services) -> None:
    with pytest.raises(UsageError, match="none is chosen"):
        kept(portal, "All", SeenBy.PROJECT, REGISTERED)
    kept(portal, "Alone", asker=REGISTERED)
    assert "Alone" in titles(portal, REGISTERED)
    assert "Alone" not in titles(portal, Asker(OSCAR, None))
