"""Every released cell is recomputed from the rows in plain Python; every withheld one must have had cause."""

import itertools
import math
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.aggregates import a_block, a_disclosure, a_subject, a_world, some_atoms

from portal.policy.model import Disclosure
from portal.sql.blocks import Aggregate, Atom, Block

Row = Mapping[str, Any]
ENTITIES = {"advertiser_id": 3, "user_id": 2}
COUNTRIES = ["DE", "FR", "LU", None]
MONTHS = [date(2026, month, 1) for month in (1, 2, 3)]

rows = st.lists(
    st.fixed_dictionaries(
        {
            "advertiser_id": st.sampled_from([None, *"abcdefgh"]),
            "user_id": st.sampled_from([None, *"uvwxyz"]),
            "country": st.sampled_from(COUNTRIES),
            "placement": st.sampled_from(["feed", "search"]),
            "campaign_date": st.sampled_from([date(2026, month, day) for month in (1, 2, 3) for day in (1, 17)]),
            "spend_eur": st.sampled_from([None, -5.0, 0.0, 1.0, 7.5, 40.0, 400.0]),
        }
    ),
    max_size=60,
)
countries = st.lists(st.sampled_from(["DE", "FR", "LU"]), min_size=1, max_size=3, unique=True)
conditions = st.one_of(
    countries.map(lambda chosen: some_atoms("country", chosen)),
    st.just(some_atoms("country", None)),
    st.sampled_from(["feed", "search"]).map(lambda chosen: some_atoms("placement", chosen)),
    st.sampled_from(MONTHS).map(lambda first: some_atoms("campaign_date", (first, None))),
    st.sampled_from(MONTHS).map(lambda bound: some_atoms("campaign_date", (None, bound))),
)
FIGURES = [
    ("count_rows", None),
    ("count", "spend_eur"),
    ("count", "country"),
    ("count", "user_id"),
    ("count_distinct", "advertiser_id"),
    ("count_distinct", "country"),
    ("sum", "spend_eur"),
    ("avg", "spend_eur"),
]
figures = st.tuples(st.sampled_from(FIGURES), st.one_of(st.just(()), conditions))


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    by = draw(st.lists(st.sampled_from(["country", "placement", "campaign_date"]), max_size=2, unique=True))
    drawn = draw(st.lists(figures, min_size=1, max_size=3))
    aggregates = [Aggregate(f"f{j}", *what, where) for j, (what, where) in enumerate(drawn)]  # type: ignore[arg-type]
    block = a_block(*aggregates, by=by)
    atoms = tuple(atom for group in draw(st.lists(conditions, max_size=2)) for atom in group)
    return Block(block.relation, block.dataset, block.groupings, block.aggregates, atoms, (), 1, 1)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(rows=rows, asked=st.lists(blocks(), min_size=1, max_size=3), span=st.booleans())
def test_what_leaves_holds_every_rule_and_what_stays_has_cause(
    rows: list[Row],
    asked: list[Block],
    span: bool,  # noqa: FBT001 - drawn
) -> None:
    rules = a_disclosure(
        entities=ENTITIES, round_counts_to=2, measures={"spend_eur": {"round": 10}}, history={"span": span}
    )
    released: dict[Any, list[list[Row]]] = {}
    seen = False
    with tempfile.TemporaryDirectory() as home:
        world = a_world(Path(home), rows, a_subject(rules))
        for block in asked:
            world.withheld.clear()
            [table] = world.ask(block)
            found = table.to_pylist()
            reasons = {(each.key, each.aggregate): each.reason for each in world.withheld}
            groups = _groups(rows, block)
            shown = {tuple(row[each.name] for each in block.groupings): row for row in found}
            assert len(shown) == len(found)
            for key, members in groups.items():
                fault = _group_fault(rows, members, block, rules)
                if key not in shown or (not block.groupings and fault):
                    because = "" if fault else reasons[key, None]
                    assert fault or because.startswith(("complementary", "history"))
                    assert because != "complementary" or any(
                        _group_fault(rows, each, block, rules) for each in groups.values()
                    )
                    assert not because.startswith("history") or seen or len(groups) > 1
                    assert all(
                        row[each.name] is None for row in found for each in block.aggregates if not block.groupings
                    )
                    continue
                assert not fault
                for aggregate in block.aggregates:
                    chosen = [row for row in members if _counts(row, aggregate)]
                    value, cause = shown[key][aggregate.name], _figure_fault(members, chosen, aggregate, rules)
                    if value is None and (key, aggregate.name) not in reasons:
                        assert aggregate.function == "avg"
                        assert _round(len(chosen), 2) == 0
                    elif value is None:
                        reason = reasons[key, aggregate.name]
                        assert reason.startswith(cause or ("complementary", "history"))
                        assert not reason.startswith("history") or released or len(groups) * len(block.aggregates) > 1
                    else:
                        assert not cause
                        assert math.isclose(value, _truth(chosen, aggregate, rules))
                        for kind in _kinds(aggregate):
                            released.setdefault(kind, []).append(chosen)
            seen = seen or bool(shown)
            assert set(shown) <= set(groups) | ({()} if not block.groupings else set())
    for kind, cells in released.items():
        _check_together(kind, cells, rows, span=span)


def _groups(rows: Sequence[Row], block: Block) -> dict[tuple[Any, ...], list[Row]]:
    groups: dict[tuple[Any, ...], list[Row]] = {} if block.groupings else {(): []}
    for row in rows:
        if all(_meets(row, atom) for atom in block.atoms):
            key = tuple(_key(row[each.column]) for each in block.groupings)
            groups.setdefault(key, []).append(row)
    return groups


def _key(value: Any) -> Any:
    return datetime(value.year, value.month, 1) if isinstance(value, date) else value  # noqa: DTZ001 - as DuckDB gives it


