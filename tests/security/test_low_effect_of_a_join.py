"""A row that finds no partner is dropped by the join alone: those dropped are none or enough, as for any condition."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.aggregates import ADS, COUNT, World, a_disclosure, a_subject, a_world, ad

from portal.ids import DatasetName
from portal.sql.blocks import Atom, Block, PublicJoin

JOIN = (PublicJoin("country", DatasetName("dim_country"), "code"),)


def a_world_of(home: Path, alone: int, large: int = 0) -> World:
    """Twenty advertisers of France, `alone` of a country without a partner, and `large` of Germany, which is larger."""
    rows = [ad(i) for i in range(20)] + [ad(100 + i, "XX") for i in range(alone)]
    rows += [ad(200 + i, "DE") for i in range(large)]
    world = a_world(home, rows, a_subject(a_disclosure(round_counts_to=1)))
    pq.write_table(pa.table({"code": ["FR", "DE"], "size": [1, 9]}), home / "dim_country.parquet")
    return world


def joined(*atoms: Atom) -> Block:
    return Block("b", ADS, (), (COUNT,), atoms, JOIN, 1, 1)


@pytest.mark.parametrize(("alone", "found"), [(0, 20), (1, None), (9, None), (10, 20)])
def test_a_join_drops_none_or_enough(tmp_path: Path, alone: int, found: int | None) -> None:
    assert a_world_of(tmp_path, alone).figure(joined()) == found


def test_a_condition_on_the_joined_table_does_not_hide_what_the_join_drops(tmp_path: Path) -> None:
    """The condition leaves out nobody whom the join keeps, and the join a few."""
    assert a_world_of(tmp_path, 3).figure(joined(Atom("dim_country.size", "<", (5,)))) is None


def test_a_row_without_partner_meets_no_condition_that_a_value_is_missing(tmp_path: Path) -> None:
    world = a_world_of(tmp_path, 12)
    assert world.figure(joined(Atom("dim_country.size", "is null", ()))) is None
    assert world.figure(joined(Atom("dim_country.size", "<=", (1,)))) == 20


def test_a_range_on_a_public_column_is_a_condition_like_any_other(tmp_path: Path) -> None:
    assert a_world_of(tmp_path, 0, large=4).figure(joined(Atom("dim_country.size", "<", (5,)))) is None
    assert a_world_of(tmp_path / "more", 0, large=15).figure(joined(Atom("dim_country.size", ">", (5,)))) == 15


def test_a_condition_of_its_own_that_leaves_out_all_of_them_makes_the_join_harmless(tmp_path: Path) -> None:
    world = a_world_of(tmp_path, 12)
    assert world.figure(joined(Atom("country", "=", ("FR",)))) == 20
