from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
from support.records import AUDIT, HOSTILE_TEXTS, NOW, UNSTORABLE_TEXTS, raw, registry_in

from portal.errors import NotFoundError, PortalError, UsageError
from portal.ids import DatasetName, DownloadId, PersonId, ProjectId, ReceiptId
from portal.ledger import Action
from portal.ledger import tables as ledger_tables
from portal.policy.model import Tier
from portal.policy.people import Grant, Narrowing, Person, Project
from portal.registry import Audit, DownloadRecord, Registry
from portal.registry import tables as registry_tables

pytestmark = pytest.mark.usefixtures("each_database")

ANNA, BEN, PROJECT, DATASET = PersonId("anna"), PersonId("ben"), ProjectId("p1"), DatasetName("statements")
TODAY = NOW.date()
DAY = timedelta(days=1)


def a_person(person: PersonId = ANNA, name: str = "Anna") -> Person:
    return Person(person, name, Tier.VETTED)


def a_project(project: ProjectId = PROJECT, members: frozenset[PersonId] = frozenset({ANNA})) -> Project:
    return Project(
        project,
        "Title",
        "Purpose",
        TODAY,
        TODAY + DAY,
        members=members,
        member_states=("NL", "DE"),
        undertakings=frozenset({"b", "a"}),
        reasoned_request="DSC-1",
    )


def a_grant(starts: date = TODAY, ends: date = TODAY, **narrowing: object) -> Grant:
    return Grant(DATASET, PROJECT, starts, ends, Narrowing(**narrowing))  # type: ignore[arg-type]


def a_download(download: str = "d1", project: ProjectId | None = PROJECT) -> DownloadRecord:
    return DownloadRecord(
        id=DownloadId(download),
        person=ANNA,
        project=project,
        receipt_id=ReceiptId("r1"),
        receipt={"id": "r1", "parameters": {"from": "2026-01-01"}},
        format="parquet",
        rows=5_000_000_000,
        bytes=6_000_000_000,
        sha256="0" * 64,
        filename="out.parquet",
        path="d1/out.parquet",
        created_at=NOW,
        expires_at=NOW + DAY,
    )


def populate(registry: Registry) -> None:
    registry.add_person(a_person(), audit=AUDIT)
    registry.add_person(a_person(BEN, "Ben"), audit=AUDIT)
    registry.add_project(a_project(), audit=AUDIT)


def test_people_are_found_listed_and_no_longer_admitted(tmp_path: Path) -> None:
    with registry_in(tmp_path) as registry:
        populate(registry)
        assert registry.person(ANNA) == a_person()
        assert registry.person(PersonId("nobody")) is None
        registry.set_active(ANNA, active=False, audit=AUDIT)
        assert [(person.id, person.active) for person in registry.people()] == [(ANNA, False), (BEN, True)]


def test_a_project_keeps_its_members_and_the_order_of_its_member_states(tmp_path: Path) -> None:
    with registry_in(tmp_path) as registry:
        populate(registry)
        assert registry.project(PROJECT) == a_project()
        registry.add_member(PROJECT, BEN, audit=AUDIT)
        registry.remove_member(PROJECT, ANNA, audit=AUDIT)
        registry.add_project(a_project(ProjectId("p0"), frozenset({BEN})), audit=AUDIT)
        assert registry.project(PROJECT) == a_project(members=frozenset({BEN}))
        assert [project.id for project in registry.projects_of(BEN)] == ["p0", "p1"]
        assert registry.projects_of(ANNA) == ()
        assert [project.id for project in registry.projects()] == ["p0", "p1"]
        assert registry.project(ProjectId("none")) is None


def test_a_grant_keeps_its_narrowing(tmp_path: Path) -> None:
    narrow = a_grant(hidden=frozenset({"b", "a"}), rows="x = 'y'", since=date(2026, 1, 1), until=date(2026, 2, 1))
    with registry_in(tmp_path) as registry:
        populate(registry)
        registry.give_grant(narrow, audit=AUDIT)
        assert registry.grants_of(PROJECT) == (narrow,)


