"""The controls of Explore: an exploration as widgets, kept in step with the URL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import streamlit as st

from portal.catalogue.dataset import Dataset
from portal.desk.answers import CatalogueEntry
from portal.errors import UsageError
from portal.policy.decision import Permit
from portal.policy.model import Obligation
from portal.web.components.faults import show_faults
from portal.web.view_models.charting import default_groups, measure_words
from portal.web.view_models.exploration import (
    AGGREGATES,
    GRIDS,
    Between,
    Condition,
    Exploration,
    Group,
    Is,
    Measure,
    OneOf,
)
from portal.web.view_models.explore_sql import LISTS, NUMBERS, TIMES
from portal.web.view_models.permalink import from_query, to_query

DRAFT = "explore.draft"
MOST_GROUPS = 2


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


def start_of(dataset: Dataset, types: Mapping[str, str]) -> Exploration:
    """Return the first look at a dataset."""
    return Exploration(dataset.dataset, groups=default_groups(dataset.date_column, types))


def ask(entry: CatalogueEntry, types: Mapping[str, str], asked: Exploration) -> Exploration:
    """Show the widgets, set as asked, and return what they say now."""
    assert isinstance(entry.decision, Permit)
    obligations = entry.decision.obligations.columns
    view = st.segmented_control(
        "Show",
        ["summary", "rows"],
        default=asked.view,
        required=True,
        format_func=str.capitalize,
        key=key_of("view", asked.dataset),
    )
    where = _ask_where(entry.dataset, types, obligations, asked)
    if view == "rows":
        return Exploration(asked.dataset, where, asked.groups, asked.measure, "rows")
    groups = _ask_groups(types, asked)
    return Exploration(asked.dataset, where, groups, _ask_measure(types, asked), "summary")


def _ask_where(
    dataset: Dataset, types: Mapping[str, str], obligations: Mapping[str, Obligation], asked: Exploration
) -> tuple[tuple[str, Condition], ...]:
    given = dict(asked.where)
    chosen = st.multiselect(
        "Filter by", list(types), default=[name for name in given if name in types], key=key_of("where", asked.dataset),
        select_all=False, placeholder="Choose columns",
    )  # fmt: skip
    asking = {
        name: _condition(name, types[name], _labels(dataset, obligations, name), given.get(name), asked)
        for name in chosen
    }
    return tuple((name, condition) for name, condition in asking.items() if condition)


def _labels(dataset: Dataset, obligations: Mapping[str, Obligation], name: str) -> Mapping[str, str]:
    """Return the values that a column may show, with their labels: the codebook's, or the groups of a mask."""
    duty = obligations[name]
    if duty.map is not None:
        return {group: group for group in (*dict.fromkeys(duty.map.values()), "other")}
    return (dataset.columns[name].values or {}) if duty.show else {}


def _condition(
    name: str, column_type: str, labels: Mapping[str, str], given: Condition | None, asked: Exploration
) -> Condition | None:
    key = key_of(f"where.{name}", asked.dataset)
    if column_type == "BOOLEAN":
        answer = st.segmented_control(
            name, [True, False], default=given.value if isinstance(given, Is) else None, key=key
        )
        return None if answer is None else Is(answer)
    if column_type in TIMES | NUMBERS:
        bounds = given if isinstance(given, Between) else Between()
        step = 0.01 if column_type == "DOUBLE" else 1
        asked_bounds = _days(name, bounds, key) if column_type in TIMES else _numbers(name, step, bounds, key)
        return None if asked_bounds == Between() else asked_bounds
    values = given.values if isinstance(given, OneOf) else ()
    picked = st.multiselect(
        name, [*labels, *(value for value in values if value not in labels)], default=list(values), key=key,
        format_func=lambda value: f"{labels[value]} ({value})" if labels.get(value, value) != value else value,
        accept_new_options=True, placeholder="Choose or type values",
    )  # fmt: skip
    return OneOf(tuple(picked)) if picked else None


def _days(name: str, given: Between, key: str) -> Between:
    first, last = date(1990, 1, 1), date(2100, 1, 1)
    since, until = (bound if isinstance(bound, date) else None for bound in (given.low, given.high))
    return Between(
        st.date_input(f"{name} from", since, first, last, key=f"{key}.low", format="YYYY-MM-DD"),
        st.date_input(f"{name} to", until, first, last, key=f"{key}.high", format="YYYY-MM-DD"),
    )


def _numbers(name: str, step: float, given: Between, key: str) -> Between:
    least, most = (
        None if bound is None or isinstance(bound, date) else type(step)(bound) for bound in (given.low, given.high)
    )
    return Between(
        st.number_input(f"{name} from", value=least, step=step, key=f"{key}.low", placeholder="any"),
        st.number_input(f"{name} to", value=most, step=step, key=f"{key}.high", placeholder="any"),
    )


def _ask_groups(types: Mapping[str, str], asked: Exploration) -> tuple[Group, ...]:
    columns = st.multiselect(
        "Group by", list(types), default=[group.column for group in asked.groups if group.column in types],
        max_selections=MOST_GROUPS, key=key_of("groups", asked.dataset), select_all=False,
        placeholder="Choose up to two",
    )  # fmt: skip
    grids = {group.column: group.grid for group in asked.groups}
    return tuple(
        Group(name, _ask_grid(name, grids.get(name), asked) if types[name] in TIMES else None) for name in columns
    )


def _ask_grid(name: str, given: str | None, asked: Exploration) -> Any:  # noqa: ANN401 - one of GRIDS
    return st.segmented_control(
        f"{name} by", GRIDS, default=given or "month", required=True, key=key_of(f"grid.{name}", asked.dataset),
    )  # fmt: skip


def _ask_measure(types: Mapping[str, str], asked: Exploration) -> Measure:
    given = asked.measure
    aggregate = st.selectbox(
        "Measure", AGGREGATES, index=AGGREGATES.index(given.aggregate), key=key_of("aggregate", asked.dataset),
        format_func=lambda name: measure_words(Measure(name, "…")),
    )  # fmt: skip
    fitting = _measurable(types, aggregate)
    if aggregate == "count" or not fitting:
        return Measure()
    index = fitting.index(given.column) if given.column in fitting else 0
    return Measure(
        aggregate, st.selectbox("of", fitting, index=index, key=key_of(f"measured.{aggregate}", asked.dataset))
    )


def _measurable(types: Mapping[str, str], aggregate: str) -> Sequence[str]:
    wanted = NUMBERS if aggregate in ("sum", "avg") else frozenset(types.values()) - LISTS
    return [name for name, column_type in types.items() if column_type in wanted]


def key_of(part: str, dataset: str = "") -> str:
    """Return a widget's key; it changes when the widgets are to be set anew."""
    return f"explore.{_draft().round}.{dataset}.{part}"
