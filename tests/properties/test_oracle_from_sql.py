"""From SQL text to what leaves: every released cell is recomputed from the rows, every withheld one has had cause."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from support.oracle.data import Row, some_rows
from support.oracle.history import KEY, Known, kinds_of
from support.oracle.questions import Cells, Question, conversations, distinct_cells
from support.oracle.rules import Rules, some_rules
from support.oracle.spelling import written
from support.oracle.truth import Truth, truth_of, value_of
from support.oracle.world import OracleWorld, an_oracle_world

from portal.desk.answers import Answer

Table = list[tuple[Any, ...]]
Case = tuple[Rules, Sequence[Row], Sequence[Question]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rules = draw(some_rules)
    return rules, draw(some_rows), draw(conversations(rules))


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OracleWorld]:
    with an_oracle_world(tmp_path_factory.mktemp("quick"), quick=True) as world:
        yield world


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OracleWorld]:
    with an_oracle_world(tmp_path_factory.mktemp("real"), quick=False) as world:
        yield world


unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@settings(unhurried, max_examples=3 * settings.default.max_examples)
@given(case=cases())
def test_from_text_to_cells_every_rule_is_held_and_nothing_is_withheld_without_cause(
    quick: OracleWorld, case: Case
) -> None:
    check(quick, case)


@settings(unhurried, max_examples=settings.default.max_examples // 12)
@given(case=cases())
def test_so_it_is_on_the_engines_of_production(real: OracleWorld, case: Case) -> None:
    check(real, case)


def check(world: OracleWorld, case: Case) -> None:
    rules, rows, asked = case
    world.begin(rows, rules)
    known = Known(rows, rules)
    answers = [world.ask(*written(question)) for question in asked]
    for question, answer in zip(asked, answers, strict=True):
        check_question(world, question, answer, known)
    assert known.first_wrong() is None
    check_again(world, asked[0], answers[0], known)


def check_question(
    world: OracleWorld, question: Question, answered: tuple[Answer, list[pa.Table]], known: Known
) -> None:
    rows, rules = known.rows, known.rules
    answer, relations = answered
    every = distinct_cells(question)
    assert len(relations) == len(every)
    shown = {cells: as_rows(relation) for cells, relation in zip(every, relations, strict=True)}
    expected: Counter[str] = Counter()
    refused: list[tuple[Cells, tuple[tuple[Any, ...], int], Truth]] = []
    for cells in every:
        truth = truth_of(cells, rows, rules)
        expected.update(truth.hidden_groups.values())
        expected.update(truth.hidden_figures.values())
        refused += [(cells, place, truth) for place in check_cells(cells, shown[cells], truth, known)]
    for cells, place, truth in refused:
        group, j = place
        is_there = as_key(group) in {row[: len(cells.keys)] for row in shown[cells]} or not cells.keys
        region = known.region(truth.held_in(place, cells, rules) if is_there else truth.groups[group])
        kinds = kinds_of(cells.figures[j], rules) if is_there else [KEY]
        assert any(known.has_cause(kind, region) for kind in kinds), (cells, place)
    told = Counter()
    for reason, number in world.reasons(answer).items():
        told[reason.partition(":")[0].removesuffix(" of a condition")] += number
    silent = told.pop("history", 0)
    assert told == expected
    assert len(refused) - silent == 0 or any("avg" in repr(cells) for cells in every)
    for reason in (*told, *(["history"] * bool(silent))):
        event(reason)
    event(f"asked: {question.how}")
    check_answer(question, as_rows(answer.table()), shown)
    figures = (row[len(cells.keys) :] for cells, table in shown.items() for row in table)
    assert answer.receipt.withheld == any(None in each for each in figures)


def check_cells(cells: Cells, shown: Table, truth: Truth, known: Known) -> list[tuple[tuple[Any, ...], int]]:
    """Hold what is shown against the truth, and note it; return the places that only the history can have withheld."""
    width = len(cells.keys)
    found = {row[:width]: row[width:] for row in shown}
    assert len(found) == len(shown)
    if not cells.keys and () in truth.hidden_groups:
        assert shown == [(None,) * len(cells.figures)]
        return []
    assert set(found) <= {as_key(group) for group in truth.shown}
    refused: list[tuple[tuple[Any, ...], int]] = []
    for group in truth.shown:
        if as_key(group) not in found:
            places = [(group, j) for j in range(len(cells.figures))]
            refused += [place for place in places if place not in truth.hidden_figures]
            assert known.has_cause(KEY, known.region(truth.groups[group]))
            continue
        if cells.keys:
            known.cells[KEY].add(known.region(truth.groups[group]))
        for j, figure in enumerate(cells.figures):
            place, value = (group, j), found[as_key(group)][j]
            chosen = truth.rows_in(place, cells)
            if place in truth.hidden_figures:
                assert value is None
                continue
            wanted = value_of(figure, chosen, known.rules)
            kept = known.cells if value is not None else known.perhaps
            if value is None and wanted is not None:
                refused.append(place)
                continue
            assert value == wanted, (figure, group)
            for kind in kinds_of(figure, known.rules):
                kept[kind].add(known.region(truth.held_in(place, cells, known.rules)))
    return refused


def check_answer(question: Question, answer: Table, shown: Mapping[Cells, Table]) -> None:
    """Everything after the cells is computed from what is shown."""
    sides = [shown[cells] for cells in question.cells]
    if question.how == "plain":
        [cells], [rows] = question.cells, sides
        if question.having is not None:
            number, least = question.having
            at = len(cells.keys) + number
            rows = [row for row in rows if row[at] is not None and row[at] >= least]
        if question.first is not None:
            assert answer == sorted(rows, key=in_order)[: question.first]
        else:
            assert Counter(answer) == Counter(rows)
    elif question.how == "beside":
        assert Counter(answer) == Counter(one + other for one in sides[0] for other in sides[1])
    elif question.how == "union":
        assert Counter(answer) == Counter(sides[0] + sides[1])
    else:
        one, other = map(set, sides)
        assert Counter(answer) == Counter(one - other if question.how == "except" else one & other)


def check_again(world: OracleWorld, question: Question, first: tuple[Answer, list[pa.Table]], known: Known) -> None:
    """The same question has the same answer, in other words too; and of few one learns no more than of nobody."""
    sql, parameters = written(question)
    answer, cells = first
    again, _ = world.ask(sql, parameters)
    assert again.table().equals(answer.table())
    _, in_other_words = world.ask(f"SELECT 1 AS more, c.* FROM ({sql}) AS c", parameters)
    assert in_other_words == cells
    truths = [truth_of(each, known.rows, known.rules) for each in distinct_cells(question)]
    hidden = [set(truth.groups) == set(truth.hidden_groups) for truth in truths]
    if any(hidden):
        world.begin([], known.rules)
        _, nothing = world.ask(sql, parameters)
        for found, none in itertools.compress(zip(cells, nothing, strict=True), hidden):
            assert found.equals(none)


def as_rows(table: pa.Table) -> Table:
    """Return the rows; two columns may be of one name."""
    if not table.num_rows:
        return []
    return [as_key(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]


def as_key(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(date(each.year, each.month, each.day) if isinstance(each, datetime) else each for each in values)


def in_order(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((value is None, value) if value is not None else (True,) for value in row)