def test_the_grant_in_force_counts_and_else_the_one_given_last(tmp_path: Path) -> None:
    past = a_grant(TODAY - 9 * DAY, TODAY - 5 * DAY)
    present = a_grant(TODAY - 4 * DAY, TODAY + DAY)
    renewal = a_grant(TODAY + 2 * DAY, TODAY + 9 * DAY)
    with registry_in(tmp_path) as registry:
        populate(registry)
        assert registry.grant(DATASET, PROJECT, TODAY) is None
        for grant in (past, present, renewal):
            registry.give_grant(grant, audit=AUDIT)
        assert registry.grant(DATASET, PROJECT, TODAY) == present
        assert registry.grant(DATASET, PROJECT, TODAY + 2 * DAY) == renewal
        assert registry.grant(DATASET, PROJECT, TODAY + 30 * DAY) == renewal
        assert registry.grant(DatasetName("other"), PROJECT, TODAY) is None


def test_of_two_grants_in_force_the_later_counts(tmp_path: Path) -> None:
    with registry_in(tmp_path) as registry:
        populate(registry)
        registry.give_grant(a_grant(), audit=AUDIT)
        registry.give_grant(a_grant(rows="narrower"), audit=AUDIT)
        assert registry.grant(DATASET, PROJECT, TODAY) == a_grant(rows="narrower")


def test_revoking_ends_every_grant_of_the_pair_and_a_new_one_can_follow(tmp_path: Path) -> None:
    with registry_in(tmp_path) as registry:
        populate(registry)
        registry.give_grant(a_grant(), audit=AUDIT)
        registry.give_grant(a_grant(TODAY + DAY, TODAY + DAY), audit=AUDIT)
        registry.revoke_grant(DATASET, PROJECT, audit=Audit(BEN, NOW + DAY))
        assert [grant.revoked_at for grant in registry.grants_of(PROJECT)] == [NOW + DAY] * 2
        assert registry.grant(DATASET, PROJECT, TODAY) == replace(
            a_grant(TODAY + DAY, TODAY + DAY), revoked_at=NOW + DAY
        )
        with pytest.raises(NotFoundError):
            registry.revoke_grant(DATASET, PROJECT, audit=AUDIT)
        registry.give_grant(a_grant(), audit=AUDIT)
        assert registry.grant(DATASET, PROJECT, TODAY) == a_grant()


def test_a_token_resolves_until_it_expires_and_its_use_is_kept_by_the_minute(tmp_path: Path) -> None:
    with registry_in(tmp_path) as registry:
        populate(registry)
        token, secret = registry.issue_token(ANNA, PROJECT, "laptop", NOW + DAY, audit=AUDIT)
        assert registry.tokens_of(ANNA) == (token,)
        assert registry.resolve_token(secret, NOW) == token
        for seconds, kept in ((30, 0), (60, 60), (90, 60)):
            now = NOW + timedelta(seconds=seconds)
            assert registry.resolve_token(secret, now) is not None
            assert registry.tokens_of(ANNA)[0].last_used_at == NOW + timedelta(seconds=kept)
        assert registry.resolve_token(secret, NOW + DAY) is None


def test_a_revoked_token_is_over_at_once(tmp_path: Path) -> None:
    with registry_in(tmp_path) as registry:
        populate(registry)
        token, secret = registry.issue_token(ANNA, PROJECT, "laptop", NOW + DAY, audit=AUDIT)
        _, other = registry.issue_token(ANNA, PROJECT, "desktop", NOW + DAY, audit=AUDIT)
        registry.revoke_token(token.id, audit=AUDIT)
        assert registry.resolve_token(secret, NOW) is None
        assert registry.resolve_token(other, NOW) is not None
        with pytest.raises(NotFoundError):
            registry.revoke_token(token.id, audit=AUDIT)


def test_a_secret_that_is_not_to_the_letter_resolves_to_nothing(tmp_path: Path) -> None:
    with registry_in(tmp_path) as registry:
        populate(registry)
        _, secret = registry.issue_token(ANNA, PROJECT, "one", NOW + DAY, audit=AUDIT)
        _, other = registry.issue_token(ANNA, PROJECT, "two", NOW + DAY, audit=AUDIT)
        crossed = secret[:24] + other[24:]
        last = "0" if secret[-1] != "0" else "1"
        for wrong in (
            crossed,
            secret[:-1] + last,
            secret + "\n",
            secret.upper(),
            secret[:-1],
            *HOSTILE_TEXTS,
            "\ud83d",
        ):
            assert registry.resolve_token(wrong, NOW) is None


