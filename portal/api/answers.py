"""An answer over HTTP: its rows in the form that was asked for, what is to be known of it in the headers."""

from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import BinaryIO

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import StreamingResponse

from portal.api.media import FORMATS, negotiate
from portal.api.rates import rows_of
from portal.desk.answers import Answer
from portal.desk.citing import manifest_of
from portal.desk.services import Services
from portal.folders import storing
from portal.workspaces.export import EVERY_ROW, write_answer

CHUNK = 1 << 18


def wanted_media(request: Request) -> str:
    """Return the media type to answer in; asked before anything runs, so that no budget is spent on a 406."""
    media = negotiate(request.headers.get("accept"))
    if media is None:
        raise HTTPException(406)
    return media


def answered(
    services: Services, request: Request, answer: Answer, media: str, rows: range = EVERY_ROW
) -> StreamingResponse:
    """Return the answer as a response that streams from a file without a name, so that nothing stays behind."""
    with storing("the answer"):
        file = TemporaryFile(dir=answer.spool.parent)  # noqa: SIM115 - closed when it has been sent
        write_answer(answer.spool, file, FORMATS[media], manifest_of(services, answer), rows=rows)
    request.state.rates.append(rows_of(answer))
    headers = {**_facts(answer), "Content-Length": str(file.tell())}
    return StreamingResponse(_chunks(file), headers=headers, media_type=media)


def _facts(answer: Answer) -> dict[str, str]:
    receipt = answer.receipt
    return {
        "Portal-Receipt": receipt.id,
        "Portal-Rows": str(receipt.rows),
        "Portal-Complete": _word(receipt.complete),
        "Portal-Cells-Withheld": _word(bool(receipt.withheld)),
        "Portal-Rows-Left-This-Week": str(receipt.rows_left_this_week),
        "Portal-Errata": ", ".join(receipt.errata),
        "Portal-Synthetic": _word(any(source.synthetic for source in receipt.sources)),
    }


def _word(true: bool) -> str:  # noqa: FBT001 - the value is the point
    return "yes" if true else "no"


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk
