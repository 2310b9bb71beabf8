"""Errors as RFC 9457 `application/problem+json`: what is wrong and what to do, and nothing of the inside."""

import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from portal.errors import Fault, PortalError, UsageError

LOG = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
SERVER_ERROR = 500

_WORDS: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        404: ("NOT_FOUND", "There is nothing at this address."),
        405: ("METHOD_NOT_ALLOWED", "This address does not take that method."),
        406: ("NOT_ACCEPTABLE", "None of the accepted media types can be given."),
        413: ("BODY_TOO_LARGE", "The request is larger than any statement needs to be."),
    }
)


class Problem(BaseModel):
    """The body of every error. The first fault's fields stand at the top; `faults` holds all of them."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    rule: str | None = Field(None, description="The policy or SQL rule that spoke.")
    dataset: str | None = None
    line: int | None = Field(None, description="In the SQL that was sent, from 1.")
    column: int | None = Field(None, description="In the SQL that was sent, from 1.")
    fix: str | None = Field(None, description="What to do next.")
    faults: list[dict[str, Any]] = Field(default_factory=list)
    request_id: str = Field(description="To be quoted when you write to us; also in the header Portal-Request.")


PROBLEMS: dict[int | str, dict[str, Any]] = {"default": {"model": Problem, "description": "A problem."}}
"""What the documentation says of errors."""


def problem(
    request: Request, status: int, title: str, faults: Sequence[Fault], headers: Mapping[str, str] | None = None
) -> Response:
    """Return faults as one problem."""
    told = [fault.as_dict() for fault in faults]
    first = {"detail": told[0]["message"], **told[0]}
    body = Problem.model_validate(
        {
            "title": title,
            "status": status,
            **{name: first[name] for name in Problem.model_fields if name in first},
            "faults": told,
            "request_id": request.state.request_id,
        }
    )
    return JSONResponse(body.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


async def _portal_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PortalError)
    if error.http_status >= SERVER_ERROR:
        LOG.error("Request %s failed", request.state.request_id, exc_info=error)
    headers = {"WWW-Authenticate": "Bearer"} if error.http_status == HTTPStatus.UNAUTHORIZED else None
    return problem(request, error.http_status, error.title, error.faults, headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        Fault("REQUEST_INVALID", f"{'.'.join(str(step) for step in one['loc'])}: {one['msg']}.", fix="See the docs.")
        for one in error.errors()
    ]
    return problem(request, UsageError.http_status, UsageError.title, faults)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, words = _WORDS.get(error.status_code, ("REQUEST_REFUSED", "The request cannot be taken."))
    title = HTTPStatus(error.status_code).phrase
    return problem(request, error.status_code, title, [Fault(code, words, fix="See the docs.")], error.headers)


def unforeseen(request: Request, error: Exception) -> Response:
    """Return what is said of an error that nobody foresaw; its own words go to the log."""
    LOG.error("Request %s failed", request.state.request_id, exc_info=error)
    fault = Fault("INTERNAL", "Something went wrong on our side.", fix="Try again; if it stays, quote the request.")
    return problem(request, SERVER_ERROR, PortalError.title, [fault])


HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    PortalError: _portal_error,
    RequestValidationError: _invalid,
    HTTPException: _http_error,
}
