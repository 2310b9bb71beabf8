"""The controls of Explore: an exploration as widgets, kept in step with the URL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import streamlit as st

from portal.catalogue.dataset import Dataset, Grid
from portal.desk.answers import CatalogueEntry
from portal.errors import UsageError
from portal.policy.decision import Permit
from portal.policy.model import Obligation
from portal.web.components.faults import show_faults
from portal.web.session import services
from portal.web.view_models.charting import measure_words
from portal.web.view_models.exploration import (
    AGGREGATES,
    Between,
    Condition,
    Exploration,
    Group,
    Is,
    Measure,
    OneOf,
    View,
)
from portal.web.view_models.explore_sql import read_as
from portal.web.view_models.offering import FIRST_DAY, LAST_DAY, MOST_GROUPS, Offer
from portal.web.view_models.periods import first_of, last_of, name_of, periods_between
from portal.web.view_models.permalink import from_query, to_query
from portal.web.view_models.wording import code

DRAFT = "explore.draft"
EARLIEST = date(2000, 1, 1)
"""The first of the periods to choose from; a link may go further back."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """What the widgets began from, what they said last, and how often they were set anew from outside."""

    began: Exploration | None = None
    said: Exploration | None = None
    round: int = 0


def read_link() -> Exploration | None:
    """Return what the widgets begin from: the URL, or else what was asked here last; None before anything was.

    A URL that is not the one written last (a link, the back button) sets the widgets anew.
    """
    draft, query = _draft(), _query()
    if draft.said is None or query != _written(draft.said):
        began = _read(query) if "dataset" in query else draft.said
        draft = _Draft(began, draft.said, draft.round + 1)
        st.session_state[DRAFT] = draft
    return draft.began


def write_link(exploration: Exploration) -> None:
    """Put the exploration into the URL, as one step that the back button undoes."""
    draft = _draft()
    st.session_state[DRAFT] = _Draft(draft.began, exploration, draft.round)
    if _query() != (written := _written(exploration)):
        st.query_params.from_dict(written)


def _draft() -> _Draft:
    draft: _Draft = st.session_state.get(DRAFT, _Draft())
    return draft


def _query() -> dict[str, list[str]]:
    return {key: st.query_params.get_all(key) for key in st.query_params}


def _written(exploration: Exploration) -> dict[str, list[str]]:
    return {key: values for key, values in to_query(exploration).items() if values}


def _read(query: Mapping[str, Sequence[str]]) -> Exploration | None:
    try:
        return from_query(query)
    except UsageError as error:
        show_faults(error)
        return None


def ask(entry: CatalogueEntry, offer: Offer, asked: Exploration) -> Exploration:
    """Show the widgets for what is offered, set as asked, and return what they say now."""
    assert isinstance(entry.decision, Permit)
    obligations = entry.decision.obligations.columns
    view = _ask_view(offer, asked)
    where = _ask_where(entry.dataset, offer, obligations, asked)
    if view == "rows":
        return Exploration(asked.dataset, where, asked.groups, asked.measure, "rows")
    groups = _ask_groups(offer, asked)
    return Exploration(asked.dataset, where, groups, _ask_measure(offer, asked), "summary")


def _ask_view(offer: Offer, asked: Exploration) -> View:
    if len(offer.views) == 1:
        return offer.views[0]
    return st.segmented_control(
        "Show",
        offer.views,
        default=asked.view,
        required=True,
        format_func=str.capitalize,
        key=key_of("view", asked.dataset),
    )


def _ask_where(
    dataset: Dataset, offer: Offer, obligations: Mapping[str, Obligation], asked: Exploration
) -> tuple[tuple[str, Condition], ...]:
    given = dict(asked.where)
    chosen = st.multiselect(
        "Filter by", list(offer.filters), default=list(given), key=key_of("where", asked.dataset),
        select_all=False, placeholder="Choose columns", wrap=True,
    )  # fmt: skip
    asking = {
        name: _condition(name, offer, _labels(dataset, obligations, name), given.get(name), asked) for name in chosen
    }
    return tuple((name, condition) for name, condition in asking.items() if condition)


def _labels(dataset: Dataset, obligations: Mapping[str, Obligation], name: str) -> Mapping[str, str]:
    """Return the values that a column may show, with their labels: the codebook's, or the groups of a mask."""
    duty = obligations[name]
    if duty.map is not None:
        return {group: group for group in (*dict.fromkeys(duty.map.values()), "other")}
    return (dataset.columns[name].values or {}) if duty.show else {}


def _condition(
    name: str, offer: Offer, labels: Mapping[str, str], given: Condition | None, asked: Exploration
) -> Condition | None:
    key = key_of(f"where.{name}", asked.dataset)
    match offer.filters[name]:
        case "values":
            return _values(name, offer.types[name], labels, given.values if isinstance(given, OneOf) else (), key)
        case "flag":
            answer = st.segmented_control(
                name, [True, False], default=given.value if isinstance(given, Is) else None, key=key
            )
            return None if answer is None else Is(answer)
        case kind:
            bounds = given if isinstance(given, Between) else Between()
            asked_bounds = _bounds(name, kind, offer.types[name], bounds, key)
            return None if asked_bounds == Between() else asked_bounds


