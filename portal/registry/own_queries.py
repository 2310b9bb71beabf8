"""The queries that researchers keep: versions that never change, the last of which says who sees them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import insert, select

from portal.errors import Fault, UsageError
from portal.ids import OwnQueryId, ProjectId
from portal.ledger.entries import Action
from portal.registry.changes import Records
from portal.registry.records import Audit, OwnQuery, SeenBy
from portal.registry.tables import own_queries


@dataclass(frozen=True, slots=True)
class OwnQueries(Records):
    """Every version that is kept has an entry in the ledger, which names it and holds none of its text."""

    def keep(self, query: OwnQuery, *, audit: Audit) -> None:
        """Keep a version. Raises `UsageError` where another writer was first with its number."""
        details = {"version": query.version, "seen_by": query.seen_by, "origin": query.origin}
        with self.together() as records:
            if records.version(query.id, query.version):
                raise UsageError(_WAS_FIRST)
            with records.recorded(audit, Action.QUERY_KEPT, query.id, query.project, details) as connection:
                connection.execute(insert(own_queries).values(asdict(query)))

    def version(self, query: OwnQueryId, number: int) -> OwnQuery | None:
        """Return one version, None where there is none."""
        here = (own_queries.c.id == query) & (own_queries.c.version == number)
        row = self._one(select(own_queries).where(here))
        return _query_from(row) if row else None

    def versions(self, query: OwnQueryId) -> tuple[OwnQuery, ...]:
        """Return every version of a query, the newest first."""
        rows = self._all(select(own_queries).where(own_queries.c.id == query).order_by(own_queries.c.version.desc()))
        return tuple(map(_query_from, rows))

    def latest_in(self, project: ProjectId | None) -> tuple[OwnQuery, ...]:
        """Return the last version of each query of a project, or of those who come without, the newest first."""
        here = own_queries.c.project.is_(None) if project is None else own_queries.c.project == project
        rows = self._all(select(own_queries).where(here).order_by(own_queries.c.version))
        latest = {row["id"]: _query_from(row) for row in rows}
        return tuple(sorted(latest.values(), key=lambda query: query.at, reverse=True))


_WAS_FIRST = Fault(
    "QUERY_CHANGED",
    "Somebody else kept a version of this query meanwhile.",
    rule="a version that is kept never changes",
    fix="Look at the newest version, and keep yours again if it is still wanted.",
)


def _query_from(row: Mapping[str, Any]) -> OwnQuery:
    return OwnQuery(**{**row, "seen_by": SeenBy(row["seen_by"])})
