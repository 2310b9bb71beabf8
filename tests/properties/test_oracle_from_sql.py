"""From SQL text to what leaves: every released cell is recomputed from the rows, every withheld one has had cause."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from support.oracle.data import Row, some_rows
from support.oracle.history import KEY, Kind, Known, Region, kinds_of
from support.oracle.questions import Cells, Question, conversations, distinct_cells
from support.oracle.rules import Rules, some_rules
from support.oracle.spelling import written
from support.oracle.truth import Truth, entities_in, fault_of, held, truth_of, value_of
from support.oracle.world import OracleWorld, an_oracle_world

from portal.desk.answers import Answer

Table = list[tuple[Any, ...]]
Case = tuple[Rules, Sequence[Row], Sequence[Question]]
BESIDE = "beside a withheld figure"


@dataclass
class Seen:
    """What is missing from an answer: `withheld` by reason, and `refused` where only a history may have done so.

    Beside an average that its count rounds away, a figure of the remainder may be withheld or not: `perhaps_beside`.
    """

    known: Known
    withheld: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[list[Kind], Region]] = field(default_factory=list)
    perhaps_beside: int = 0
    remainders: bool = False


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
    seen = Seen(known)
    for cells in every:
        truth = truth_of(cells, rows, rules)
        seen.withheld.update(truth.hidden_groups.values())
        seen.withheld.update(truth.hidden_figures.values())
        check_cells(cells, shown[cells], truth, seen)
    for kinds, region in seen.refused:
        assert any(known.has_cause(kind, region) for kind in kinds), (question, region)
    told = Counter()
    for reason, number in world.reasons(answer).items():
        told[reason.partition(":")[0].removesuffix(" of a condition")] += number
    silent = told.pop("history", 0)
    assert 0 <= told[BESIDE] - seen.withheld.pop(BESIDE, 0) <= seen.perhaps_beside
    assert told - Counter({BESIDE: told[BESIDE]}) == seen.withheld
    unseen = silent - len(seen.refused)  # of an average that its count rounds away, nobody can say
    averages = any(each.function == "avg" for cells in every for each in cells.figures)
    assert unseen == 0 or (unseen > 0 and averages)
    for reason in (*told, *(["history"] * bool(silent)), *(["remainder"] * seen.remainders)):
        event(reason)
    event(f"asked: {question.how}")
    check_answer(question, as_rows(answer.table()), shown)
    figures = (row[cells.before :] for cells, table in shown.items() for row in table)
    assert answer.receipt.withheld == any(None in each for each in figures)


def check_cells(cells: Cells, shown: Table, truth: Truth, seen: Seen) -> None:
    """Hold what is shown against the truth, and note it; whatever else is missing the history must have refused."""
    width, before = len(cells.keys), cells.before
    rest = [row[before:] for row in shown if cells.remainder and row[width]]
    groups = [row for row in shown if not (cells.remainder and row[width])]
    found = {row[:width]: row[before:] for row in groups}
    assert len(found) == len(groups)
    if not cells.keys and () in truth.hidden_groups:
        assert shown == [(None,) * len(cells.figures)]
        return
    assert set(found) <= {as_key(group) for group in truth.shown}
    for group in truth.shown:
        figures = {j: truth.rows_in((group, j), cells) for j in range(len(cells.figures))
                   if (group, j) not in truth.hidden_figures}  # fmt: skip
        row = found.get(as_key(group))
        assert row is None or all(row[j] is None for j in range(len(cells.figures)) if j not in figures)
        check_row(cells, row, truth.groups[group], figures, seen)
    if cells.remainder:
        check_remainder(cells, rest, found, truth, seen)


def check_row(
    cells: Cells,
    row: tuple[Any, ...] | None,
    members: Sequence[Row],
    figures: Mapping[int, Sequence[Row]],
    seen: Seen,
) -> None:
    """Hold one row against its rows of data; `figures` are those that only the history may withhold."""
    known = seen.known
    if row is None:
        seen.refused += [([KEY], known.region(members))] * (1 + len(figures))
        return
    if cells.keys:
        known.cells[KEY].add(known.region(members))
    for j, chosen in figures.items():
        figure, value = cells.figures[j], row[j]
        wanted = value_of(figure, chosen, known.rules)
        region, kinds = known.region(held(figure, members, chosen, known.rules)), kinds_of(figure, known.rules)
        if value is None and wanted is not None:
            seen.refused.append((kinds, region))
            continue
        assert value == wanted, (figure, members)
        kept = known.cells if value is not None else known.perhaps
        for kind in kinds:
            kept[kind].add(region)


def check_remainder(
    cells: Cells, rest: Table, found: Mapping[tuple[Any, ...], tuple[Any, ...]], truth: Truth, seen: Seen
) -> None:
    """One row over all groups that are withheld, where there are two or more and it holds every rule of a group."""
    rules = seen.known.rules
    withheld = [rows for group, rows in truth.groups.items() if as_key(group) not in found]
    members = [row for rows in withheld for row in rows]
    few = any(size < rules.entities[name] for name, size in entities_in(members, rules).items())
    if "low effect" in truth.hidden_groups.values() or len(withheld) < 2 or few:
        assert not rest
        is_judged = "low effect" not in truth.hidden_groups.values() and len(withheld) >= 2
        seen.withheld["threshold"] += is_judged
        return
    figures = {}
    for j, figure in enumerate(cells.figures):
        chosen = [row for row in members if figure.counts(row)]
        missing = [group for group in truth.shown if found.get(as_key(group), (0,) * (j + 1))[j] is None]
        fault = fault_of(figure, members, rules)
        if fault or not all(is_rounded_away(cells, truth, group, j, rules) for group in missing):
            seen.withheld[fault or BESIDE] += 1
            assert not rest or rest[0][j] is None
        elif missing and (not rest or rest[0][j] is None):
            seen.perhaps_beside += 1
            for kind in kinds_of(figure, rules):
                seen.known.perhaps[kind].add(seen.known.region(chosen))
        else:
            figures[j] = chosen
    seen.remainders |= bool(rest)
    assert len(rest) <= 1
    check_row(cells, rest[0] if rest else None, members, figures, seen)


def is_rounded_away(cells: Cells, truth: Truth, group: tuple[Any, ...], j: int, rules: Rules) -> bool:
    """Whether an average has no value to show, so that nobody sees whether it is withheld."""
    if (group, j) in truth.hidden_figures:
        return False
    return value_of(cells.figures[j], truth.rows_in((group, j), cells), rules) is None


def check_answer(question: Question, answer: Table, shown: Mapping[Cells, Table]) -> None:
    """Everything after the cells is computed from what is shown."""
    sides = [shown[cells] for cells in question.cells]
    if question.how == "plain":
        [cells], [rows] = question.cells, sides
        if question.having is not None:
            number, least = question.having
            at = cells.before + number
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
        every = distinct_cells(question)
        for asked, found, none in itertools.compress(zip(every, cells, nothing, strict=True), hidden):
            assert found.equals(none) or (asked.remainder and found.num_rows == 1)


def as_rows(table: pa.Table) -> Table:
    """Return the rows; two columns may be of one name."""
    if not table.num_rows:
        return []
    return [as_key(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]


def as_key(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(date(each.year, each.month, each.day) if isinstance(each, datetime) else each for each in values)


def in_order(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple((value is None, value) if value is not None else (True,) for value in row)
