from collections.abc import Iterator

import duckdb
import pytest

from portal.simulation.dice import Dice, pick, shares

ROWS = 200_000


@pytest.fixture(name="connection")
def _connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def test_throws_of_two_names_are_independent(connection: duckdb.DuckDBPyConnection) -> None:
    first, second = Dice(1).throw("seller"), Dice(1).throw("category")
    cells = connection.execute(f"""
        SELECT floor({first} * 8), floor({second} * 8), count(*) FROM range({ROWS}) AS r(i) GROUP BY ALL
    """).fetchall()
    expected = ROWS / 64
    assert len(cells) == 64
    assert all(abs(count - expected) < 5 * expected**0.5 for _, _, count in cells)


def test_equal_things_get_equal_throws_and_another_seed_others(connection: duckdb.DuckDBPyConnection) -> None:
    throws = [Dice(seed).throw("price", of="i // 2") for seed in (1, 1, 2)]
    rows = connection.execute(f"SELECT {', '.join(throws)} FROM range(4) AS r(i)").fetchall()
    assert rows[0] == rows[1] != rows[2] == rows[3]
    assert all(0 <= a == b != c < 1 for a, b, c in rows)


def test_values_are_picked_as_often_as_they_weigh(connection: duckdb.DuckDBPyConnection) -> None:
    picked = pick("u", {"often": 70, "it's rare": 30, "never": 0})
    found = connection.execute(f"""
        SELECT {picked}, count(*) FROM (SELECT i / 1000 AS u FROM range(1000) AS r(i)) GROUP BY 1
    """).fetchall()
    assert dict(found) == {"often": 700, "it's rare": 300}


@pytest.mark.parametrize(("total", "weights"), [(10, [1, 1, 1]), (7, [5, 0, 2]), (1, [3, 3]), (500_000, [7, 11, 13])])
def test_shares_add_up_and_keep_proportion(total: int, weights: list[int]) -> None:
    parts = shares(total, weights)
    assert sum(parts) == total
    assert all(abs(part - total * weight / sum(weights)) < 1 for part, weight in zip(parts, weights, strict=True))
