"""Asking: SQL of one's own, and the library of saved queries."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from portal.api.answers import answered, wanted_media
from portal.api.asking import TheAsker, TheServices, check_project
from portal.api.bodies import ParametersBody, StatementBody
from portal.api.lanes import takes_long
from portal.api.media import FORMATS
from portal.desk.saved import library, run_saved_query
from portal.desk.statements import run_statement
from portal.ids import QueryName
from portal.sql.plan import Statement

ROUTER = APIRouter(tags=["queries"])
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {media: {} for media in FORMATS}, "description": "The answer, in the form that Accept names."}
}


@ROUTER.post("/query", response_class=Response, responses=ANSWERS)
@takes_long
def query(services: TheServices, asker: TheAsker, request: Request, body: StatementBody) -> Response:
    """Answer a statement."""
    check_project(asker, body.project)
    media = wanted_media(request)
    return answered(services, run_statement(services, asker, Statement(body.sql, body.parameters)), media)


@ROUTER.get("/queries")
def queries(services: TheServices, asker: TheAsker) -> list[dict[str, Any]]:
    """List the saved queries that are open to you."""
    return [
        {"name": saved.name, "topic": saved.topic, **saved.front.model_dump(mode="json"), "sql": saved.sql}
        for saved in library(services, asker)
    ]


@ROUTER.post("/queries/{topic}/{name}/run", response_class=Response, responses=ANSWERS)
@takes_long
def run(  # noqa: PLR0913, PLR0917 - what the route names, and what every route is handed
    services: TheServices, asker: TheAsker, request: Request, topic: str, name: str, body: ParametersBody
) -> Response:
    """Run a saved query."""
    media = wanted_media(request)
    answer = run_saved_query(services, asker, QueryName(f"{topic}/{name}"), body.parameters)
    return answered(services, answer, media)
