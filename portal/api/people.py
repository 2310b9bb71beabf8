"""About who asks: themselves, their projects, what they did, their receipts and the answers that those are of."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from portal.api.answers import answered, wanted_media
from portal.api.asking import TheAsker, TheServices
from portal.api.examples import shown, shown_answer
from portal.api.paging import MOST, PAGED, leading_on
from portal.desk.access import identify, projects_of
from portal.desk.activity import my_entries_in_project, my_receipt
from portal.desk.kept import kept_answer
from portal.ids import ReceiptId

ROUTER = APIRouter(tags=["me"])
LARGEST = 2**53
MOST_ROWS = 1_000_000
"""Rows on one page of an answer."""
_SHOWN = ("sequence", "at", "action", "project", "subject", "rows", "details")


@ROUTER.get("/me", responses=shown("me", "You."))
def me(services: TheServices, asker: TheAsker) -> dict[str, Any]:
    """Say who you are, for which project this token is, and which projects are yours."""
    person = identify(services, asker.person)
    return {
        "person": {"id": person.id, "name": person.name, "tier": person.tier},
        "project": asker.project,
        "projects": [
            {"id": project.id, "title": project.title, "starts": project.starts, "ends": project.ends}
            for project in projects_of(services, person.id)
        ],
    }


@ROUTER.get("/entries", responses=shown("entries", "One page of them, newest first.", **PAGED))
def entries(  # noqa: PLR0913, PLR0917 - what may be asked, and what every route is handed
    services: TheServices,
    asker: TheAsker,
    request: Request,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    before: Annotated[int | None, Query(ge=0, le=LARGEST, description="Older than the entry of this number.")] = None,
) -> list[dict[str, Any]]:
    """List your own entries in the ledger, of the token's project."""
    found = my_entries_in_project(services, asker, limit + 1, before)
    if len(found) > limit:
        response.headers.update(leading_on(request, limit=limit, before=found[limit - 1].sequence))
    told = [entry.as_dict() for entry in found[:limit]]
    return [{name: entry[name] for name in _SHOWN} for entry in told]


@ROUTER.get("/receipts/{identifier}", responses=shown("receipt", "The receipt."))
def receipt(services: TheServices, asker: TheAsker, identifier: str) -> dict[str, Any]:
    """Give one of your own receipts, as it was recorded."""
    return dict(my_receipt(services, asker, ReceiptId(identifier)))


@ROUTER.get("/receipts/{identifier}/answer", response_class=Response, responses=shown_answer(**PAGED))
def receipt_answer(  # noqa: PLR0913, PLR0917 - see entries
    services: TheServices,
    asker: TheAsker,
    request: Request,
    identifier: str,
    offset: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 1000,
) -> Response:
    """Give rows of an answer once more, page by page, as long as it is kept and your access is as it was.

    It costs no rows of the budget: they were charged when the answer was first given.
    """
    media = wanted_media(request)
    answer = kept_answer(services, asker, ReceiptId(identifier))
    response = answered(services, request, answer, media, range(offset, offset + limit))
    if offset + limit < answer.receipt.rows:
        response.headers.update(leading_on(request, offset=offset + limit, limit=limit))
    return response
