"""What the classes tell of a sensitive column: l-diversity in three forms, and t-closeness.

Literature: A. Machanavajjhala, D. Kifer, J. Gehrke, M. Venkitasubramaniam, "l-diversity: privacy beyond k-anonymity",
ACM TKDD 1(1), 2007 (distinct, entropy and recursive (c,l)-diversity); N. Li, T. Li, S. Venkatasubramanian,
"t-closeness: privacy beyond k-anonymity and l-diversity", ICDE 2007 (the earth mover's distance, with equal distances
between values that have no order and with distances by rank between those that have).

An entity counts once for each value that it has in a class. A missing value is a value, and the least where values have
an order.
"""

from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from duckdb.func import PythonUDFType

from portal.policy.masks import NUMBERS, TIMES, quote
from portal.publishing.risk.classes import Classes

Floats = npt.NDArray[np.float64]
_GAP = "gap_to_the_whole"
"""The name of `gap` in SQL."""


@dataclass(frozen=True, slots=True)
class Diversity:
    """One sensitive column over all classes; `poorest` and `furthest` name the class that decides l and t.

    `recursive_c` is the bound that `c` must exceed for the release to be recursively (c,l)-diverse with the l that is
    `distinct`; None where that is 1, for which nothing is said. `closeness` is t.
    """

    column: str
    ordered: bool
    values: int
    distinct: int
    entropy: float
    recursive_c: float | None
    closeness: float
    poorest: int
    furthest: int


def measure_diversity(classes: Classes, column: str) -> Diversity:
    """Measure a sensitive column of a release that has rows."""
    connection = classes.connection
    ordered = classes.dataset.columns[column].type in NUMBERS | TIMES
    _spread(classes, column)
    connection.execute(_WHOLE)
    shares: Floats = np.array([row[0] for row in connection.execute(_SHARES).fetchall()], dtype=np.float64)
    distinct, entropy, poorest = connection.execute(_DIVERSITY).fetchall()[0]
    closeness, furthest = (_by_rank if ordered else _by_equality)(connection, shares)
    recursive = connection.execute(_RECURSIVE.format(l=distinct)).fetchall()[0][0] if distinct > 1 else None
    return Diversity(column, ordered, shares.size, distinct, entropy, recursive, closeness, poorest, furthest)


def _spread(classes: Classes, column: str) -> None:
    """Make `spread(class, value, units)`: how many units of each class have each value."""
    cell = quote(column)
    cell = cell if classes.dataset.columns[column].type != "VARCHAR[]" else f"CAST({cell} AS VARCHAR)"
    select = f"SELECT {classes.key} AS class, {cell} AS value, count(*) AS units FROM published GROUP BY 1, 2"  # noqa: S608 - checked content
    if classes.unit:
        each = f"SELECT DISTINCT {classes.key} AS class, {cell} AS value, {classes.unit} AS unit FROM published"  # noqa: S608 - checked content
        select = f"SELECT class, value, count(*) AS units FROM ({each}) GROUP BY class, value"  # noqa: S608 - checked content
    classes.connection.execute(f"CREATE OR REPLACE TEMP TABLE spread AS {select}")


_WHOLE = """
    CREATE OR REPLACE TEMP TABLE whole AS
    SELECT value, row_number() OVER (ORDER BY value NULLS FIRST) AS rank, sum(units) / sum(sum(units)) OVER () AS share
    FROM spread GROUP BY value"""
_SHARES = "SELECT share FROM whole ORDER BY rank"
_DIVERSITY = """
    SELECT min(l), exp(min(entropy)), arg_min(class, (l, entropy, class))
    FROM (SELECT class, count(*) AS l, ln(sum(units)) - sum(units * ln(units)) / sum(units) AS entropy
          FROM spread GROUP BY class)"""
_RECURSIVE = """
    SELECT max(counts[1] / list_sum(counts[{l}:]))
    FROM (SELECT list_reverse_sort(list(units)) AS counts FROM spread GROUP BY class)"""
"""The most frequent value's count over the counts from the l-th most frequent on: r1 < c (rl + ... + rm)."""
_EQUALITY = """
    SELECT max(distance), arg_max(class, (distance, class))
    FROM (SELECT class, (1 + sum(abs(units / n - share) - share)) / 2 AS distance
          FROM (SELECT class, value, units, sum(units) OVER (PARTITION BY class) AS n FROM spread) AS each
          JOIN whole ON each.value IS NOT DISTINCT FROM whole.value GROUP BY class)"""
_RANK = """
    SELECT max(distance), arg_max(class, (distance, class))
    FROM (SELECT class, sum(gap_to_the_whole(rank, next, reached)) + gap_to_the_whole(1, min(rank), 0) AS distance
          FROM (SELECT class, rank, sum(units) OVER upto / sum(units) OVER (PARTITION BY class) AS reached,
                  lead(rank, 1, $values + 1) OVER upto AS next
                FROM spread JOIN whole ON spread.value IS NOT DISTINCT FROM whole.value
                WINDOW upto AS (PARTITION BY class ORDER BY rank))
          GROUP BY class)"""


def _by_equality(connection: duckdb.DuckDBPyConnection, _: Floats) -> tuple[float, int]:
    """Half the sum of the differences of shares; a value that the class lacks differs by its whole share."""
    distance, furthest = connection.execute(_EQUALITY).fetchall()[0]
    return max(0.0, distance), furthest


def _by_rank(connection: duckdb.DuckDBPyConnection, shares: Floats) -> tuple[float, int]:
    """The mean difference of cumulated shares. A class's is a stair, so each of its steps is taken at once."""
    reached = np.cumsum(shares)
    sums = np.concatenate(([0.0], np.cumsum(reached)))

    def gap(start: pa.Array, end: pa.Array, level: pa.Array) -> pa.Array:
        first, last = start.to_numpy(zero_copy_only=False), end.to_numpy(zero_copy_only=False)
        height = level.to_numpy(zero_copy_only=False)
        cross = np.clip(np.searchsorted(reached, height, side="right") + 1, first, last)
        below = height * (cross - first) - (sums[cross - 1] - sums[first - 1])
        above = (sums[last - 1] - sums[cross - 1]) - height * (last - cross)
        return pa.array(below + above)

    connection.create_function(_GAP, gap, ["BIGINT", "BIGINT", "DOUBLE"], "DOUBLE", type=PythonUDFType.ARROW)
    try:
        distance, furthest = connection.execute(_RANK, {"values": shares.size}).fetchall()[0]
    finally:
        connection.remove_function(_GAP)
    return max(0.0, distance) / max(1, shares.size - 1), furthest
