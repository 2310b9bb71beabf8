"""Base cells: the summary says what the members say, the certificate never more than they do."""

import math
import random
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.built_cells import Member, some_base_cells, write_base_cells

from portal.disclosure.base import BaseCells, open_base_cells
from portal.disclosure.cells import Contributions, is_dominated, is_spread
from portal.disclosure.summary import GROUP_CELLS
from portal.errors import EngineFailure
from portal.policy.model import Dominance

amounts = st.one_of(
    st.none(),
    st.sampled_from([0.0, 1.0, -1.0, 1e16, -1e16, 1e308, -1e308, math.inf, -math.inf, math.nan]),
    st.floats(-1e6, 1e6),
    st.floats(allow_nan=True, allow_infinity=True),
)
tables = st.dictionaries(st.tuples(st.integers(0, 5), st.integers(0, 9)), amounts, min_size=1, max_size=40)
rules = st.builds(
    Dominance,
    p=st.sampled_from([0.01, 0.1, 0.5, 0.99]),
    top=st.integers(1, 4),
    share=st.sampled_from([0.1, 0.5, 0.9, 1.0]),
)


def _name(cell: int) -> str:
    return f'{{"a":"{cell // 8:03d}","b":{cell % 8}}}'


def _members(table: Mapping[tuple[int, int], float | None]) -> list[Member]:
    return [(_name(cell), entity, {"x": amount}) for (cell, entity), amount in table.items()]


def _truth(table: Mapping[tuple[int, int], float | None], region: Sequence[int], rule: Dominance) -> bool:
    """Whether the sum over the region is dominated, in plain Python; what is no finite number dominates."""
    totals: dict[int, float] = {}
    for (cell, entity), amount in table.items():
        if cell in region:
            totals[entity] = totals.get(entity, 0.0) + (amount or 0.0)
    sizes = sorted((math.inf if math.isnan(x) else abs(x) for x in totals.values()), reverse=True)
    return is_dominated(Contributions(sum(sizes), tuple(sizes)), rule)


@settings(deadline=None)
@given(table=tables, rule=rules, largest=st.integers(2, 5))
@example(table={(0, 1): math.inf, (0, 2): 1.0}, rule=Dominance(), largest=2)
@example(table={(0, 1): math.nan, (0, 2): 1.0}, rule=Dominance(), largest=2)
@example(table={(0, 1): 1e308, (0, 2): 1e308, (0, 3): -1e308}, rule=Dominance(), largest=2)
def test_the_certificate_says_nothing_that_the_contributions_do_not(
    table: dict[tuple[int, int], float | None], rule: Dominance, largest: int
) -> None:
    cells = sorted({cell for cell, _ in table})
    regions = [cells[:1], cells[1:], cells]
    with some_base_cells({"e": _members(table)}, ["x"], largest=max(largest, rule.top)) as base:
        for region in regions:
            at = [base.names.index(_name(cell)) for cell in region]
            if not base.in_doubt(at, "e", "x", rule):
                assert not _truth(table, region, rule)
            if _truth(table, region, rule):
                assert base.dominated([at], "x", rule) == (("e",),)
            elif math.isfinite(base.total(at, "x")):
                assert base.dominated([at], "x", rule) == ((),)


@given(sizes=st.lists(st.floats(0, 1e9), min_size=1, max_size=8), rule=rules, factor=st.floats(1, 3))
def test_a_certificate_from_any_upper_bounds_holds_for_the_amounts(
    sizes: list[float], rule: Dominance, factor: float
) -> None:
    falling = sorted(sizes, reverse=True)
    if is_spread(sum(sizes), sum(sizes), [x * factor for x in falling], rule):
        assert not is_dominated(Contributions(sum(sizes), tuple(falling)), rule)


def test_many_even_contributors_are_certified_and_one_giant_is_not() -> None:
    even = {(cell, entity): 10.0 for cell in range(20) for entity in range(100)}
    with some_base_cells({"e": _members(even)}, ["x"]) as base:
        assert not base.in_doubt(range(20), "e", "x", Dominance())
    with some_base_cells({"e": _members(even | {(0, 7): 1e6})}, ["x"]) as base:
        assert base.in_doubt(range(20), "e", "x", Dominance())
        assert base.dominated([range(10), range(10, 20)], "x", Dominance()) == (("e",), ())


