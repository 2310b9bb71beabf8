"""An exploration as the query of a URL, and back. A link carries the question, never an answer."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, get_args

from portal.errors import Fault, UsageError
from portal.web.view_models.exploration import (
    AGGREGATES,
    GRIDS,
    Between,
    Bound,
    Condition,
    Exploration,
    Group,
    Is,
    Measure,
    OneOf,
    View,
)

WHERE = "where."


def to_query(exploration: Exploration) -> dict[str, list[str]]:
    """Return the query parameters that stand for this exploration."""
    measure = exploration.measure
    return {
        "dataset": [exploration.dataset],
        "group": [".".join(part for part in (group.column, group.grid) if part) for group in exploration.groups],
        "measure": [".".join(part for part in (measure.aggregate, measure.column) if part)],
        "view": [exploration.view],
        **{
            f"{WHERE}{column}": [json.dumps(_plain(condition), ensure_ascii=False)]
            for column, condition in exploration.where
        },
    }


def from_query(query: Mapping[str, Sequence[str]]) -> Exploration:
    """Read an exploration from query parameters. Raises `UsageError` where they are not one."""
    try:
        aggregate, _, measured = _last(query, "measure", "count").partition(".")
        return Exploration(
            dataset=_last(query, "dataset"),
            where=tuple(
                (key.removeprefix(WHERE), _condition(json.loads(values[-1])))
                for key, values in query.items()
                if key.startswith(WHERE)
            ),
            groups=tuple(_group(text) for text in query.get("group", ())),
            measure=Measure(_one_of(aggregate, AGGREGATES), measured or None),
            view=_one_of(_last(query, "view", "summary"), get_args(View)),
        )
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        fault = Fault("LINK_UNREADABLE", "This link is not one that the portal made.", fix="Choose anew on this page.")
        raise UsageError(fault) from error


def _last(query: Mapping[str, Sequence[str]], key: str, default: str | None = None) -> str:
    return query[key][-1] if default is None or key in query else default


def _one_of(text: str, choices: tuple[Any, ...]) -> Any:  # noqa: ANN401 - one of the choices, whatever they are
    if text not in choices:
        raise ValueError(text)
    return text


def _group(text: str) -> Group:
    column, _, grid = text.partition(".")
    return Group(column, _one_of(grid, GRIDS) if grid else None)


def _plain(condition: Condition) -> Any:  # noqa: ANN401 - any JSON value
    match condition:
        case OneOf(values):
            return list(values)
        case Is(value):
            return value
        case Between(low, high):
            bounds = {"from": low, "to": high}
            return {
                key: bound.isoformat() if isinstance(bound, date) else bound
                for key, bound in bounds.items()
                if bound is not None
            }


def _condition(plain: Any) -> Condition:  # noqa: ANN401 - any JSON value
    match plain:
        case bool():
            return Is(plain)
        case list() if all(isinstance(value, str) for value in plain):
            return OneOf(tuple(plain))
        case dict() if set(plain) <= {"from", "to"}:
            return Between(_bound(plain.get("from")), _bound(plain.get("to")))
    raise ValueError("no condition")


def _bound(plain: Any) -> Bound | None:  # noqa: ANN401 - any JSON value
    if isinstance(plain, str):
        return date.fromisoformat(plain)
    if plain is None or (isinstance(plain, int | float) and not isinstance(plain, bool)):
        return plain
    raise ValueError("no bound")
