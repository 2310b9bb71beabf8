"""Blocks over two joined datasets, and over either alone, against the raw rows joined in plain Python."""

import itertools
import math
import tempfile
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from support.aggregates import some_atoms
from support.pairs import ADS, CASES, RULES, a_pair_world, a_side, alone, joined

from portal.ids import DatasetName
from portal.sql.blocks import Aggregate, Atom, Block

Row = Mapping[str, Any]
PAIR = "pair"
KEY = ("key", None)
"""That a group is shown: held against the other groups that were."""
THRESHOLDS: Mapping[str, Mapping[str, int]] = {
    ADS: {"trader": 3, "person": 2},
    CASES: {"trader_ref": 2, "judge": 2},
    PAIR: {"ads.trader": 3, "ads.person": 2, "cases.judge": 2},
}
COUNTS = {ADS: 2, CASES: 3, PAIR: 3}
DOMINANCE = {ADS: (0.1, 1, 0.9), CASES: (0.2, 2, 0.95), PAIR: (0.2, 2, 0.9)}
ROUND = {"spend": 10, "hours": 1}
MONTHS = [date(2026, month, 1) for month in (1, 2)]
traders = st.one_of(st.sampled_from("abcdef"), st.sampled_from([None, *"abcdefgh"]))
ads_columns = {
    "person": st.sampled_from([None, *"uvw"]),
    "country": st.sampled_from(["FR", "DE", "FR", None]),
    "month": st.sampled_from(MONTHS),
    "spend": st.sampled_from([None, -5.0, 0.0, 9.0, 10.0, 11.0, 12.0, 400.0]),
}
cases_columns = {
    "judge": st.sampled_from([None, *"xyz"]),
    "kind": st.sampled_from(["fraud", "fraud", "spam"]),
    "hours": st.sampled_from([None, 0.5, 1.0, 1.5, 2.0, 30.0]),
}


@st.composite
def some_rows(draw: st.DrawFn, key: str, columns: Mapping[str, st.SearchStrategy[Any]]) -> list[Row]:
    """Most traders, who so have partners, some twice; and a few rows of anyone."""
    known = draw(st.sampled_from(["abcdef", "abcdef", "abcdef", "abcde", "abc"])) * draw(st.integers(1, 3))
    rows = [{key: trader} | draw(st.fixed_dictionaries(columns)) for trader in known]
    return rows + draw(
        st.lists(st.fixed_dictionaries({key: traders, **columns}), max_size=draw(st.sampled_from([0, 0, 0, 3])))
    )


ads_rows, cases_rows = some_rows("trader", ads_columns), some_rows("trader_ref", cases_columns)
CONDITIONS: Mapping[str, st.SearchStrategy[Any]] = {
    "country": st.sampled_from([["FR"], ["DE"], ["FR", "DE"], None]),
    "month": st.sampled_from([(MONTHS[1], None), (None, MONTHS[1])]),
    "kind": st.sampled_from([["fraud"], ["spam"]]),
}
DIMENSIONS = {ADS: ["country", "month"], CASES: ["kind"]}
FIGURES = {
    ADS: [("sum", "spend"), ("avg", "spend"), ("count", "spend"), ("count", "trader"), ("count_distinct", "trader"),
          ("count_distinct", "person"), ("count", "country"), ("count_distinct", "country")],
    CASES: [("sum", "hours"), ("avg", "hours"), ("count", "judge"), ("count_distinct", "trader_ref"),
            ("count", "trader_ref"), ("count_distinct", "kind")],
}  # fmt: skip


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    first = draw(st.sampled_from([ADS, CASES]))
    names = [first, *draw(st.sampled_from([(), (CASES if first == ADS else ADS,)]))]
    columns = {_spelled(first, name, c): CONDITIONS[c] for name in names for c in DIMENSIONS[name]}
    conditions = st.sampled_from(sorted(columns)).flatmap(lambda c: columns[c].map(lambda value: some_atoms(c, value)))
    figures = [("count_rows", None), *((f, _spelled(first, name, c)) for name in names for f, c in FIGURES[name])]
    drawn = draw(st.lists(st.sampled_from(figures), min_size=1, max_size=2))
    filters = [draw(_rarely(conditions)) for _ in drawn]
    aggregates = [Aggregate(f"f{j}", *what, where) for j, (what, where) in enumerate(zip(drawn, filters, strict=True))]  # type: ignore[arg-type]
    by = draw(st.lists(st.sampled_from(sorted(columns)), max_size=draw(st.sampled_from([0, 1, 1, 2])), unique=True))
    atoms = (*draw(_rarely(conditions)), *draw(_rarely(conditions)))
    made = joined(*aggregates, first=first, by=by) if names[1:] else alone(first, *aggregates, by=by)
    return Block("b", made.dataset, made.groupings, made.aggregates, atoms, (), 1, 1, made.entity_join)