def _meets(row: Row, atom: Atom) -> bool:
    value = row[atom.column]
    if atom.op == "is null":
        return value is None
    tests: Mapping[str, Callable[[Any], bool]] = {
        "=": lambda v: v == atom.values[0],
        "in": lambda v: v in atom.values,
        ">=": lambda v: v >= atom.values[0],
        "<": lambda v: v < atom.values[0],
    }
    return value is not None and tests[atom.op](value)


def _counts(row: Row, aggregate: Aggregate) -> bool:
    return all(_meets(row, atom) for atom in aggregate.filter) and (
        aggregate.column is None or row[aggregate.column] is not None
    )


def _distinct(rows: Collection[Row], entity: str) -> int:
    return len({row[entity] for row in rows})


def _few(rows: Collection[Row]) -> bool:
    return any(0 < _distinct(rows, entity) < k for entity, k in ENTITIES.items())


def _group_fault(rows: Sequence[Row], members: Collection[Row], block: Block, _: Disclosure) -> bool:
    if any(_distinct(members, entity) < k for entity, k in ENTITIES.items()):
        return True
    matched = [row for row in rows if all(_meets(row, atom) for atom in block.atoms)]
    columns = {atom.column: [each for each in block.atoms if each.column == atom.column] for atom in block.atoms}
    for left_out in [*([atom] for atom in block.atoms), *columns.values(), list(block.atoms)]:
        kept = [row for row in rows if all(_meets(row, atom) for atom in _others(block.atoms, left_out))]
        dropped = [row for row in kept if not all(_meets(row, atom) for atom in left_out)]
        for entity, k in ENTITIES.items():
            lost = {row[entity] for row in dropped} - {row[entity] for row in matched}
            if 0 < _distinct(dropped, entity) < k or 0 < len(lost) < k:
                return True
    return False


def _others(atoms: Sequence[Atom], left_out: Sequence[Atom]) -> list[Atom]:
    """Return the atoms that stay: by place, so that of two that say the same one stays."""
    gone = {id(atom) for atom in left_out}
    return [atom for atom in atoms if id(atom) not in gone]


def _figure_fault(
    members: Collection[Row], chosen: Collection[Row], aggregate: Aggregate, rules: Disclosure
) -> str | None:
    for entity, k in ENTITIES.items():
        if _distinct(chosen, entity) < k:
            return "support"
        outside = [row for row in members if not all(_meets(row, atom) for atom in aggregate.filter)]
        beyond = _distinct(members, entity) - _distinct(chosen, entity)
        if aggregate.filter and (0 < _distinct(outside, entity) < k or 0 < beyond < k):
            return "complement"
    summed = aggregate.function in ("sum", "avg")
    return "dominance" if summed and any(_dominated(chosen, entity, rules) for entity in ENTITIES) else None


def _dominated(rows: Collection[Row], entity: str, rules: Disclosure) -> bool:
    amounts: dict[Any, float] = {}
    for row in rows:
        amounts[row[entity]] = amounts.get(row[entity], 0.0) + row["spend_eur"]
    sizes = sorted(map(abs, amounts.values()), reverse=True)
    total, rule = sum(sizes), rules.dominance
    return total - sum(sizes[:2]) < rule.p * sizes[0] or sum(sizes[: rule.top]) > rule.share * total


def _truth(chosen: Sequence[Row], aggregate: Aggregate, rules: Disclosure) -> float:
    count = _round(len(chosen), rules.round_counts_to)
    if aggregate.function in ("sum", "avg"):
        total = _round(sum(row["spend_eur"] for row in chosen), rules.measures["spend_eur"].round)
        return total if aggregate.function == "sum" else round(total / count, 2)
    if aggregate.function == "count_distinct":
        assert aggregate.column is not None
        values = {row[aggregate.column] for row in chosen}
        if aggregate.column not in ENTITIES:
            held = {v: [row for row in chosen if row[aggregate.column] == v] for v in values}
            values = {v for v in values if all(_distinct(held[v], entity) >= k for entity, k in ENTITIES.items())}
        return _round(len(values), rules.round_counts_to)
    return count


def _round(value: float, base: float) -> float:
    return math.floor(value / base + 0.5) * base


def _kinds(aggregate: Aggregate) -> list[tuple[str, str | None]]:
    column = aggregate.column
    counted = ("count", column) if column in ("spend_eur", *ENTITIES) else ("rows", None)
    return {"sum": [("sum", column)], "avg": [("sum", column), counted], "count_distinct": []}.get(
        aggregate.function, [counted]
    )


def _check_together(kind: tuple[str, str | None], cells: list[list[Row]], rows: Sequence[Row], *, span: bool) -> None:
    """No two cells, and with `span` no combination of any, tell of fewer entities than the thresholds."""
    usable = [row for row in rows if kind[1] is None or row[kind[1]] is not None]
    identities = [{id(row) for row in cell} for cell in cells]
    for one, other in itertools.combinations(identities, 2):
        assert not _few([row for row in usable if id(row) in one ^ other])
    if not span:
        return
    base: dict[Any, list[Row]] = {}
    for row in usable:
        base.setdefault((row["country"], row["placement"], _key(row["campaign_date"])), []).append(row)
    parts = list(base.values())
    matrix = np.array([[float(id(part[0]) in cell) for part in parts] for cell in identities])
    for entity, k in ENTITIES.items():
        for part in parts:
            own = {row[entity] for row in part}
            outside = [i for i, each in enumerate(parts) if not {row[entity] for row in each} <= own]
            if len(own) < k:
                rank_outside = np.linalg.matrix_rank(matrix[:, outside]) if outside else 0
                assert rank_outside == np.linalg.matrix_rank(matrix)
