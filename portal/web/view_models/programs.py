"""A statement as a program would ask it: the one place of the texts behind "copy as Python, R, curl"."""

import json
import shlex
from collections.abc import Callable, Mapping
from keyword import iskeyword
from types import MappingProxyType

from portal.sql.plan import ParameterValue, Statement

TOKEN = "PORTAL_TOKEN"  # noqa: S105 - the name of a variable, no secret
"""The environment variable that holds the token: no text to copy ever holds one."""


def as_python(statement: Statement, address: str) -> str:
    """Return a program for the Python client (`clients/python`)."""
    values = "".join(f",\n    {_argument(name, _python(value))}" for name, value in statement.parameters.items())
    return (
        "import os\n\nfrom dsa_portal import Portal\n\n"
        f'portal = Portal("{address}", os.environ["{TOKEN}"])\n'
        f"answer = portal.query(\n    {_python(statement.text)}{values},\n)\n"
        "print(answer.polars())\nprint(answer.cite())\n"
    )


def as_r(statement: Statement, address: str) -> str:
    """Return a program for R, with httr2 and arrow."""
    given = ", ".join(f"`{name}` = {_r(value)}" for name, value in statement.parameters.items())
    parameters = f"list({given})" if given else "structure(list(), names = character())"
    return (
        "library(httr2)\nlibrary(arrow)\n\n"
        f'answer <- request("{address}/api/v1/query") |>\n'
        f'  req_auth_bearer_token(Sys.getenv("{TOKEN}")) |>\n'
        '  req_headers(Accept = "application/vnd.apache.arrow.stream") |>\n'
        f"  req_body_json(list(\n    sql = {_r(statement.text)},\n    parameters = {parameters}\n  )) |>\n"
        "  req_retry(max_tries = 5) |>\n"
        "  req_perform()\n\n"
        "rows <- read_ipc_stream(resp_body_raw(answer))\n"
        'resp_header(answer, "Portal-Receipt")\n'
    )


def as_curl(statement: Statement, address: str) -> str:
    """Return a command for a terminal."""
    body = json.dumps({"sql": statement.text, "parameters": _plain(statement)}, ensure_ascii=False)
    return (
        f'curl --fail-with-body -H "Authorization: Bearer ${TOKEN}" -H "Accept: text/csv" \\\n'
        f'  -H "Content-Type: application/json" \\\n  --data {shlex.quote(body)} \\\n  {address}/api/v1/query\n'
    )


PROGRAMS: Mapping[str, tuple[str, Callable[[Statement, str], str]]] = MappingProxyType(
    {"Python": ("python", as_python), "R": ("r", as_r), "curl": ("bash", as_curl)}
)
"""Name to the language that colours it and what writes it."""


def _plain(statement: Statement) -> dict[str, str | int | float | bool | None]:
    return {name: _json_value(value) for name, value in statement.parameters.items()}


def _json_value(value: ParameterValue) -> str | int | float | bool | None:
    return value if value is None or isinstance(value, str | int | float) else value.isoformat()


def _python(value: ParameterValue) -> str:
    plain = _json_value(value)
    return _text(plain) if isinstance(plain, str) else repr(plain)


def _argument(name: str, value: str) -> str:
    """Return an argument; a name that is a word of Python's own cannot stand before an equals sign."""
    return f"**{{{name!r}: {value}}}" if iskeyword(name) or not name.isidentifier() else f"{name}={value}"


def _text(text: str) -> str:
    """Return a text as Python has it: between three quotes where it has several lines and nothing that ends them."""
    is_simple = all(sign.isprintable() or sign == "\n" for sign in text) and not text.endswith('"')
    has_traps = "\\" in text or '"""' in text
    return f'"""{text}"""' if "\n" in text and is_simple and not has_traps else repr(text)


def _r(value: ParameterValue) -> str:
    plain = _json_value(value)
    if isinstance(plain, bool) or plain is None:
        return {True: "TRUE", False: "FALSE", None: "NA"}[plain]
    return json.dumps(plain, ensure_ascii=False)
