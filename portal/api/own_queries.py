"""Queries that you keep for yourself and your project; each runs as `/queries/own/{name}/run`."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from portal.api.asking import TheAsker, TheServices
from portal.api.bodies import KeptBody
from portal.api.conditional import CACHED, told
from portal.api.examples import UNCHANGED, shown
from portal.api.paging import PAGED, ThePage, one_page
from portal.desk.own_queries import TOPIC, Draft, keep_query, own_library, own_name, own_versions, revise_query
from portal.desk.saved import fork_query
from portal.ids import OwnQueryId, QueryName
from portal.registry import OwnQuery, SeenBy
from portal.sql.plan import Statement

ROUTER = APIRouter(prefix="/queries", tags=["queries"])
_KEPT = shown("kept", "The version that was kept.")
_LIST = {**shown("own_queries", "One page of them, by name.", **PAGED, **CACHED), **UNCHANGED}
_VERSIONS = {**shown("own_queries", "Its versions, the newest first.", **CACHED), **UNCHANGED}


@ROUTER.get(f"/{TOPIC}", response_class=Response, responses=_LIST)
def own(services: TheServices, asker: TheAsker, request: Request, page: ThePage) -> Response:
    """List the newest versions of the queries that you and your project keep."""
    found = sorted(own_library(services, asker), key=own_name)
    part, headers = one_page(request, page, found, own_name)
    return told(request, [_record(query) for query in part], headers)


@ROUTER.post(f"/{TOPIC}", responses=_KEPT)
def keep(services: TheServices, asker: TheAsker, body: KeptBody) -> dict[str, Any]:
    """Keep a statement."""
    return _record(keep_query(services, asker, _draft(body)))


@ROUTER.get(f"/{TOPIC}/{{identifier}}", response_class=Response, responses=_VERSIONS)
def versions(services: TheServices, asker: TheAsker, request: Request, identifier: str) -> Response:
    """Give the versions of a kept query that you may see."""
    return told(request, [_record(query) for query in own_versions(services, asker, OwnQueryId(identifier))])


@ROUTER.post(f"/{TOPIC}/{{identifier}}", responses=_KEPT)
def revise(services: TheServices, asker: TheAsker, identifier: str, body: KeptBody) -> dict[str, Any]:
    """Keep the next version of a query; seen by `nobody`, it is put away."""
    return _record(revise_query(services, asker, OwnQueryId(identifier), _draft(body)))


@ROUTER.post("/{topic}/{name}/fork", responses=_KEPT)
def fork(services: TheServices, asker: TheAsker, topic: str, name: str) -> dict[str, Any]:
    """Keep a query of your own that begins as another."""
    return _record(fork_query(services, asker, QueryName(f"{topic}/{name}")))


def _draft(body: KeptBody) -> Draft:
    return Draft(body.title, Statement(body.sql, body.parameters), body.question, SeenBy(body.seen_by))


def _record(query: OwnQuery) -> dict[str, Any]:
    return {"name": own_name(query), **asdict(query)}
