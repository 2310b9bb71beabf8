"""The registry as the rest of the portal uses it: small methods, one fact each.

No change without an audit: every method that changes something takes `audit` and writes its entry to the ledger in the
same transaction, so that both are kept or neither. The one exception is the time at which a token was last used.

All methods raise `LimitReached` where the records stay busy and `EngineFailure` where they are away.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from portal.errors import Fault, UsageError
from portal.ids import DatasetName, DownloadId, PersonId, ProjectId
from portal.ledger.entries import Action
from portal.policy.people import Grant, Person, Project
from portal.registry.applications import Applications
from portal.registry.changes import Records, require, rows_of
from portal.registry.mapping import (
    download_from,
    grant_from,
    grant_row,
    narrowing_json,
    person_from,
    project_from,
    project_row,
    row_of,
    token_from,
)
from portal.registry.own_queries import OwnQueries
from portal.registry.records import Audit, DownloadRecord, TokenInfo
from portal.registry.secrets import Secret
from portal.registry.tables import downloads, grants, members, people, projects, tokens
from portal.storage import writing

LAST_USE_PRECISION = timedelta(minutes=1)
"""A token's last use is kept this finely, so that a busy token does not write at every request."""
_PROJECT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", re.ASCII)
"""A project's id names its folders. None begins with `_`, as the workspaces do that are open to a whole tier."""
_BAD_PROJECT_ID = Fault(
    "PROJECT_ID",
    "A project cannot have this id.",
    fix="Use at most 63 letters, digits, - and _, and begin with a letter or digit.",
)


