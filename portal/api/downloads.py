"""Files to take away: asked for, watched, stopped and fetched; the policy is asked at each step."""

from base64 import b64encode
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from portal.api.asking import Bearer, TheAsker, TheServices, asker_of, check_project
from portal.api.bodies import DownloadBody
from portal.api.conditional import names
from portal.api.examples import shown
from portal.api.media import FILES
from portal.api.paging import PAGED, ThePage, one_page
from portal.desk.answers import DownloadStatus
from portal.desk.downloads import (
    cancel_download,
    download_status,
    find_download,
    my_downloads,
    request_download,
    tell_fetched,
)
from portal.desk.links import read_link
from portal.ids import DownloadId
from portal.sql.plan import Statement

ROUTER = APIRouter(prefix="/downloads", tags=["downloads"])
_FETCHES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The whole file; its ETag and Repr-Digest are the SHA-256 of its bytes."},
    206: {"description": "The range of bytes that was asked for."},
    304: {"description": "You have this file already (If-None-Match)."},
    416: {"description": "The file has no such range; Content-Range says how long it is."},
}


@ROUTER.post("", status_code=202, responses=shown("queued", "It waits for its turn.", 202))
def request(
    services: TheServices, asker: TheAsker, request: Request, response: Response, body: DownloadBody
) -> dict[str, Any]:
    """Ask for the whole answer of a statement as a file.

    The answer comes at once: an id, to be asked about at `GET /downloads/{id}` until its state is `ready` or `failed`.
    What policy or the SQL rules refuse is refused here. Requests are worked off in fair turns, and outlive a restart.
    """
    check_project(asker, body.project)
    status = request_download(services, asker, Statement(body.sql, body.parameters), body.format)
    response.headers["Location"] = str(request.url_for("download", identifier=status.id).path)
    return _facts(status)


@ROUTER.get("", responses=shown("downloads", "One page of them, newest first.", **PAGED))
def downloads(
    services: TheServices, asker: TheAsker, request: Request, response: Response, page: ThePage
) -> list[dict[str, Any]]:
    """List your downloads in the token's project, newest first."""
    part, headers = one_page(request, page, my_downloads(services, asker), lambda status: status.id)
    response.headers.update(headers)
    return [_facts(status) for status in part]


@ROUTER.get("/{identifier}", responses=shown("download", "How far it is; here, ready."))
def download(services: TheServices, asker: TheAsker, identifier: str) -> dict[str, Any]:
    """Say how far one of your downloads is.

    `state` is `queued` (with `before`, how many come first), `running` (with `share` and `words`), `ready` (with the
    file's facts and its receipt), `failed` (with the `problem`) or `expired`.
    """
    status = download_status(services, asker, DownloadId(identifier))
    receipt = {"receipt": status.record.receipt} if status.record else {}
    return {**_facts(status), **receipt}


@ROUTER.post("/{identifier}/cancel", responses=shown("queued", "How it stands then."))
def cancel(services: TheServices, asker: TheAsker, identifier: str) -> dict[str, Any]:
    """Stop a download that is not made yet; it then reads as failed. One that is over stays as it is."""
    return _facts(cancel_download(services, asker, DownloadId(identifier)))


@ROUTER.get("/{identifier}/file", response_class=FileResponse, responses=_FETCHES)
def file(services: TheServices, bearer: Bearer, request: Request, identifier: str, link: str | None = None) -> Response:
    """Fetch the file, or a range of it, with a token or by a link that a page signed a few minutes ago.

    The policy is asked and the ledger told at every fetch; ranges that one person fetches within a minute are one.
    """
    wanted = DownloadId(identifier)
    asker = asker_of(request, services, bearer) if link is None else read_link(services, link, wanted)
    record, path = find_download(services, asker, wanted)
    etag, digest = f'"{record.sha256}"', b64encode(bytes.fromhex(record.sha256)).decode()
    headers = {
        "ETag": etag,
        "Repr-Digest": f"sha-256=:{digest}:",
        "Portal-Receipt": record.receipt_id,
        "Portal-Expires": record.expires_at.isoformat(),
    }
    if names(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    tell_fetched(services, asker, record, part="range" in request.headers)
    return FileResponse(path, headers=headers, media_type=FILES[record.format], filename=record.filename)


def _facts(status: DownloadStatus) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "id": status.id,
        "state": status.state,
        "format": status.format,
        "created_at": status.created_at,
        "share": status.share,
        "words": status.words,
        "before": status.before,
    }
    if record := status.record:
        facts |= {name: getattr(record, name) for name in ("filename", "rows", "bytes", "sha256", "expires_at")}
    if error := status.error:
        told = [fault.as_dict() for fault in error.faults]
        facts["problem"] = {"title": error.title, "status": error.http_status, **told[0], "faults": told}
    return facts
