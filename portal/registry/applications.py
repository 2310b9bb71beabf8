"""Applications for access and the notices that follow from them, as the registry keeps them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import func, insert, select, update

from portal.errors import Fault, NotFoundError, PolicyRefusal
from portal.ids import ApplicationId
from portal.ledger.entries import Action
from portal.registry.changes import Records, require
from portal.registry.records import Audit
from portal.registry.tables import applications, notices
from portal.vetting.application import Application, State
from portal.vetting.notices import Event, Notice


@dataclass(frozen=True, slots=True)
class Applications(Records):
    """Every change is one step, and one entry in the ledger whose subject is the application: its timeline."""

    def all(self, *states: State) -> tuple[Application, ...]:
        """Return the applications, of these states where any are named, oldest first."""
        query = select(applications.c.document).order_by(applications.c.number)
        query = query.where(applications.c.state.in_(states)) if states else query
        return tuple(_application_from(row) for row in self._all(query))

    def find(self, application: ApplicationId) -> Application:
        """Return the application. Raises `NotFoundError`."""
        row = self._one(select(applications.c.document).where(applications.c.id == application))
        if row is None:
            raise NotFoundError(
                Fault("NO_SUCH_APPLICATION", "You have no such application.", fix="List yours, and name one of them.")
            )
        return _application_from(row)

    def add(self, application: Application, details: Mapping[str, Any], *, audit: Audit) -> None:
        """Keep a new application. Raises `UsageError` where its reasoned request is there already."""
        with self.recorded(audit, Action.APPLICATION_CHANGED, application.id, None, details) as connection:
            number = select(func.coalesce(func.max(applications.c.number), 0) + 1).scalar_subquery()
            connection.execute(insert(applications).values(_row_of(application) | {"number": number}))

    def step(
        self,
        application: ApplicationId,
        seen: int | None,
        change: Callable[[Application], Application],
        details: Mapping[str, Any],
        *,
        audit: Audit,
    ) -> Application:
        """Change an application, by one writer at a time, and return it as it is then.

        `seen` is the version that the change was decided on. Raises `PolicyRefusal` where it is another by now,
        `NotFoundError`, and whatever `change` raises.
        """
        with self.together() as records:
            before = records.find(application)
            if seen not in (None, before.version):
                raise PolicyRefusal(_changed_meanwhile(before))
            after = change(before)
            told = {**details, "from": before.state, "to": after.state, "version": after.version}
            with records.recorded(audit, Action.APPLICATION_CHANGED, after.id, after.project, told) as connection:
                connection.execute(update(applications).where(applications.c.id == after.id).values(_row_of(after)))
        return after

    def notices(self, application: ApplicationId | None = None) -> tuple[Notice, ...]:
        """Return the notices, of one application or all, oldest first."""
        query = select(notices).order_by(notices.c.number)
        query = query if application is None else query.where(notices.c.application == application)
        return tuple(Notice(**{**row, "event": Event(row["event"])}) for row in self._all(query))

    def add_notice(self, notice: Notice, *, audit: Audit) -> None:
        """Keep a notice to be sent, under the next number."""
        details = {"event": notice.event, "due": notice.due}
        with self.recorded(audit, Action.NOTICE_DRAFTED, notice.application, None, details) as connection:
            number = select(func.coalesce(func.max(notices.c.number), 0) + 1).scalar_subquery()
            row = {field.name: getattr(notice, field.name) for field in fields(notice)}
            connection.execute(insert(notices).values(row | {"number": number}))

    def mark_sent(self, number: int, *, audit: Audit) -> Notice:
        """Write down that a notice was sent. Raises `NotFoundError` where there is none, or it was sent before."""
        with self.together() as records:
            found = [notice for notice in records.notices() if notice.number == number and notice.sent_at is None]
            require(len(found), "notice to be sent", "portal applications notices")
            sent = replace(found[0], sent_at=audit.at, sent_by=audit.actor)
            details = {"number": number, "event": sent.event, "due": sent.due}
            with records.recorded(audit, Action.NOTICE_SENT, sent.application, None, details) as connection:
                here = notices.c.number == number
                connection.execute(update(notices).where(here).values(sent_at=sent.sent_at, sent_by=sent.sent_by))
        return sent


def _row_of(application: Application) -> dict[str, Any]:
    return {
        "id": application.id,
        "way": application.way,
        "state": application.state,
        "version": application.version,
        "reference": application.reference,
        "project": application.project,
        "document": application.model_dump(mode="json"),
    }


def _application_from(row: Mapping[str, Any]) -> Application:
    return Application.model_validate(row["document"])


def _changed_meanwhile(now: Application) -> Fault:
    return Fault(
        "APPLICATION_CHANGED",
        f"Somebody else was first: the application is {now.state} by now, at version {now.version}.",
        rule="vetting",
        fix="Read its timeline, and decide again if it is still to be decided.",
    )
