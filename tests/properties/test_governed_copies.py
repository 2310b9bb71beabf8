"""A governed copy never holds a hidden value, and never more rows than every rule allows."""

import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st
from support.factories import TODAY, a_dataset, a_grant, a_policy, a_project, a_rule
from support.workspaces import BY_MONTH, KEYS, PROJECT, a_store, obligations_of, publish_rows

from portal.policy.people import Narrowing
from portal.pseudonyms import pseudonym

STATES = ("DE", "FR", "LU", "PL")
DATASET = a_dataset(layout=BY_MONTH)

rows_ = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(0, 10**6).map(lambda n: f"SECRET-{n:07d}"),
            "country": st.sampled_from(STATES) | st.none(),
            "states": st.lists(st.sampled_from(STATES), max_size=3),
            "price": st.floats(0, 1000, allow_nan=False).map(lambda x: round(x, 2)) | st.none(),
            "units": st.integers(0, 500) | st.none(),
            "day": st.dates(date(2026, 3, 1), date(2026, 6, 14)),
        }
    ),
    min_size=1,
    max_size=25,
)
columns_ = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["hide", "pseudonym"]),
        "country": st.sampled_from(["hide", {"map": {"DE": "West", "FR": "West"}}, {"constant": "EU"}]),
        "price": st.sampled_from(["hide", {"band": [10, 100]}, {"top_code": 50}]),
        "units": st.sampled_from(["hide", {"top_code": 100}]),
        "day": st.sampled_from(["hide", {"truncate": "month"}]),
    },
)
rule_ = st.fixed_dictionaries(
    {"columns": columns_},
    optional={
        "rows": st.sampled_from(["states && project.member_states", "country IN project.member_states", "price >= 10"]),
        "embargo": st.integers(0, 60).map(lambda days: {"column": "day", "days": days}),
    },
)
narrowing_ = st.builds(
    Narrowing,
    hidden=st.frozensets(st.sampled_from(["id", "price"])),
    rows=st.none() | st.just("units < 300"),
    since=st.none() | st.dates(date(2026, 3, 1), date(2026, 5, 1)),
    until=st.none() | st.dates(date(2026, 5, 1), date(2026, 6, 14)),
)


def kept(row: dict[str, Any], rule: dict[str, Any], narrowing: Narrowing, states: tuple[str, ...]) -> bool:
    """The row rules once more, in plain Python."""
    verdicts = [
        {
            None: True,
            "states && project.member_states": bool(set(row["states"]) & set(states)),
            "country IN project.member_states": row["country"] in states,
            "price >= 10": row["price"] is not None and row["price"] >= 10,
        }[rule.get("rows")],
        "embargo" not in rule or row["day"] <= TODAY - timedelta(days=rule["embargo"]["days"]),
        narrowing.rows is None or (row["units"] is not None and row["units"] < 300),
        narrowing.since is None or row["day"] >= narrowing.since,
        narrowing.until is None or row["day"] <= narrowing.until,
    ]
    return all(verdicts)


def masked(name: str, value: Any, rule: dict[str, Any], narrowing: Narrowing) -> Any:
    """The obligations once more, in plain Python."""
    duty = "hide" if name in narrowing.hidden else rule["columns"].get(name, "show")
    if duty == "hide" or (value is None and duty != {"constant": "EU"}):
        return None
    if duty == "pseudonym":
        return pseudonym(value, KEYS.project(PROJECT))
    if duty == "show":
        return value
    ((kind, how),) = duty.items()
    return {
        "constant": lambda: how,
        "map": lambda: how.get(value, "other"),
        "band": lambda: "<10" if value < 10 else "10-<100" if value < 100 else ">=100",
        "top_code": lambda: type(value)(min(value, how)),
        "truncate": lambda: value.replace(day=1),
    }[kind]()


@settings(max_examples=40, deadline=None)
@given(rows_, rule_, narrowing_, st.sets(st.sampled_from(STATES), max_size=2))
def test_a_copy_is_exactly_the_masked_rows_that_every_rule_allows(
    rows: list[dict[str, Any]], rule: dict[str, Any], narrowing: Narrowing, states: set[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        manifest = publish_rows(home, rows, DATASET)
        obligations = obligations_of(
            policy=a_policy(a_rule(**rule)),
            grant=a_grant(narrowing=narrowing),
            project=a_project(member_states=tuple(states)),
        )
        copy = a_store(home).ensure(PROJECT, DATASET, manifest, obligations)
        found = [row for file in copy.files for row in pq.read_table(file).to_pylist()]
        expected = [
            {name: masked(name, row[name], rule, narrowing) for name in DATASET.columns}
            for row in rows
            if kept(row, rule, narrowing, tuple(states))
        ]
        assert sorted(map(repr, found)) == sorted(map(repr, expected))
        assert copy.rows == len(expected)
        if "id" in narrowing.hidden or "id" in rule["columns"]:
            everything = b"".join(file.read_bytes() for file in copy.files)
            footers = "".join(repr(pq.read_metadata(file).to_dict()) for file in copy.files)
            assert b"SECRET-" not in everything
            assert "SECRET-" not in footers
