"""What changes seldom is sent again only when it has changed (RFC 9110, 13.1.2)."""

import hashlib
from collections.abc import Mapping
from typing import Any

from fastapi.encoders import jsonable_encoder
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

JSON = "application/json"
CACHED: dict[str, Any] = {
    "ETag": {
        "description": "Names this content; send it as If-None-Match to be told 304.",
        "schema": {"type": "string"},
    }
}
_KEPT_BY_ITS_READER: Mapping[str, str] = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
"""Kept by the program that asked, and asked about at each use, because access may have ended."""


def told(request: Request, content: object, headers: Mapping[str, str] | None = None) -> Response:
    """Return content as JSON, or 304 where the request shows that it has it."""
    body = JSONResponse(jsonable_encoder(content)).body
    return told_text(request, bytes(body), JSON, headers)


def told_text(request: Request, body: bytes, media: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a body of any media type, or 304 where the request shows that it has it."""
    link = (headers or {}).get("Link", "")  # a page is another where it leads elsewhere
    etag = f'"{hashlib.sha256(link.encode() + body).hexdigest()[:32]}"'
    all_headers = {"ETag": etag, **_KEPT_BY_ITS_READER, **(headers or {})}
    if names(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=all_headers)
    return Response(body, headers=all_headers, media_type=media)


def names(if_none_match: str, etag: str) -> bool:
    """Whether an If-None-Match header names this content: weakly compared."""
    return any(each.strip().removeprefix("W/") in (etag, "*") for each in if_none_match.split(","))
