"""What every part of the registry reads and writes with."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Self

from sqlalchemy import Connection, Engine, Select

from portal.errors import Fault, NotFoundError
from portal.ids import ProjectId
from portal.ledger.entries import Action, Event
from portal.ledger.ledger import Ledger
from portal.registry.records import Audit
from portal.storage import reading, writing


@dataclass(frozen=True, slots=True)
class Records:
    """Records in the portal's database. `joined`: the transaction that all of it is part of, see `together`."""

    engine: Engine
    ledger: Ledger
    joined: Connection | None = None

    @contextmanager
    def together(self) -> Iterator[Self]:
        """Give the same records, whose changes within the block are one: all are kept, or none."""
        with self._writing() as connection:
            yield replace(self, joined=connection)

    def _writing(self) -> AbstractContextManager[Connection]:
        return writing(self.engine) if self.joined is None else nullcontext(self.joined)

    def _reading(self) -> AbstractContextManager[Connection]:
        return reading(self.engine) if self.joined is None else nullcontext(self.joined)

    @contextmanager
    def recorded(
        self, audit: Audit, action: Action, subject: str, project: ProjectId | None, details: Mapping[str, Any]
    ) -> Iterator[Connection]:
        """Make a change and its entry in the ledger, in one transaction."""
        event = Event(action=action, actor=audit.actor, project=project, subject=subject, details=details)
        with self._writing() as connection:
            yield connection
            self.ledger.append(connection, event, audit.at)

    def _one(self, query: Select[Any]) -> Mapping[str, Any] | None:
        return next(iter(self._all(query)), None)

    def _all(self, query: Select[Any]) -> tuple[Mapping[str, Any], ...]:
        with self._reading() as connection:
            return rows_of(connection, query)


def rows_of(connection: Connection, query: Select[Any]) -> tuple[Mapping[str, Any], ...]:
    """Return the rows by their columns' names."""
    return tuple(dict(row) for row in connection.execute(query).mappings())


def require(found: int, kind: str, command: str) -> None:
    """Raise `NotFoundError` where nothing was found to change."""
    if not found:
        fault = Fault("NOT_FOUND", f"There is no such {kind}.", fix=f"List what there is with `{command}`.")
        raise NotFoundError(fault)
