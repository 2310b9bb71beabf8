"""Blocks from base cells with the engine that production has: made once, shared, made anew where they are damaged."""

import math
import threading
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from support.aggregates import COUNT, SPEND, World, a_block, a_disclosure, a_subject, a_world, ad

from portal.desk import bases as module
from portal.engines.duckdb.trusted import DuckDBTrusted
from portal.errors import LimitReached
from portal.policy.decision import DayBound, RowRule
from portal.policy.model import Disclosure
from portal.sql.blocks import Aggregate

ADVERTISERS = Aggregate("n", "count_distinct", "advertiser_id", ())
VALUES = Aggregate("n", "count", "spend_eur", ())
TWO = a_disclosure(entities={"advertiser_id": 10, "user_id": 20})


def a_real_world(home: Path, rows: Sequence[dict[str, Any]], disclosure: Disclosure | None = None) -> World:
    world = a_world(home, rows, a_subject(disclosure))
    world.engine = DuckDBTrusted(threads=1)
    return world


def some_rows() -> list[dict[str, Any]]:
    return [
        ad(i, country, campaign_date=date(2026, month, 3), placement=placement)
        for country in ("FR", "DE", "IT")
        for month in (1, 2, 3)
        for placement in ("feed", "search")
        for i in range(30)
    ]


def _summaries(home: Path) -> list[Path]:
    return sorted(home.glob("bases/*/*/summary.parquet"))


@pytest.mark.parametrize("keep", [0, 4, 2000, -8])
@pytest.mark.parametrize("name", ["summary.parquet", "members-0.parquet"])
def test_a_file_that_is_cut_short_is_made_anew(tmp_path: Path, name: str, keep: int) -> None:
    world = a_real_world(tmp_path, some_rows())
    whole = world.figures(a_block(SPEND, by=["country"]))
    [summary] = _summaries(tmp_path)
    damaged = summary.with_name(name)
    damaged.write_bytes(damaged.read_bytes()[:keep])
    assert world.figures(a_block(SPEND, by=["country"]), project="p2") == whole
    assert _summaries(tmp_path) == [summary]


def test_several_who_ask_first_at_once_get_the_same(tmp_path: Path) -> None:
    a_real_world(tmp_path, some_rows())
    found: list[Any] = []

    def ask(number: int) -> None:
        world = World(tmp_path, a_subject(), engine=DuckDBTrusted(threads=1))
        found.append(world.figures(a_block(SPEND, by=["country"]), project=f"p{number}"))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [{"FR": 18_000, "DE": 18_000, "IT": 18_000}] * 4
    assert len(_summaries(tmp_path)) == 1


def test_a_bound_that_moves_makes_no_base_cells_anew(tmp_path: Path) -> None:
    world = a_real_world(tmp_path, some_rows())
    for day, expected in [(date(2026, 1, 31), 180), (date(2026, 2, 27), 180), (date(2026, 3, 31), 540), (None, 540)]:
        bounds = [DayBound("campaign_date", "<=", day)] if day else []
        subject = a_subject(rows=tuple(RowRule(each.predicate, "embargo", each) for each in bounds))
        assert world.figure(a_block(), subject=subject, project=f"p{day}") == expected
    assert len(_summaries(tmp_path)) == 1


def test_a_rule_on_no_grid_makes_other_base_cells(tmp_path: Path) -> None:
    world = a_real_world(tmp_path, some_rows())
    rule = RowRule("(\"user_id\" <> 'U1') IS TRUE", "one user is left out")
    assert world.figure(a_block()) == 540
    assert world.figure(a_block(), subject=a_subject(rows=(rule,)), project="p2") == 520
    assert len(_summaries(tmp_path)) == 2


def test_no_entity_is_one_entity_and_no_distinct_value(tmp_path: Path) -> None:
    few = [ad(None) for _ in range(50)] + [ad(i) for i in range(8)]
    assert a_real_world(tmp_path / "few", few).figure(a_block()) is None
    world = a_real_world(tmp_path / "enough", [*few, *(ad(f"x{i}") for i in range(12))])
    assert world.figure(a_block()) == 70
    assert world.figure(a_block(ADVERTISERS)) == 20


def test_each_entity_holds_its_own_threshold(tmp_path: Path) -> None:
    rows = [ad(i, "FR", user_id=f"U{i % 15}") for i in range(30)] + [ad(f"d{i}", "DE") for i in range(30)]
    world = a_real_world(tmp_path, [*rows, *(ad(f"n{i}", "NL") for i in range(30))], TWO)
    assert world.figures(a_block(by=["country"])) == {"NL": 30}
    assert {each.reason for each in world.withheld} >= {"threshold: user_id", "complementary"}


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_sum_with_what_is_no_finite_number_is_withheld_and_its_count_is_not(tmp_path: Path, value: float) -> None:
    rows = [ad(i, country, placement="feed") for country in ("FR", "DE", "IT", "NL") for i in range(30)]
    rows[3]["spend_eur"] = value
    world = a_real_world(tmp_path, rows)
    assert world.figures(a_block(SPEND, by=["country"]))["FR"] is None
    assert "dominance: advertiser_id" in {each.reason for each in world.withheld}
    assert world.figure(a_block(SPEND)) is None
    assert world.figures(a_block(VALUES, by=["country"]))["FR"] == 30


def test_a_release_without_rows_answers_as_one_with_too_few(tmp_path: Path) -> None:
    world = a_real_world(tmp_path, [])
    assert world.ask(a_block(COUNT, SPEND))[0].to_pylist() == [{"n": None, "spend": None}]
    assert world.ask(a_block(by=["country"]))[0].num_rows == 0


@pytest.mark.parametrize("bound", ["MAX_CELLS", "MAX_MEMBERS"])
def test_too_many_base_cells_are_a_limit_in_clear_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(module, bound, 3)
    with pytest.raises(LimitReached, match="coarser grid"):
        a_real_world(tmp_path, some_rows()).ask(a_block())
    assert not _summaries(tmp_path)
