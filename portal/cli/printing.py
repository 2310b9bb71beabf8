"""What every command prints with: results to standard output, everything about them to standard error."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import click

from portal.engines.port import Progress
from portal.errors import PortalError
from portal.fingerprints import canonical_json

WIDEST = 60
"""Characters of one cell of a table in a terminal."""
_JSON = "portal.json"

Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")


def json_option(command: Callable[Arguments, Returned]) -> Callable[Arguments, Returned]:
    """Give a command `--json`: results and refusals as JSON, for a program to read."""
    return click.option(
        "--json", is_flag=True, expose_value=False, is_eager=True, callback=_remember, help="Print JSON for a program."
    )(command)


def wants_json() -> bool:
    """Whether a program reads."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(_JSON))


def show(value: Any, text: str) -> None:  # noqa: ANN401 - any JSON-like value
    """Print a result: as JSON where a program reads, else as text."""
    click.echo(json.dumps(json.loads(canonical_json(value)), indent=2) if wants_json() else text)


def show_records(records: Sequence[Mapping[str, Any]]) -> None:
    """Print records with the same keys, as a table or as JSON."""
    names = tuple(records[0]) if records else ()
    show(records, table(names, [tuple(record.values()) for record in records]) if records else "Nothing.")


def say(words: str) -> None:
    """Tell a person what goes on; a program that reads the result never sees it."""
    if not wants_json():
        click.echo(words, err=True)


def show_error(error: PortalError) -> None:
    """Print what is wrong and what to do; where a program reads, as one JSON object."""
    if wants_json():
        faults = [fault.as_dict() for fault in error.faults]
        click.echo(json.dumps({"title": error.title, "exit_code": error.exit_code, "faults": faults}), err=True)
    else:
        click.echo(f"{error.title}.\n{error}", err=True)


def table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lay rows out in columns; numbers to the right, nothing that a terminal would obey."""
    texts = [[_cell(value) for value in row] for row in rows]
    heads = [_cell(name) for name in names]
    widths = [max(map(len, column)) for column in zip(heads, *texts, strict=True)]
    right = [all(isinstance(row[place], int | float | None) for row in rows) for place in range(len(names))]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([_line(heads, widths, right), rule, *(_line(text, widths, right) for text in texts)])


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show progress on standard error while work goes on, where that is a terminal."""
    if wants_json() or not sys.stderr.isatty():
        yield lambda _share, _words: None
        return
    with click.progressbar(length=1000, file=sys.stderr, show_eta=False, item_show_func=lambda words: words) as bar:

        def report(share: float, words: str) -> None:
            bar.update(max(0, round(share * 1000) - bar.pos), words)

        yield report


def _remember(context: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's own signature
    context.meta[_JSON] = value


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    plain = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)
    return plain if len(plain) <= WIDEST else f"{plain[: WIDEST - 1]}…"


def _line(texts: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = (
        text.rjust(width) if is_right else text.ljust(width)
        for text, width, is_right in zip(texts, widths, right, strict=True)
    )
    return "  ".join(cells).rstrip()
