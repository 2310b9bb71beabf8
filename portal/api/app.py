"""Puts the API together."""

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse

import portal
from portal.api import catalogue, downloads, own_queries, people, queries
from portal.api.envelope import Envelope
from portal.api.lanes import open_lane
from portal.api.metering import Meter
from portal.api.problems import HANDLERS, PROBLEMS
from portal.api.rates import Requests
from portal.api.reference import reference
from portal.desk.services import Services

DESCRIPTION = """\
Every request but this page needs a bearer token, which is for one person and one project: ask your portal's operator,
who issues it with `portal tokens issue`. What you may see is decided anew at each request. Errors are RFC 9457
`application/problem+json`, with the same codes as on the command line.
"""


def create_api(services: Services, requests_per_minute: int = 600) -> FastAPI:
    """Return the API over these services, to be mounted at `/api/v1`; its documentation is at `/api/v1/docs`."""
    meter = Meter()
    api = FastAPI(
        title="DSA research portal",
        version=portal.__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Envelope, meter=meter)],
        exception_handlers=HANDLERS,
        responses=PROBLEMS,
    )
    api.state.services, api.state.meter = services, meter
    api.state.requests = Requests(requests_per_minute)
    open_lane(api)
    for routes in (catalogue, queries, own_queries, downloads, people):
        api.include_router(routes.ROUTER)
    api.add_api_route("/docs", lambda: HTMLResponse(reference(api.openapi())), include_in_schema=False)
    return api