def _values(
    name: str, column_type: str, labels: Mapping[str, str], given: tuple[str, ...], key: str
) -> Condition | None:
    picked = st.multiselect(
        name, list(dict.fromkeys([*labels, *given])), default=list(dict.fromkeys(given)), key=key,
        format_func=lambda value: f"{labels[value]} ({value})" if labels.get(value, value) != value else value,
        accept_new_options=not labels, placeholder="Choose values" if labels else "Type values", wrap=True,
    )  # fmt: skip
    fitting = tuple(value for value in picked if read_as(column_type, value) is not None)
    if len(fitting) < len(picked):
        st.caption(f"{code(name)} takes {column_type.lower()} values; others are left out.")
    return OneOf(fitting) if fitting else None


def _bounds(name: str, kind: Literal["numbers"] | Grid, column_type: str, given: Between, key: str) -> Between:
    if kind == "numbers":
        return _numbers(name, 0.01 if column_type == "DOUBLE" else 1, given, key)
    return _days(name, given, key) if kind == "day" else _periods(name, kind, given, key)


def _days(name: str, given: Between, key: str) -> Between:
    since, until = (bound if isinstance(bound, date) else None for bound in (given.low, given.high))
    return Between(
        st.date_input(f"{name} from", since, FIRST_DAY, LAST_DAY, key=f"{key}.low", format="YYYY-MM-DD"),
        st.date_input(f"{name} to", until, FIRST_DAY, LAST_DAY, key=f"{key}.high", format="YYYY-MM-DD"),
    )


def _periods(name: str, grid: Grid, given: Between, key: str) -> Between:
    """Ask for the first and the last of some whole periods; the newest stand first."""
    since, until = (first_of(grid, bound) if isinstance(bound, date) else None for bound in (given.low, given.high))
    earliest, latest = EARLIEST, services().clock().date()
    known = {*periods_between(grid, earliest, latest), *(each for each in (since, until) if each)}
    options = sorted(known, reverse=True)
    first = _period(f"{name} from {grid}", grid, options, since, f"{key}.low")
    last = _period(
        f"{name} to {grid}", grid, [each for each in options if not first or each >= first], until, f"{key}.high"
    )
    return Between(first, last_of(grid, last) if last else None)


def _period(label: str, grid: Grid, firsts: Sequence[date], given: date | None, key: str) -> date | None:
    options = [None, *firsts]
    return st.selectbox(
        label, options, index=options.index(given) if given in options else 0, key=key,
        format_func=lambda first: name_of(grid, first) if first else "any",
    )  # fmt: skip


def _numbers(name: str, step: float, given: Between, key: str) -> Between:
    least, most = (
        None if bound is None or isinstance(bound, date) else type(step)(bound) for bound in (given.low, given.high)
    )
    return Between(
        st.number_input(f"{name} from", value=least, step=step, key=f"{key}.low", placeholder="any"),
        st.number_input(f"{name} to", value=most, step=step, key=f"{key}.high", placeholder="any"),
    )


def _ask_groups(offer: Offer, asked: Exploration) -> tuple[Group, ...]:
    columns = st.multiselect(
        "Group by", list(offer.groups), default=[group.column for group in asked.groups],
        max_selections=MOST_GROUPS, key=key_of("groups", asked.dataset), select_all=False,
        placeholder="Choose up to two", wrap=True,
    )  # fmt: skip
    grids = {group.column: group.grid for group in asked.groups}
    return tuple(Group(name, _ask_grid(name, offer.groups[name], grids.get(name), asked)) for name in columns)


def _ask_grid(name: str, grids: Sequence[Grid], given: Grid | None, asked: Exploration) -> Grid | None:
    if len(grids) < 2:  # noqa: PLR2004 - of one there is nothing to choose
        return next(iter(grids), None)
    default = given or ("month" if "month" in grids else grids[0])
    return st.segmented_control(
        f"{name} by", grids, default=default, required=True, key=key_of(f"grid.{name}", asked.dataset), wrap=True
    )


def _ask_measure(offer: Offer, asked: Exploration) -> Measure:
    given = asked.measure
    aggregates = [name for name in AGGREGATES if name == "count" or offer.measures[name]]
    aggregate = st.selectbox(
        "Measure", aggregates, index=aggregates.index(given.aggregate), key=key_of("aggregate", asked.dataset),
        format_func=lambda name: measure_words(Measure(name, "…")),
    )  # fmt: skip
    columns = offer.measures[aggregate]
    if not columns:
        return Measure()
    index = columns.index(given.column) if given.column in columns else 0
    return Measure(
        aggregate, st.selectbox("of", columns, index=index, key=key_of(f"measured.{aggregate}", asked.dataset))
    )


def key_of(part: str, dataset: str = "") -> str:
    """Return a widget's key; it changes when the widgets are to be set anew."""
    return f"explore.{_draft().round}.{dataset}.{part}"