@dataclass(frozen=True, slots=True)
class Registry(Records):
    """People, projects, grants, tokens and downloads; and `applications` for them, and kept queries."""

    @property
    def applications(self) -> Applications:
        """The applications for access, in the same transaction."""
        return Applications(self.engine, self.ledger, self.joined)

    @property
    def own_queries(self) -> OwnQueries:
        """The queries that researchers keep, in the same transaction."""
        return OwnQueries(self.engine, self.ledger, self.joined)

    # People

    def person(self, person: PersonId) -> Person | None:
        """Return the person, admitted or not; None where nobody is known by that id."""
        row = self._one(select(people).where(people.c.id == person))
        return None if row is None else person_from(row)

    def people(self) -> tuple[Person, ...]:
        """Return everybody, by id."""
        return tuple(person_from(row) for row in self._all(select(people).order_by(people.c.id)))

    def add_person(self, person: Person, *, audit: Audit) -> None:
        """Admit somebody. Raises `UsageError` where the id is taken."""
        details = {"name": person.name, "tier": person.tier, "active": person.active}
        with self.recorded(audit, Action.PERSON_CHANGED, person.id, None, details) as connection:
            connection.execute(insert(people).values(row_of(person)))

    def set_active(self, person: PersonId, active: bool, *, audit: Audit) -> None:  # noqa: FBT001 - the value is the point
        """Admit a person again, or no longer. Raises `NotFoundError`."""
        with self.recorded(audit, Action.PERSON_CHANGED, person, None, {"active": active}) as connection:
            result = connection.execute(update(people).where(people.c.id == person).values(active=active))
            require(result.rowcount, "person", "portal people")

    # Projects

    def project(self, project: ProjectId) -> Project | None:
        """Return the project with its members; None where there is none."""
        found = self._projects(select(projects).where(projects.c.id == project))
        return found[0] if found else None

    def projects(self) -> tuple[Project, ...]:
        """Return all projects, by id."""
        return self._projects(select(projects).order_by(projects.c.id))

    def projects_of(self, person: PersonId) -> tuple[Project, ...]:
        """Return the projects that the person is a member of, by id."""
        theirs = select(members.c.project).where(members.c.person == person)
        return self._projects(select(projects).where(projects.c.id.in_(theirs)).order_by(projects.c.id))

    def add_project(self, project: Project, *, audit: Audit) -> None:
        """Open a project with its members.

        Raises `UsageError` where the id is taken or can be no folder's name, or a member is not known.
        """
        if not _PROJECT_ID.fullmatch(project.id):
            raise UsageError(_BAD_PROJECT_ID)
        row = project_row(project)
        details = row | {"members": sorted(project.members)}
        with self.recorded(audit, Action.PROJECT_CHANGED, project.id, project.id, details) as connection:
            connection.execute(insert(projects).values(row))
            for person in sorted(project.members):
                connection.execute(insert(members).values(project=project.id, person=person))

    def add_member(self, project: ProjectId, person: PersonId, *, audit: Audit) -> None:
        """Let a person in. Raises `UsageError` where they are in already, or either is not known."""
        with self.recorded(audit, Action.PROJECT_CHANGED, project, project, {"joined": person}) as connection:
            connection.execute(insert(members).values(project=project, person=person))

    def remove_member(self, project: ProjectId, person: PersonId, *, audit: Audit) -> None:
        """Let a person go. Raises `NotFoundError`."""
        with self.recorded(audit, Action.PROJECT_CHANGED, project, project, {"left": person}) as connection:
            here = (members.c.project == project) & (members.c.person == person)
            require(connection.execute(members.delete().where(here)).rowcount, "member", "portal projects")

    def set_last_day(self, project: ProjectId, ends: date, *, audit: Audit) -> None:
        """Have a project last longer, or end. Raises `NotFoundError`."""
        with self.recorded(audit, Action.PROJECT_CHANGED, project, project, {"ends": ends}) as connection:
            result = connection.execute(update(projects).where(projects.c.id == project).values(ends=ends))
            require(result.rowcount, "project", "portal projects list")

    # Grants

    def grant(self, dataset: DatasetName, project: ProjectId, today: date) -> Grant | None:
        """Return the grant in force on that day, else the one given last; None where none was ever given."""
        given = [grant for grant in self.grants_of(project) if grant.dataset == dataset]
        in_force = [grant for grant in given if grant.is_active(today)]
        return next(reversed(in_force or given), None)

    def grants_of(self, project: ProjectId) -> tuple[Grant, ...]:
        """Return every grant that the project was ever given, oldest first."""
        query = select(grants).where(grants.c.project == project).order_by(grants.c.number)
        return tuple(grant_from(row) for row in self._all(query))

    def give_grant(self, grant: Grant, *, audit: Audit) -> None:
        """Give a grant; where an older one holds on the same days, this one counts. Raises `UsageError`."""
        details = {"starts": grant.starts, "ends": grant.ends, "narrowing": narrowing_json(grant.narrowing)}
        with self.recorded(audit, Action.GRANT_GIVEN, grant.dataset, grant.project, details) as connection:
            number = select(func.coalesce(func.max(grants.c.number), 0) + 1).scalar_subquery()
            connection.execute(insert(grants).values(grant_row(grant) | {"number": number}))

    def revoke_grant(self, dataset: DatasetName, project: ProjectId, *, audit: Audit) -> None:
        """End every grant of the dataset to the project, those to come as well. Raises `NotFoundError`."""
        with self.recorded(audit, Action.GRANT_ENDED, dataset, project, {}) as connection:
            here = (grants.c.dataset == dataset) & (grants.c.project == project) & grants.c.revoked_at.is_(None)
            result = connection.execute(update(grants).where(here).values(revoked_at=audit.at))
            require(result.rowcount, "grant", "portal grants")

    # Tokens

    def issue_token(
        self, person: PersonId, project: ProjectId, name: str, expires_at: datetime, *, audit: Audit
    ) -> tuple[TokenInfo, str]:
        """Return a new token and its secret, which can be shown this once only. Raises `UsageError`."""
        secret = Secret.fresh()
        token = TokenInfo(secret.id, person, project, name, audit.at, expires_at)
        details = {"person": person, "name": name, "expires_at": expires_at}
        with self.recorded(audit, Action.TOKEN_ISSUED, token.id, project, details) as connection:
            connection.execute(insert(tokens).values(row_of(token) | {"secret_hash": secret.hash}))
        return token, secret.text

    def resolve_token(self, secret: str, now: datetime) -> TokenInfo | None:
        """Return the token that the secret is of; None where there is none or it is over. Keeps the time of use."""
        given = Secret.read(secret)
        row = given and self._one(select(tokens).where(tokens.c.id == given.id))
        if not given or not row or not given.fits(row["secret_hash"]):
            return None
        token = token_from(row)
        if not token.is_valid(now):
            return None
        if token.last_used_at is None or now - token.last_used_at >= LAST_USE_PRECISION:
            with writing(self.engine) as connection:
                connection.execute(update(tokens).where(tokens.c.id == token.id).values(last_used_at=now))
        return token

    def revoke_token(self, token: str, *, audit: Audit) -> None:
        """End a token at once. Raises `NotFoundError` where there is none, or it was ended before."""
        with self.recorded(audit, Action.TOKEN_REVOKED, token, None, {}) as connection:
            here = (tokens.c.id == token) & tokens.c.revoked_at.is_(None)
            result = connection.execute(update(tokens).where(here).values(revoked_at=audit.at))
            require(result.rowcount, "token", "portal tokens")

    def tokens_for(self, project: ProjectId) -> tuple[TokenInfo, ...]:
        """Return every token that was ever given for the project, oldest first."""
        query = select(tokens).where(tokens.c.project == project).order_by(tokens.c.created_at, tokens.c.id)
        return tuple(token_from(row) for row in self._all(query))

    def tokens_of(self, person: PersonId) -> tuple[TokenInfo, ...]:
        """Return every token that the person was ever given, oldest first."""
        query = select(tokens).where(tokens.c.person == person).order_by(tokens.c.created_at, tokens.c.id)
        return tuple(token_from(row) for row in self._all(query))

    # Downloads

    def add_download(self, record: DownloadRecord, *, audit: Audit) -> None:
        """Keep a download that was made. Raises `UsageError`."""
        details = {
            "receipt": record.receipt_id,
            "sources": [{"dataset": each["dataset"]} for each in record.receipt.get("sources", ())],
            "format": record.format,
            "rows": record.rows,
            "bytes": record.bytes,
            "sha256": record.sha256,
            "expires_at": record.expires_at,
        }
        with self.recorded(audit, Action.DOWNLOAD_MADE, record.id, record.project, details) as connection:
            connection.execute(insert(downloads).values(row_of(record)))

    def download(self, download: DownloadId) -> DownloadRecord | None:
        """Return the download, expired or not; None where there is none."""
        row = self._one(select(downloads).where(downloads.c.id == download))
        return None if row is None else download_from(row)

    def downloads_of(self, project: ProjectId | None) -> tuple[DownloadRecord, ...]:
        """Return the downloads of a project, or of those who come without one, newest first."""
        query = select(downloads).where(downloads.c.project == project)
        rows = self._all(query.order_by(downloads.c.created_at.desc(), downloads.c.id))
        return tuple(download_from(row) for row in rows)

    def _projects(self, query: Select[Any]) -> tuple[Project, ...]:
        with self._reading() as connection:
            return tuple(project_from(row, _members(connection, row["id"])) for row in rows_of(connection, query))


def _members(connection: Connection, project: ProjectId) -> list[PersonId]:
    query = select(members.c.person).where(members.c.project == project)
    return [PersonId(person) for person in connection.execute(query).scalars()]
