"""Errors as RFC 9457 `application/problem+json`: what is wrong and what to do, and nothing of the inside."""

import json
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

SEE = "See the reference at /api/v1/docs."
JSON_NEEDED = 415

_WORDS: Mapping[int, Fault] = MappingProxyType(
    {
        403: Fault("HOST_REFUSED", "This host or origin is not the portal's.", fix="Use the portal's own address."),
        404: Fault("NOT_FOUND", "There is nothing at this address.", fix=SEE),
        405: Fault("METHOD_NOT_ALLOWED", "This address does not take that method.", fix="See the header Allow."),
        406: Fault("NOT_ACCEPTABLE", "None of the accepted media types can be given.", fix=SEE),
        413: Fault("BODY_TOO_LARGE", "The request is larger than any statement needs to be.", fix="Send less."),
        415: Fault("MEDIA_TYPE", "A body must be JSON.", fix="Send Content-Type: application/json."),
        416: Fault("RANGE_REFUSED", "The file has no such range.", fix="See the header Content-Range for its length."),
        429: Fault(
            "TOO_MANY_REQUESTS", "These are more requests in a minute than one person may send.",
            rule="requests_per_minute", fix="Wait for the seconds that the header Retry-After names.",
        ),
    }
)  # fmt: skip
_OTHER = Fault("REQUEST_REFUSED", "The request cannot be taken.", fix=SEE)
_RETRY_AFTER: Mapping[str, int] = MappingProxyType({"PORTAL_BUSY": 10, "RECORDS_BUSY": 2, "TOO_MANY_WAITING": 5})
"""Seconds after which what passes by itself may have passed, by code."""
_KEPT = ("allow", "content-range", "accept-ranges", "retry-after")
"""Headers of an error that stay when its body becomes a problem."""


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


_EXAMPLE = Problem(
    title="The statement is outside the SQL rules",
    status=422,
    code="SQL_UNKNOWN_COLUMN",
    detail="There is no column 'plattform' here.",
    line=1,
    column=8,
    fix="Did you mean platform?",
    request_id="5f0c9ab1e3b04d22",
).model_dump(exclude_none=True)
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem (RFC 9457).",
        "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema(), "example": _EXAMPLE}},
    }
}
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
    headers = {"WWW-Authenticate": "Bearer"} if error.http_status == HTTPStatus.UNAUTHORIZED else {}
    if seconds := _RETRY_AFTER.get(error.faults[0].code if error.faults else ""):
        headers["Retry-After"] = str(seconds)
    return problem(request, error.http_status, error.title, error.faults, headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    body_is_wrong = any(one["loc"][:1] == ("body",) for one in error.errors())
    if body_is_wrong and not _is_json(request.headers.get("content-type", "")):
        return worded(request, JSON_NEEDED)
    faults = [
        Fault("REQUEST_INVALID", f"{'.'.join(str(step) for step in one['loc'])}: {one['msg']}.", fix=SEE)
        for one in error.errors()
    ]
    return problem(request, UsageError.http_status, UsageError.title, faults)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return worded(request, error.status_code, error.headers)


def worded(request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return the problem that a status of HTTP stands for by itself."""
    kept = {name: value for name, value in (headers or {}).items() if name.lower() in _KEPT}
    return problem(request, status, HTTPStatus(status).phrase, [_WORDS.get(status, _OTHER)], kept)


def refusal(status: int) -> bytes:
    """Return the body of a problem that was met before the API: by the guard, or at the metrics."""
    fault = _WORDS.get(status, _OTHER)
    title, told = HTTPStatus(status).phrase, {"code": fault.code, "detail": fault.message, "fix": fault.fix}
    return json.dumps({"type": "about:blank", "title": title, "status": status, **told}).encode()


def is_problem(content_type: str) -> bool:
    """Whether a body of this media type is a problem already."""
    return content_type.partition(";")[0].strip() == MEDIA_TYPE


def _is_json(content_type: str) -> bool:
    media = content_type.partition(";")[0].strip().lower()
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


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