def test_a_tokens_secret_is_nowhere_in_the_database(tmp_path: Path) -> None:
    with registry_in(tmp_path) as registry:
        populate(registry)
        _, secret = registry.issue_token(ANNA, PROJECT, "laptop", NOW + DAY, audit=AUDIT)
        registry.resolve_token(secret, NOW)
    tables = [table.name for table in (*ledger_tables.metadata.sorted_tables, *registry_tables.metadata.sorted_tables)]
    with raw(tmp_path) as connection:
        stored = repr([connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables])
    assert "laptop" in stored
    assert secret.rpartition("_")[2] not in stored


def test_downloads_are_kept_and_listed_newest_first(tmp_path: Path) -> None:
    with registry_in(tmp_path) as registry:
        populate(registry)
        older, newer = a_download("d1"), replace(a_download("d2"), created_at=NOW + DAY)
        for record in (older, newer, a_download("d3", project=None)):
            registry.add_download(record, audit=AUDIT)
        assert registry.download(DownloadId("d1")) == older
        assert registry.download(DownloadId("none")) is None
        assert registry.downloads_of(PROJECT) == (newer, older)


def test_a_receipt_of_read_only_mappings_is_kept(tmp_path: Path) -> None:
    with registry_in(tmp_path) as registry:
        populate(registry)
        registry.add_download(replace(a_download(), receipt=MappingProxyType({"parameters": {}})), audit=AUDIT)
        found = registry.download(DownloadId("d1"))
        assert found is not None
        assert found.receipt == {"parameters": {}}


CHANGES: dict[str, tuple[Action, Callable[[Registry, Audit], object]]] = {
    "add_person": (Action.PERSON_CHANGED, lambda r, audit: r.add_person(a_person(PersonId("cleo")), audit=audit)),
    "set_active": (Action.PERSON_CHANGED, lambda r, audit: r.set_active(ANNA, False, audit=audit)),  # noqa: FBT003
    "add_project": (Action.PROJECT_CHANGED, lambda r, audit: r.add_project(a_project(ProjectId("p2")), audit=audit)),
    "add_member": (Action.PROJECT_CHANGED, lambda r, audit: r.add_member(PROJECT, BEN, audit=audit)),
    "remove_member": (Action.PROJECT_CHANGED, lambda r, audit: r.remove_member(PROJECT, ANNA, audit=audit)),
    "set_last_day": (Action.PROJECT_CHANGED, lambda r, audit: r.set_last_day(PROJECT, TODAY, audit=audit)),
    "give_grant": (Action.GRANT_GIVEN, lambda r, audit: r.give_grant(a_grant(rows="more"), audit=audit)),
    "revoke_grant": (Action.GRANT_ENDED, lambda r, audit: r.revoke_grant(DATASET, PROJECT, audit=audit)),
    "issue_token": (Action.TOKEN_ISSUED, lambda r, audit: r.issue_token(ANNA, PROJECT, "n", NOW + DAY, audit=audit)),
    "revoke_token": (
        Action.TOKEN_REVOKED,
        lambda r, audit: r.revoke_token(r.tokens_of(ANNA)[0].id, audit=audit),
    ),
    "add_download": (Action.DOWNLOAD_MADE, lambda r, audit: r.add_download(a_download("d9"), audit=audit)),
}


def state(registry: Registry) -> tuple[object, ...]:
    return (
        registry.people(),
        registry.projects(),
        registry.grants_of(PROJECT),
        registry.tokens_of(ANNA),
        registry.downloads_of(PROJECT),
    )


def populate_for_changes(registry: Registry) -> None:
    populate(registry)
    registry.give_grant(a_grant(), audit=AUDIT)
    registry.issue_token(ANNA, PROJECT, "first", NOW + DAY, audit=AUDIT)


def test_every_method_that_takes_an_audit_is_tried_here() -> None:
    takes_audit = {name for name, method in vars(Registry).items() if "audit" in getattr(method, "__annotations__", {})}
    assert takes_audit == set(CHANGES)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_and_its_entry_are_made_together(tmp_path: Path, name: str) -> None:
    action, change = CHANGES[name]
    with registry_in(tmp_path) as registry:
        populate_for_changes(registry)
        before = state(registry)
        change(registry, Audit(BEN, NOW + DAY))
        (entry,) = registry.ledger.tail(1)
        assert (entry.action, entry.actor, entry.at) == (action, BEN, NOW + DAY)
        assert state(registry) != before