def _rarely(conditions: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 3).flatmap(lambda number: st.just(()) if number else conditions)


def _spelled(first: str, name: str, column: str) -> str:
    return column if name == first else f"{name}.{column}"


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(ads=ads_rows, cases=cases_rows, asked=st.lists(blocks(), min_size=2, max_size=4), span=st.booleans())
def test_what_leaves_holds_the_rules_of_both_and_what_stays_has_cause(
    ads: list[Row],
    cases: list[Row],
    asked: list[Block],
    span: bool,  # noqa: FBT001 - drawn
) -> None:
    rows = {ADS: ads, CASES: cases, PAIR: _join(ads, cases)}
    released: dict[tuple[str, str, str | None], list[list[Row]]] = {}
    with tempfile.TemporaryDirectory() as home:
        world = a_pair_world(Path(home), ads, cases, *(_side(name, span=span) for name in (ADS, CASES)))
        for number, block in enumerate(asked):
            world.withheld.clear()
            [table] = world.ask(block)
            reasons = {(each.key, each.aggregate): each.reason for each in world.withheld}
            shown = {tuple(row[each.name] for each in block.groupings): row for row in table.to_pylist()}
            for source, kind, chosen in _check_block(block, rows, shown, reasons, is_first=number == 0):
                released.setdefault((source, *kind), []).append(chosen)
    event(f"of a pair: {sum(len(cells) for (source, *_), cells in released.items() if source == PAIR) > 0}")
    event(
        f"of a pair and alone: {len({source for source, *_ in released}) > 1 and any(s == PAIR for s, *_ in released)}"
    )
    for (source, *kind), cells in released.items():
        _check_one_kind(cells, rows[source], source, kind[1], span=span)
    _check_across(released)


def _side(name: DatasetName, *, span: bool) -> Any:
    p, top, share = DOMINANCE[name]
    return a_side(
        name,
        entities=THRESHOLDS[name],
        round_counts_to=COUNTS[name],
        measures={column: {"round": ROUND[column]} for column in RULES[name]["measures"]},
        dominance={"p": p, "top": top, "share": share},
        history={"span": span},
    )


def _join(ads: Sequence[Row], cases: Sequence[Row]) -> list[Row]:
    return [
        {f"ads.{c}": v for c, v in a.items()} | {f"cases.{c}": v for c, v in b.items()}
        for a in ads
        for b in cases
        if a["trader"] is not None and a["trader"] == b["trader_ref"]
    ]


def _source(block: Block) -> str:
    return PAIR if block.entity_join else block.dataset


def _name(block: Block, column: str) -> str:
    return column if block.entity_join is None or "." in column else f"{block.dataset}.{column}"