@pytest.mark.parametrize("seed", range(4))
def test_unions_are_those_of_the_members_whatever_is_asked(seed: int) -> None:
    """Enough cells for marginals and several row groups, two kinds of entity, NULL, and missing values."""
    chance = random.Random(seed)
    members: dict[str, list[Member]] = {"e": [], "f": []}
    for cell in range(GROUP_CELLS + 88):
        for entity, most in (("e", 60), ("f", 9)):
            for number in {0, *(chance.randrange(most) for _ in range(3))}:
                amount = None if chance.random() < (0.3 if cell % 3 == 0 else 0.0) else float(number)
                members[entity].append((_name(cell), number, {"x": amount}))
    with some_base_cells(members, ["x"]) as base:
        assert base.marginals.of
        everything = range(len(base.names))
        regions = [list(everything), [], *([*everything][first::step] for first, step in [(0, 8), (3, 8), (5, 2)])]
        regions += [chance.sample(everything, size) for size in (1, 20, 300)]
        regions += [[i for i in everything if i // 8 in (3, 4, 70)], [i for i in everything if i >= 8]]
        for region in regions:
            _check_region(base, region, members)


def _check_region(base: BaseCells, region: Sequence[int], members: Mapping[str, Sequence[Member]]) -> None:
    names = {base.names[i] for i in region}
    for entity, every in members.items():
        inside = [each for each in every if each[0] in names]
        assert set(base.entities_in(region, entity)) == {number for _, number, _ in inside}
        totals: dict[int, float] = {}
        for _, number, of in inside:
            totals[number] = totals.get(number, 0.0) + (of["x"] or 0.0)
        found = base.contributions(region, entity, "x")
        assert found == Contributions(sum(totals.values()), tuple(sorted(totals.values(), reverse=True)[:20]))


def test_a_damaged_page_is_not_read(tmp_path: Path) -> None:
    members = {"e": [(_name(c), e * e * 7919 % 60_013, {"x": 1.0}) for c in range(8) for e in range(2000)]}
    summary, files = write_base_cells(tmp_path, members, ["x"])
    whole = summary.read_bytes()
    column = pq.ParquetFile(summary).schema_arrow.names.index("#entities.e")
    place = pq.read_metadata(summary).row_group(0).column(column).data_page_offset
    summary.write_bytes(whole[: place + 500] + bytes([whole[place + 500] ^ 1]) + whole[place + 501 :])
    with open_base_cells(summary, files) as base, pytest.raises(EngineFailure, match="damaged"):
        base.entities_in([0], "e")


def test_members_that_are_gone_are_missed(tmp_path: Path) -> None:
    members = {"e": [(_name(c), e, {"x": 1.0}) for c in range(4) for e in range(30)]}
    summary, files = write_base_cells(tmp_path, members, ["x"])
    pq.write_table(pq.read_table(files["e"]).slice(0, 100), files["e"])
    with open_base_cells(summary, files) as base:
        assert len(base.contributions([0], "e", "x").largest) == 20
        with pytest.raises(EngineFailure, match="damaged"):
            base.contributions([3], "e", "x")


def test_a_summary_is_made_in_the_memory_of_a_few_cells() -> None:
    """A million members take 12 MB a column as arrays and far more as Python; making may add but a part of that."""
    program = textwrap.dedent("""
        import resource, sys, numpy as np, pyarrow as pa, pyarrow.parquet as pq
        from pathlib import Path
        from portal.disclosure.summary import Columns, summarise
        folder, cells, each = Path(sys.argv[1]), int(sys.argv[2]), 2000
        with pq.ParquetWriter(folder / "m.parquet", pa.schema([("#cell", pa.uint32()), ("#entity", pa.uint32()),
                              ("#sum.x", pa.float64())])) as writer:
            for cell in range(cells):
                writer.write_table(pa.table({
                    "#cell": np.full(each, cell, np.uint32), "#entity": np.arange(each, dtype=np.uint32),
                    "#sum.x": np.ones(each)}))
        names = [f"c{i}" for i in range(cells)]
        pq.write_table(pa.table({"#position": range(cells), "#name": names, "d": names, "#rows": [each] * cells,
                                 "#count.x": [each] * cells, "#sum.x": [float(each)] * cells}), folder / "c.parquet")
        summarise(folder / "c.parquet", {"e": folder / "m.parquet"}, Columns(("x",), 2), folder / "s.parquet")
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    """)
    with tempfile.TemporaryDirectory() as small, tempfile.TemporaryDirectory() as large:
        used = [
            int(subprocess.run([sys.executable, "-c", program, folder, cells], capture_output=True, check=True).stdout)
            for folder, cells in ((small, "50"), (large, "2000"))
        ]
    assert used[1] - used[0] < 64, used
