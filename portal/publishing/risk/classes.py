"""Equivalence classes in DuckDB: how many units share each combination of quasi-identifiers (k-anonymity).

Literature: L. Sweeney, "k-anonymity: a model for protecting privacy", Int. J. Uncertainty, Fuzziness and
Knowledge-Based Systems 10(5), 2002.

A class is named by the 64-bit hash of its quasi-identifiers, so that the wide columns are grouped once only. That no
two classes share a hash is then counted, and the hash seeded anew where two do. An entity with rows in several classes
is a unit of each. Entities are told apart by a hash as well, and all rows that name no entity are one: both can only
make a class smaller than it is.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from portal.catalogue.dataset import Column, Dataset, Role
from portal.policy.masks import NUMBERS, TIMES, literal, quote

MISSING = "missing"
"""How a missing value is named."""
NAMED = 12
"""How many of the smallest classes are named."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many classes have this many units, and how many rows are in them."""

    units: int
    classes: int
    rows: int


@dataclass(frozen=True, slots=True)
class Described:
    """A class as it may be named: what its rows have in common, generalised, and how much is in it."""

    values: Mapping[str, str]
    units: int
    rows: int


@dataclass(frozen=True, slots=True)
class Classes:
    """The equivalence classes of a release, in a DuckDB connection that holds its rows as `published`.

    The tables `classes(class, units, rows)` and, where entities count, `members(class, unit)` stay for other measures.
    """

    dataset: Dataset
    connection: duckdb.DuckDBPyConnection
    key: str
    sizes: tuple[Size, ...]
    alone: int

    @property
    def unit(self) -> str:
        """The SQL that tells the units of a class apart, for use in DISTINCT; empty where each row is one."""
        return _unit(self.dataset)

    def smallest(self, limit: int = NAMED) -> tuple[int, ...]:
        """Return the names of the smallest classes, smallest first."""
        select = f"SELECT class FROM classes ORDER BY units, rows, class LIMIT {limit:d}"  # noqa: S608 - a number
        return tuple(row[0] for row in self.connection.execute(select).fetchall())

    def describe(self, names: Iterable[int]) -> Mapping[int, Described]:
        """Return the named classes, their values generalised: enough for a steward to know them again."""
        columns = self.dataset.of_role(Role.QUASI_IDENTIFIER)
        shown = "".join(f", any_value({_generalised(name, self.dataset.columns[name])})" for name in columns)
        listed = ", ".join(str(name) for name in sorted(set(names))) or "NULL"
        values = f"SELECT {self.key}{shown} FROM published WHERE {self.key} IN ({listed}) GROUP BY 1"  # noqa: S608 - checked content
        sizes = f"SELECT class, units, rows FROM classes WHERE class IN ({listed})"  # noqa: S608 - numbers
        counted = {row[0]: row[1:] for row in self.connection.execute(sizes).fetchall()}
        return {
            row[0]: Described(dict(zip(columns, row[1:], strict=True)), *map(int, counted[row[0]]))
            for row in self.connection.execute(values).fetchall()
        }


def find_classes(dataset: Dataset, connection: duckdb.DuckDBPyConnection) -> Classes:
    """Group the rows of `published` by the dataset's quasi-identifiers."""
    columns = [quote(name) for name in dataset.of_role(Role.QUASI_IDENTIFIER)]
    combined = f"SELECT DISTINCT {', '.join(columns) or '0'} FROM published"  # noqa: S608 - checked content
    combinations = _one(connection, f"SELECT count(*) FROM ({combined})")  # noqa: S608 - checked content
    for seed in itertools.count():
        key = f"hash({', '.join([str(seed), *columns])})"
        _group(connection, key, _unit(dataset))
        if _one(connection, "SELECT count(*) FROM classes") >= combinations:
            break
    found = connection.execute("SELECT units, count(*), sum(rows) FROM classes GROUP BY ALL ORDER BY ALL").fetchall()
    sizes = tuple(Size(units, classes, int(rows)) for units, classes, rows in found)
    return Classes(dataset, connection, key, sizes, _alone(dataset, connection, sizes))


def _group(connection: duckdb.DuckDBPyConnection, key: str, unit: str) -> None:
    if unit:
        members = f"SELECT {key} AS class, {unit} AS unit, count(*) AS rows FROM published GROUP BY 1, 2"  # noqa: S608 - checked content
        connection.execute(f"CREATE OR REPLACE TEMP TABLE members AS {members}")
        classes = "SELECT class, count(*) AS units, sum(rows) AS rows FROM members GROUP BY class"
    else:
        classes = f"SELECT {key} AS class, count(*) AS units, count(*) AS rows FROM published GROUP BY 1"  # noqa: S608 - checked content
    connection.execute(f"CREATE OR REPLACE TEMP TABLE classes AS {classes}")


def _alone(dataset: Dataset, connection: duckdb.DuckDBPyConnection, sizes: Sequence[Size]) -> int:
    """Count the entities (or rows) that are in some class the only one."""
    if dataset.unit is None:
        return sum(size.classes for size in sizes if size.units == 1)
    lonely = "SELECT any_value(unit) AS unit FROM members GROUP BY class HAVING count(*) = 1"
    return _one(connection, f"SELECT count(DISTINCT unit) FROM ({lonely})")  # noqa: S608 - a constant


def _unit(dataset: Dataset) -> str:
    return f"hash({quote(dataset.unit)})" if dataset.unit else ""


def _one(connection: duckdb.DuckDBPyConnection, select: str) -> int:
    return int(connection.execute(select).fetchall()[0][0])


def _generalised(name: str, column: Column) -> str:
    """Return the SQL of a value as it may be named: by its codebook value, month, leading digit or first letter."""
    cell = quote(name)
    if column.type in TIMES:
        shown = f"strftime({cell}, '%Y-%m')"
    elif column.type in NUMBERS:
        cell = f"CAST({cell} AS DOUBLE)"  # the least BIGINT has no absolute value
        step = f"pow(10, floor(log10(abs({cell}))))"
        shown = f"CASE WHEN {cell} = 0 THEN '0' ELSE format('about {{:.4g}}', round({cell} / {step}) * {step}) END"
    elif column.type == "VARCHAR[]":
        shown = f"format('{{}} values', len({cell}))"
    elif column.values is not None or column.type == "BOOLEAN":
        shown = f"CAST({cell} AS VARCHAR)"
    else:
        shown = f"format('{{}}… (length {{}})', left({cell}, 1), length({cell}))"
    return f"coalesce({shown}, {literal(MISSING)})"