def _check_block(
    block: Block,
    rows: Mapping[str, Sequence[Row]],
    shown: Mapping[Any, Row],
    reasons: Mapping[Any, str],
    *,
    is_first: bool,
) -> list[tuple[str, tuple[str, str | None], list[Row]]]:
    source, found = _source(block), []
    groups: dict[Any, list[Row]] = {} if block.groupings else {(): []}
    for row in rows[source]:
        if _meets_all(row, block.atoms, block):
            groups.setdefault(tuple(_key(row[_name(block, g.column)]) for g in block.groupings), []).append(row)
    low_effect = _has_low_effect(rows, block)
    faults = {key: low_effect or _is_below(members, source) for key, members in groups.items()}
    assert set(shown) <= set(groups)
    for key, members in groups.items():
        if key not in shown or (not block.groupings and faults[key]):
            because = "" if faults[key] else reasons[key, None]
            by_history = because.startswith("history") and not (is_first and len(groups) == 1)
            assert faults[key] or by_history or (because == "complementary" and any(faults.values()))
            assert key not in shown or all(shown[key][each.name] is None for each in block.aggregates)
            continue
        assert not faults[key]
        if block.groupings:
            found.append((source, KEY, members))
        for figure in block.aggregates:
            chosen = [row for row in members if _counts(row, figure, block)]
            value, cause = shown[key][figure.name], _figure_fault(members, chosen, figure, block)
            if value is None and (key, figure.name) not in reasons:
                assert figure.function == "avg"
                assert _round(len(chosen), COUNTS[source]) == 0
            elif value is None:
                reason = reasons[key, figure.name]
                assert reason.startswith(cause or ("complementary", "history"))
                is_only = is_first and len(groups) * len(block.aggregates) == 1
                assert not reason.startswith("history") or not is_only
            else:
                assert not cause
                assert math.isclose(value, _truth(chosen, figure, block))
                found += [(source, kind, chosen) for kind in _kinds(figure, block)]
    return found


def _key(value: Any) -> Any:
    return datetime(value.year, value.month, 1) if isinstance(value, date) else value  # noqa: DTZ001 - as DuckDB gives it


def _meets(row: Row, atom: Atom, block: Block) -> bool:
    value = row[_name(block, atom.column)]
    if atom.op == "is null" or value is None:
        return atom.op == "is null" and value is None
    if atom.op in ("=", "in"):
        return value in atom.values
    return bool(value >= atom.values[0] if atom.op == ">=" else value < atom.values[0])  # type: ignore[operator]


def _meets_all(row: Row, atoms: Collection[Atom], block: Block) -> bool:
    return all(_meets(row, atom, block) for atom in atoms)


def _counts(row: Row, figure: Aggregate, block: Block) -> bool:
    has = figure.column is None or row[_name(block, figure.column)] is not None
    return has and _meets_all(row, figure.filter, block)


def _distinct(rows: Collection[Row], entity: str) -> int:
    return len({row[entity] for row in rows})


def _is_below(rows: Collection[Row], source: str) -> bool:
    return any(_distinct(rows, entity) < k for entity, k in THRESHOLDS[source].items())


def _is_few(rows: Collection[Row], source: str) -> bool:
    return any(0 < _distinct(rows, entity) < k for entity, k in THRESHOLDS[source].items())


def _drops_few(dropped: Collection[Row], kept: Collection[Row], entities: Mapping[str, int]) -> bool:
    for entity, k in entities.items():
        left_out = {row[entity] for row in dropped}
        if 0 < len(left_out) < k or 0 < len(left_out - {row[entity] for row in kept}) < k:
            return True
    return False


def _has_low_effect(rows: Mapping[str, Sequence[Row]], block: Block) -> bool:
    source = _source(block)
    kept = [row for row in rows[source] if _meets_all(row, block.atoms, block)]
    columns = {_name(block, atom.column) for atom in block.atoms}
    of_one = [[atom for atom in block.atoms if _name(block, atom.column) == column] for column in columns]
    for left in ([[atom] for atom in block.atoms] + of_one + [list(block.atoms)]) if block.atoms else []:
        others = [each for each in block.atoms if all(each is not atom for atom in left)]
        dropped = [r for r in rows[source] if _meets_all(r, others, block) and not _meets_all(r, left, block)]
        if _drops_few(dropped, kept, THRESHOLDS[source]):
            return True
    return source == PAIR and any(
        _join_drops_few(rows, block, mine, its) for mine, its in (((ADS, "trader"), (CASES, "trader_ref")),
                                                                  ((CASES, "trader_ref"), (ADS, "trader")))
    )  # fmt: skip


