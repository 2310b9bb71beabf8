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

from portal.policy.masks import NUMBERS, TIMES, quote
from portal.publishing.risk.classes import Classes


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
    values = connection.execute("SELECT count(*) FROM whole").fetchall()[0][0]
    distinct, entropy, poorest = connection.execute(_DIVERSITY).fetchall()[0]
    recursive = connection.execute(_RECURSIVE.format(l=distinct)).fetchall()[0][0] if distinct > 1 else None
    closeness, furthest = (_by_rank if ordered else _by_equality)(connection)
    return Diversity(column, ordered, values, distinct, entropy, recursive, closeness, poorest, furthest)


def _by_equality(connection: duckdb.DuckDBPyConnection) -> tuple[float, int]:
    """Half the sum of the differences of shares; a value that the class lacks differs by its whole share."""
    distance, furthest = connection.execute(_EQUALITY).fetchall()[0]
    return max(0.0, distance), furthest


def _by_rank(connection: duckdb.DuckDBPyConnection) -> tuple[float, int]:
    """The mean difference of cumulated shares. A class's is a stair, whose steps the whole's crosses once at most."""
    connection.execute(_SUMS)
    connection.execute(_STEPS)
    distance, furthest = connection.execute(_RANK).fetchall()[0]
    return max(0.0, distance), furthest


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
    SELECT *, sum(share) OVER (ORDER BY rank) AS reached
    FROM (SELECT value, row_number() OVER (ORDER BY value NULLS FIRST) AS rank,
            sum(units) / sum(sum(units)) OVER () AS share
          FROM spread GROUP BY value)"""
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
_SUMS = """
    SET VARIABLE sums = (
      SELECT list_prepend(0, list(total ORDER BY rank))
      FROM (SELECT rank, sum(reached) OVER (ORDER BY rank) AS total FROM whole))"""
"""At rank i: what the whole reaches at all ranks below i, added up."""
_STEPS = """
    CREATE OR REPLACE TEMP TABLE steps AS
    SELECT class, rank AS low, lead(rank, 1, (SELECT count(*) + 1 FROM whole)) OVER upto AS high,
      sum(units) OVER upto / sum(units) OVER (PARTITION BY class) AS height
    FROM spread JOIN whole ON spread.value IS NOT DISTINCT FROM whole.value
    WINDOW upto AS (PARTITION BY class ORDER BY rank)"""
"""Each class's cumulated share: its height from one rank that it has to the next."""
_RANK = """
    WITH crossings AS (
      SELECT height, coalesce(rank, 0) + 1 AS crossing
      FROM (SELECT DISTINCT height FROM steps) AS heights ASOF LEFT JOIN whole ON heights.height >= whole.reached),
    crossed AS (
      SELECT class, low, high, height, greatest(low, least(high, crossing)) AS crossing
      FROM steps JOIN crossings USING (height)),
    distances AS (
      SELECT class, getvariable('sums')[min(low)] + sum(
          height * (2 * crossing - low - high) + getvariable('sums')[low] + getvariable('sums')[high]
          - 2 * getvariable('sums')[crossing]) AS distance
      FROM crossed GROUP BY class)
    SELECT max(distance) / greatest(1, (SELECT count(*) - 1 FROM whole)), arg_max(class, (distance, class))
    FROM distances"""
"""Below the crossing the class is above the whole, from there on below it."""
