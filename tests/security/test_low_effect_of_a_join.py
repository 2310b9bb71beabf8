"""A row that finds no partner is dropped by the join alone: those dropped are none or enough, as for any condition."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.aggregates import ADS, COUNT, World, a_disclosure, a_subject, a_world, ad

from portal.errors import PolicyRefusal
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


@pytest.mark.parametrize(
    "atoms",
    [
        (Atom("country", "in", ("FR", "DE")), Atom("country", "in", ("DE", "FR"))),
        (Atom("country", "in", ("FR", "DE", "IT")), Atom("country", "in", ("FR", "DE", "ES"))),
        (Atom("country", "in", ("FR", "DE")), Atom("placement", "=", ("feed",))),
    ],
)
def test_a_condition_does_not_hide_behind_one_that_says_the_same(tmp_path: Path, atoms: tuple[Atom, ...]) -> None:
    """Four advertisers of Luxembourg, who alone advertise in search, are left out by both conditions together."""
    rows = [ad(i, "FR" if i % 2 else "DE") for i in range(40)] + [
        ad(100 + i, "LU", placement="search") for i in range(4)
    ]
    world = a_world(tmp_path, rows, a_subject(a_disclosure(round_counts_to=1)))
    assert world.figure(Block("b", ADS, (), (COUNT,), atoms, (), 1, 1)) is None


def test_a_condition_does_not_hide_behind_the_joined_table(tmp_path: Path) -> None:
    world = a_world_of(tmp_path, 0, large=4)
    both = Atom("country", "=", ("FR",)), Atom("dim_country.size", "<", (5,))
    assert world.figure(joined(*both)) is None


def test_to_a_public_key_that_is_there_twice_nothing_is_joined(tmp_path: Path) -> None:
    """It would count a row more than once."""
    world = a_world_of(tmp_path, 0)
    pq.write_table(pa.table({"code": ["FR", "DE", "FR"], "size": [1, 9, 1]}), tmp_path / "dim_country.parquet")
    with pytest.raises(PolicyRefusal) as refused:
        world.figure(joined())
    assert [fault.code for fault in refused.value.faults] == ["KEY_NOT_UNIQUE"]