def _join_drops_few(
    rows: Mapping[str, Sequence[Row]], block: Block, mine: tuple[str, str], its: tuple[str, str]
) -> bool:
    def met(name: str) -> list[Row]:
        own = [(_name(block, atom.column), atom) for atom in block.atoms]
        atoms = [Atom(column.removeprefix(f"{name}."), a.op, a.values) for column, a in own if column.startswith(name)]
        plain = alone(DatasetName(name))
        return [row for row in rows[name] if _meets_all(row, atoms, plain)]

    thresholds = THRESHOLDS[mine[0]] | {mine[1]: 3}
    for partners in (rows[its[0]], met(its[0])):
        known = {row[its[1]] for row in partners} - {None}
        dropped = [row for row in met(mine[0]) if row[mine[1]] not in known]
        if _drops_few(dropped, [row for row in met(mine[0]) if row[mine[1]] in known], thresholds):
            return True
    return False


def _figure_fault(members: Collection[Row], chosen: Collection[Row], figure: Aggregate, block: Block) -> str | None:
    source = _source(block)
    for entity, k in THRESHOLDS[source].items():
        if _distinct(chosen, entity) < k:
            return "support"
        outside = [row for row in members if not _meets_all(row, figure.filter, block)]
        beyond = _distinct(members, entity) - _distinct(chosen, entity)
        if figure.filter and (0 < _distinct(outside, entity) < k or 0 < beyond < k):
            return "complement"
    if figure.function not in ("sum", "avg"):
        return None
    assert figure.column is not None
    column = _name(block, figure.column)
    return "dominance" if any(_is_dominated(chosen, e, column, source) for e in THRESHOLDS[source]) else None


def _is_dominated(rows: Collection[Row], entity: str, column: str, source: str) -> bool:
    amounts: dict[Any, float] = {}
    for row in rows:
        amounts[row[entity]] = amounts.get(row[entity], 0.0) + row[column]
    sizes = sorted(map(abs, amounts.values()), reverse=True)
    total, (p, top, share) = sum(sizes), DOMINANCE[source]
    return total - sum(sizes[:2]) < p * sizes[0] or sum(sizes[:top]) > share * total


def _truth(chosen: Sequence[Row], figure: Aggregate, block: Block) -> float:
    step, count = COUNTS[_source(block)], _round(len(chosen), COUNTS[_source(block)])
    if figure.column is None or figure.function == "count":
        return count
    column = _name(block, figure.column)
    if figure.function in ("sum", "avg"):
        total = _round(sum(row[column] for row in chosen), ROUND[column.rpartition(".")[2]])
        return total if figure.function == "sum" else round(total / count, 2)
    values = {row[column] for row in chosen}
    if column.rpartition(".")[2] not in (*THRESHOLDS[ADS], *THRESHOLDS[CASES]):
        held = {v: [row for row in chosen if row[column] == v] for v in values}
        values = {v for v in values if not _is_below(held[v], _source(block))}
    return _round(len(values), step)


def _round(value: float, base: float) -> float:
    return math.floor(value / base + 0.5) * base


def _kinds(figure: Aggregate, block: Block) -> list[tuple[str, str | None]]:
    if figure.column is None:
        return [("rows", None)]
    column = _name(block, figure.column)
    plain, shared = column.rpartition(".")[2], column in ("ads.trader", "cases.trader_ref")
    if figure.function == "count_distinct":
        return [("distinct", "ads.trader" if shared else column)]
    counted = ("rows", None) if shared or plain in ("country", "kind", "month") else ("count", column)
    return {"sum": [("sum", column)], "avg": [("sum", column), counted]}.get(figure.function, [counted])  # type: ignore[return-value]


