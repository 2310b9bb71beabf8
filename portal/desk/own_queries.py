"""Queries that researchers keep for themselves and their projects.

What is kept is a text and never an answer: whoever opens one asks anew, and what they may see is decided anew for them.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType

from portal.desk.access import identify, project_of
from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.errors import Fault, NotFoundError, PolicyRefusal, UsageError
from portal.ids import OwnQueryId, QueryName
from portal.registry import Audit, OwnQuery, SeenBy
from portal.sql.plan import Statement

TOPIC = "own"
"""Stands where the library's queries name their topic: `own/<id>` is the newest version, `own/<id>.2` the second."""
LONGEST_SQL, LONGEST_TITLE, MOST_VERSIONS = 100_000, 200, 500
KINDS: Mapping[type, str] = MappingProxyType(
    {str: "text", bool: "boolean", int: "integer", float: "number", date: "date"}
)
"""What a kept parameter may be, and how the library names its type."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a researcher wants kept. Parameters are the values with which the query is asked unless others are given."""

    title: str
    statement: Statement
    question: str = ""
    seen_by: SeenBy = SeenBy.OWNER
    origin: str | None = None


def own_name(query: OwnQuery) -> QueryName:
    """Return the name of a version that stays what it is."""
    return QueryName(f"{TOPIC}/{query.id}.{query.version}")


def own_library(services: Services, asker: Asker) -> tuple[OwnQuery, ...]:
    """Return the newest version of each query that the asker, in this project, may see; the newest first."""
    identify(services, asker.person)
    project_of(services, asker)
    return tuple(query for query in services.registry.own_queries.latest_in(asker.project) if _sees(asker, query))


def own_versions(services: Services, asker: Asker, query: OwnQueryId) -> tuple[OwnQuery, ...]:
    """Return the versions that the asker may see, the newest first. Raises `NotFoundError` where there is none.

    Sharing shows what was written from then on: a version that was its owner's alone stays so.
    """
    identify(services, asker.person)
    project_of(services, asker)
    versions = services.registry.own_queries.versions(query)
    seen = tuple(version for version in versions if _sees(asker, version))
    if not versions or not _sees(asker, versions[0]):
        raise NotFoundError(
            Fault("NO_SUCH_QUERY", "There is no such query open to you.", fix="See the queries of your project.")
        )
    return seen


def own_query(services: Services, asker: Asker, name: QueryName) -> OwnQuery:
    """Return the version that a name, such as `own/3f2a` or `own/3f2a.2`, stands for. Raises `NotFoundError`."""
    query, _, number = name.removeprefix(f"{TOPIC}/").partition(".")
    versions = own_versions(services, asker, OwnQueryId(query))
    found = next((version for version in versions if number in ("", str(version.version))), None)
    if found is None:
        raise NotFoundError(Fault("NO_SUCH_VERSION", "There is no such version open to you.", fix="See its versions."))
    return found


def keep_query(services: Services, asker: Asker, draft: Draft) -> OwnQuery:
    """Keep a new query. Raises `UsageError` where it cannot be kept as it is."""
    identify(services, asker.person)
    project_of(services, asker)
    query = OwnQuery(
        id=OwnQueryId(secrets.token_hex(6)),
        version=1,
        owner=asker.person,
        author=asker.person,
        project=asker.project,
        seen_by=draft.seen_by,
        title=draft.title.strip(),
        question=draft.question.strip(),
        sql=draft.statement.text,
        parameters=dict(draft.statement.parameters),
        origin=draft.origin,
        at=services.clock(),
    )
    return _keep(services, asker, query)


def revise_query(services: Services, asker: Asker, query: OwnQueryId, draft: Draft) -> OwnQuery:
    """Keep a new version of a query: its owner, or where it is shared any member. Only the owner says who sees it."""
    newest = own_versions(services, asker, query)[0]
    if draft.seen_by is not newest.seen_by and asker.person != newest.owner:
        raise PolicyRefusal(
            Fault(
                "NOT_THE_OWNER",
                "Only its owner says who sees a query.",
                rule="a kept query belongs to who wrote its first version",
                fix="Fork it, and the fork is yours.",
            )
        )
    version = replace(
        newest,
        version=newest.version + 1,
        author=asker.person,
        seen_by=draft.seen_by,
        title=draft.title.strip(),
        question=draft.question.strip(),
        sql=draft.statement.text,
        parameters=dict(draft.statement.parameters),
        at=services.clock(),
    )
    return _keep(services, asker, version)


def show_to(services: Services, asker: Asker, query: OwnQueryId, seen_by: SeenBy) -> OwnQuery:
    """Say who sees a query from now on; nobody puts it away."""
    return revise_query(
        services, asker, query, replace(draft_of(own_versions(services, asker, query)[0]), seen_by=seen_by)
    )


def draft_of(query: OwnQuery) -> Draft:
    """Return a version as what could be kept again."""
    return Draft(query.title, Statement(query.sql, query.parameters), query.question, query.seen_by, query.origin)


def _sees(asker: Asker, query: OwnQuery) -> bool:
    """Whether the asker, in the project that they ask for, sees this version by itself."""
    if query.project != asker.project or query.seen_by is SeenBy.NOBODY:
        return False
    return query.owner == asker.person or (query.seen_by is SeenBy.PROJECT and query.project is not None)


def _keep(services: Services, asker: Asker, query: OwnQuery) -> OwnQuery:
    if fault := _fault_of(query):
        raise UsageError(fault)
    services.registry.own_queries.keep(query, audit=Audit(asker.person, query.at))
    return query


def _fault_of(query: OwnQuery) -> Fault | None:
    bounds: Mapping[str, bool] = {
        f"A title has 1 to {LONGEST_TITLE} characters.": 0 < len(query.title) <= LONGEST_TITLE,
        f"A question has at most {LONGEST_SQL:,} characters.": len(query.question) <= LONGEST_SQL,
        f"A statement has 1 to {LONGEST_SQL:,} characters.": len(query.sql.strip()) > 0
        and len(query.sql) <= LONGEST_SQL,
        f"A query has at most {MOST_VERSIONS} versions.": query.version <= MOST_VERSIONS,
        "A parameter that is kept is a text, a number, a day, true or false.": all(
            type(value) in KINDS for value in query.parameters.values()
        ),
        "A query is shared within a project, and none is chosen.": query.seen_by is not SeenBy.PROJECT
        or query.project is not None,
    }
    broken = next((rule for rule, holds in bounds.items() if not holds), None)
    return Fault("QUERY_NOT_KEPT", broken, fix="Change it, and keep it again.") if broken else None
