"""Asking: SQL of one's own, and the library of saved queries."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from portal.api.answers import answered, wanted_media
from portal.api.asking import TheAsker, TheServices, check_project
from portal.api.bodies import ParametersBody, StatementBody
from portal.api.conditional import CACHED, told
from portal.api.examples import UNCHANGED, shown, shown_answer
from portal.api.lanes import takes_long
from portal.api.paging import PAGED, ThePage, one_page
from portal.desk.saved import library, run_saved_query
from portal.desk.statements import run_statement
from portal.ids import QueryName
from portal.sql.plan import Statement

ROUTER = APIRouter(tags=["queries"])
_LIST = {**shown("queries", "One page of them, by name.", **PAGED, **CACHED), **UNCHANGED}


@ROUTER.post("/query", response_class=Response, responses=shown_answer())
@takes_long
def query(services: TheServices, asker: TheAsker, request: Request, body: StatementBody) -> Response:
    """Answer a statement."""
    check_project(asker, body.project)
    media = wanted_media(request)
    return answered(services, request, run_statement(services, asker, Statement(body.sql, body.parameters)), media)


@ROUTER.get("/queries", response_class=Response, responses=_LIST)
def queries(services: TheServices, asker: TheAsker, request: Request, page: ThePage) -> Response:
    """List the saved queries that are open to you."""
    found = sorted(library(services, asker), key=lambda saved: saved.name)
    part, headers = one_page(request, page, found, lambda saved: saved.name)
    told_of = [
        {"name": saved.name, "topic": saved.topic, **saved.front.model_dump(mode="json"), "sql": saved.sql}
        for saved in part
    ]
    return told(request, told_of, headers)


@ROUTER.post("/queries/{topic}/{name}/run", response_class=Response, responses=shown_answer())
@takes_long
def run(  # noqa: PLR0913, PLR0917 - what the route names, and what every route is handed
    services: TheServices, asker: TheAsker, request: Request, topic: str, name: str, body: ParametersBody
) -> Response:
    """Run a saved query."""
    media = wanted_media(request)
    answer = run_saved_query(services, asker, QueryName(f"{topic}/{name}"), body.parameters)
    return answered(services, request, answer, media)