def _check_one_kind(
    cells: Sequence[Sequence[Row]], rows: Sequence[Row], source: str, column: str | None, *, span: bool
) -> None:
    """No two cells, and with `span` no combination of any, tell of fewer entities than the thresholds."""
    usable = [row for row in rows if column is None or row[column] is not None]
    identities = [{id(row) for row in cell} for cell in cells]
    for one, other in itertools.combinations(identities, 2):
        assert not _is_few([row for row in usable if id(row) in one ^ other], source)
    if not span:
        return
    dimensions = sorted(c for c in (rows[0] if rows else ()) if c.rpartition(".")[2] in ("country", "month", "kind"))
    base: dict[Any, list[Row]] = {}
    for row in usable:
        base.setdefault(tuple(row[c] for c in dimensions), []).append(row)
    parts = list(base.values())
    matrix = np.array([[float(id(part[0]) in cell) for part in parts] for cell in identities])
    for entity, k in THRESHOLDS[source].items():
        for part in parts:
            own = {row[entity] for row in part}
            outside = [i for i, each in enumerate(parts) if not {row[entity] for row in each} <= own]
            if len(own) < k:
                rank = np.linalg.matrix_rank(matrix[:, outside]) if outside else 0
                assert rank == np.linalg.matrix_rank(matrix)


def _check_across(released: Mapping[tuple[str, str, str | None], Sequence[Sequence[Row]]]) -> None:
    """No cell of the pair differs by few entities from one of a dataset alone that counts or adds up the like."""
    for (source, figure, column), cells in released.items():
        for name, shared in ((ADS, "trader"), (CASES, "trader_ref")) if source == PAIR else ():
            thresholds = THRESHOLDS[name] | {shared: 3}
            kind = _alike(figure, (column or "").removeprefix(f"{name}."), thresholds, column == "ads.trader")
            for (other, *of), singles in released.items():
                if other == name and kind == _alike(of[0], of[1] or "", thresholds):
                    for one, single in itertools.product(cells, singles):
                        for entity, k in thresholds.items():
                            apart = {row[f"{name}.{entity}"] for row in one} ^ {row[entity] for row in single}
                            assert not 0 < len(apart) < k


def _alike(figure: str, own: str, entities: Collection[str], is_shared: bool = False) -> tuple[str, str]:  # noqa: FBT001, FBT002 - of a test
    if figure == "key":
        return KEY[0], ""
    return ("rows", "") if not own or own in entities or is_shared else (figure, own)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    known=st.lists(st.tuples(st.sampled_from(["FR", "DE"]), st.booleans()), min_size=8, max_size=14),
    order=st.permutations(["pair", "ads", "cases"]),
)
def test_no_two_cells_of_a_pair_and_its_datasets_tell_of_few(known: list[tuple[str, bool]], order: list[str]) -> None:
    """Each trader has one ad, and a case or none: so all figures count traders."""
    ads = [{"trader": f"T{i}", "country": country, "spend": 1.0} for i, (country, _) in enumerate(known)]
    cases = [{"trader_ref": f"T{i}", "kind": country} for i, (country, has) in enumerate(known) if has]
    sides = (a_side(ADS, entities={"trader": 3}), a_side(CASES, entities={"trader_ref": 2}))
    asked = {"pair": joined(by=["country"]), "ads": alone(ADS, by=["country"]), "cases": alone(CASES, by=["kind"])}
    shown: dict[str, set[str]] = {}
    with tempfile.TemporaryDirectory() as home:
        world = a_pair_world(Path(home), ads, cases, *sides)
        for name in order:
            shown[name] = {key for key, figure in world.figures(asked[name]).items() if figure is not None}
    released = {
        (name, key): {i for i, (country, has) in enumerate(known) if country == key and (has or name == "ads")}
        for name, keys in shown.items()
        for key in keys
    }
    event(f"shown: {len(released)}")
    for (name, one), (other, another) in itertools.combinations(released, 2):
        if "pair" in (name, other):
            assert len(released[name, one] ^ released[other, another]) not in (1, 2)
