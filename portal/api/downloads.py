"""Files to take away: made, listed and fetched; the policy is asked at each of them."""

from base64 import b64encode
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from portal.api.asking import Bearer, TheAsker, TheServices, asker_of, check_project
from portal.api.bodies import DownloadBody
from portal.api.lanes import takes_long
from portal.api.media import FILES
from portal.desk.answers import DownloadTicket
from portal.desk.downloads import make_download, my_downloads, open_download
from portal.desk.links import read_link
from portal.errors import Fault, NotFoundError
from portal.ids import DownloadId
from portal.registry import DownloadRecord
from portal.sql.plan import Statement

ROUTER = APIRouter(prefix="/downloads", tags=["downloads"])


@ROUTER.post("", status_code=201)
@takes_long
def make(
    services: TheServices, asker: TheAsker, request: Request, response: Response, body: DownloadBody
) -> dict[str, Any]:
    """Answer a statement into a file."""
    check_project(asker, body.project)
    ticket = make_download(services, asker, Statement(body.sql, body.parameters), body.format)
    response.headers["Location"] = str(request.url_for("file", identifier=ticket.id).path)
    return {**_facts(ticket), "receipt": ticket.receipt.as_record()}


@ROUTER.get("")
def downloads(services: TheServices, asker: TheAsker) -> list[dict[str, Any]]:
    """List your downloads in the token's project, newest first."""
    return [_facts(record) for record in my_downloads(services, asker)]


@ROUTER.get("/{identifier}")
def download(services: TheServices, asker: TheAsker, identifier: str) -> dict[str, Any]:
    """Give one of your downloads, with its receipt."""
    for record in my_downloads(services, asker):
        if record.id == identifier:
            return {**_facts(record), "receipt": record.receipt}
    raise NotFoundError(Fault("NO_SUCH_DOWNLOAD", "You have no such download in this project."))


@ROUTER.get("/{identifier}/file", response_class=FileResponse)
def file(services: TheServices, bearer: Bearer, identifier: str, link: str | None = None) -> FileResponse:
    """Fetch the file, or ranges of it, with a token or by a link that a page signed a few minutes ago."""
    wanted = DownloadId(identifier)
    asker = asker_of(services, bearer) if link is None else read_link(services, link, wanted)
    record, path = open_download(services, asker, wanted)
    digest = b64encode(bytes.fromhex(record.sha256)).decode()
    headers = {"ETag": f'"{record.sha256}"', "Repr-Digest": f"sha-256=:{digest}:", "Portal-Receipt": record.receipt_id}
    return FileResponse(path, headers=headers, media_type=FILES[record.format], filename=record.filename)


def _facts(made: DownloadTicket | DownloadRecord) -> dict[str, str | int | datetime]:
    return {
        "id": made.id,
        "filename": made.filename,
        "format": made.format,
        "rows": made.rows,
        "bytes": made.bytes,
        "sha256": made.sha256,
        "expires_at": made.expires_at,
    }