@pytest.mark.parametrize("name", CHANGES)
def test_where_the_ledger_cannot_be_written_nothing_is_changed(tmp_path: Path, name: str) -> None:
    with registry_in(tmp_path) as registry, raw(tmp_path) as connection:
        populate_for_changes(registry)
        before = state(registry)
        connection.execute("UPDATE ledger_head SET signature = ''")
        with pytest.raises(PortalError):
            CHANGES[name][1](registry, AUDIT)
        assert state(registry) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.add_person(a_person(), audit=AUDIT),
        lambda r: r.add_project(a_project(), audit=AUDIT),
        lambda r: r.add_project(a_project(ProjectId("p2"), frozenset({PersonId("nobody")})), audit=AUDIT),
        lambda r: r.add_member(ProjectId("none"), ANNA, audit=AUDIT),
        lambda r: r.give_grant(replace(a_grant(), project=ProjectId("none")), audit=AUDIT),
        lambda r: r.issue_token(PersonId("nobody"), PROJECT, "n", NOW, audit=AUDIT),
        lambda r: r.set_active(PersonId("nobody"), active=False, audit=AUDIT),
        lambda r: r.remove_member(PROJECT, BEN, audit=AUDIT),
    ],
    ids=["person twice", "project twice", "member unknown", "no project", "grant", "token", "nobody", "no member"],
)
def test_a_change_that_cannot_be_leaves_no_trace(tmp_path: Path, change: Callable[[Registry], object]) -> None:
    with registry_in(tmp_path) as registry:
        populate(registry)
        before, entries = state(registry), registry.ledger.tail(100)
        with pytest.raises((UsageError, NotFoundError)):
            change(registry)
        assert (state(registry), registry.ledger.tail(100)) == (before, entries)


@pytest.mark.parametrize("hostile", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_hostile_text_in_every_field_comes_back_as_it_was(tmp_path: Path, hostile: str) -> None:
    person, project = PersonId(hostile), ProjectId("p-1")  # a project's id names folders and is no free text
    someone = Person(person, hostile, Tier.PUBLIC)
    theirs = replace(
        a_project(project, frozenset({person})),
        title=hostile,
        purpose=hostile,
        member_states=(hostile,),
        undertakings=frozenset({hostile}),
        reasoned_request=hostile,
    )
    grant = Grant(DatasetName(hostile), project, TODAY, TODAY, Narrowing(frozenset({hostile}), hostile))
    download = replace(
        a_download(hostile, project),
        person=person,
        receipt_id=ReceiptId(hostile),
        receipt={hostile: hostile},
        filename=hostile,
        path=hostile,
    )
    with registry_in(tmp_path) as registry:
        registry.add_person(someone, audit=AUDIT)
        registry.add_project(theirs, audit=AUDIT)
        registry.give_grant(grant, audit=AUDIT)
        token, secret = registry.issue_token(person, project, hostile, NOW + DAY, audit=AUDIT)
        registry.add_download(download, audit=AUDIT)
        assert registry.people() == (registry.person(person),) == (someone,)
        assert registry.projects_of(person) == (registry.project(project),) == (theirs,)
        assert registry.grants_of(project) == (registry.grant(DatasetName(hostile), project, TODAY),) == (grant,)
        assert registry.resolve_token(secret, NOW) == token
        assert registry.downloads_of(project) == (registry.download(download.id),) == (download,)
        assert registry.ledger.verify() == ()


@pytest.mark.parametrize(("given", "kept"), UNSTORABLE_TEXTS.items(), ids=range(len(UNSTORABLE_TEXTS)))
def test_text_that_no_database_can_hold_is_replaced(tmp_path: Path, given: str, kept: str) -> None:
    with registry_in(tmp_path) as registry:
        registry.add_person(Person(PersonId(given), given, Tier.PUBLIC), audit=AUDIT)
        assert registry.people() == (Person(PersonId(kept), kept, Tier.PUBLIC),)
        assert registry.person(PersonId(given)) == registry.person(PersonId(kept))
