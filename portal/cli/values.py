"""The values that commands take, read and checked where they are given."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from portal.desk.answers import Asker
from portal.ids import DatasetName, PersonId, ProjectId
from portal.sql.plan import ParameterValue

Returned = TypeVar("Returned")


class Identifier(click.ParamType[str]):
    """A text that names something; empty names nothing."""

    def __init__(self, name: str, kind: Callable[[str], str]) -> None:
        """Read texts as ids of a kind."""
        self.name = name
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ANN401 - click's own signature
        """Read one id."""
        return self._kind(value) if value.strip() else self.fail(f"{self.name.lower()} must not be empty", param, ctx)


class Day(click.ParamType[date]):
    """A day as 2026-03-31."""

    name = "DAY"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:  # noqa: ANN401 - click's own signature
        """Read one day."""
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day such as 2026-03-31", param, ctx)


PERSON = Identifier("PERSON", PersonId)
PROJECT = Identifier("PROJECT", ProjectId)
DATASET = Identifier("DATASET", DatasetName)
DAY = Day()
FILE = click.Path(dir_okay=False, path_type=Path)
"""A file to read or to write."""


def asker_options(command: Callable[..., Returned]) -> Callable[..., Returned]:
    """Give a command `--as PERSON` and `--project PROJECT`, handed over as one `Asker`."""

    @wraps(command)
    def run(*arguments: Any, person: PersonId, project: ProjectId | None, **options: Any) -> Returned:  # noqa: ANN401 - whatever the command takes
        return command(*arguments, asker=Asker(person, project), **options)

    as_person = click.option("--as", "person", type=PERSON, required=True, help="Who asks.")
    for_project = click.option("--project", type=PROJECT, help="For which project; left out: none.")
    return as_person(for_project(run))


def parameters_option(command: Callable[..., Returned]) -> Callable[..., Returned]:
    """Give a command `--param name=value`, once for each parameter."""
    return click.option(
        "--param", "parameters", multiple=True, callback=_read_pairs, metavar="NAME=VALUE", help="A parameter's value."
    )(command)


def typed(values: Mapping[str, str]) -> dict[str, ParameterValue]:
    """Read parameters as JSON reads a number, true, false, null or a quoted text, and days; all else is text."""
    return {name: _typed(value) for name, value in values.items()}


def _typed(text: str) -> ParameterValue:
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if isinstance(value, dict | list):
        return text
    try:
        return date.fromisoformat(text)
    except ValueError:
        found: ParameterValue = value
        return found


def _read_pairs(_: click.Context, __: click.Parameter, pairs: Sequence[str]) -> Mapping[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} is not name=value")
    return dict(pair.split("=", 1) for pair in pairs)
