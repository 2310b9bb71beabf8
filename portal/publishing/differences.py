"""Two releases of a dataset, held against each other: schema, counts, how far each column's values moved."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from portal.catalogue.changes import definition_changes
from portal.catalogue.release import Manifest
from portal.policy.masks import NUMBERS, TIMES, literal, quote
from portal.publishing.failures import reading
from portal.publishing.instance import bounded_instance
from portal.publishing.releases import ReleaseStore

MOST_VALUES = 2_000
"""Different values of a column beyond which its texts are taken for names, whose shares say little."""


@dataclass(frozen=True, slots=True)
class ColumnDifference:
    """How a column differs. `shift` is between 0 (the same) and 1, by the `measure` named, None where there is none.

    For numbers and dates the measure is the Kolmogorov-Smirnov distance, the greatest difference of the two
    distribution functions; for all else the total variation distance, half the sum of the differences of shares.
    Empty cells are left out of both, and counted by themselves, as shares of all rows.
    """

    column: str
    change: str
    empty_before: float | None = None
    empty_after: float | None = None
    measure: str | None = None
    shift: float | None = None
    largest: str = ""


@dataclass(frozen=True, slots=True)
class ReleaseDifference:
    """All that differs between two releases. `definition` is None where a release kept no codebook of its own."""

    facts: Mapping[str, tuple[object, object]]
    columns: tuple[ColumnDifference, ...]
    definition: tuple[str, ...] | None


def compare_releases(store: ReleaseStore, before: Manifest, after: Manifest) -> ReleaseDifference:
    """Compare two releases that are served. Raises `ContentError` where a file is not as it was published."""
    codebooks = store.codebook(before), store.codebook(after)
    with (
        tempfile.TemporaryDirectory() as spill,
        bounded_instance(Path(spill)) as connection,
        reading("release", store.name_of(after)),
    ):
        for name, manifest in (("earlier", before), ("later", after)):
            _open(connection, name, store.paths(manifest))
        columns = tuple(_columns(connection, before, after))
    both = (codebooks[0], codebooks[1]) if codebooks[0] and codebooks[1] else None
    return ReleaseDifference(_facts(before, after), columns, definition_changes(*both) if both else None)


def _facts(before: Manifest, after: Manifest) -> Mapping[str, tuple[object, object]]:
    def told(manifest: Manifest) -> Mapping[str, object]:
        return {
            "release": manifest.number,
            "published": manifest.created_at.isoformat(timespec="seconds"),
            "rows": manifest.rows,
            "rejected rows": manifest.rejected_rows,
            "files": len(manifest.files),
            "bytes": sum(file.bytes for file in manifest.files),
            "sources": len(manifest.sources),
            "synthetic": manifest.synthetic,
            "key of the pseudonyms": manifest.pseudonym_key or "not recorded",
        }

    later = told(after)
    return {name: (value, later[name]) for name, value in told(before).items()}


def _open(connection: duckdb.DuckDBPyConnection, name: str, paths: Sequence[Path]) -> None:
    files = ", ".join(literal(str(path)) for path in paths)
    connection.execute(f"CREATE VIEW {name} AS FROM read_parquet([{files}], hive_partitioning=false)")


def _columns(connection: duckdb.DuckDBPyConnection, before: Manifest, after: Manifest) -> Iterator[ColumnDifference]:
    for column in dict.fromkeys([*before.columns, *after.columns]):
        was, now = before.columns.get(column), after.columns.get(column)
        if was is None or now is None:
            yield ColumnDifference(column, "added" if was is None else "removed")
        elif was != now:
            yield ColumnDifference(column, f"{was} to {now}")
        else:
            measure, find = _MEASURES[was in NUMBERS | TIMES]
            shift, largest = find(connection, column, was)
            told = measure if shift is not None else None
            yield ColumnDifference(column, "", _empty(before, column), _empty(after, column), told, shift, largest)


def _empty(manifest: Manifest, column: str) -> float | None:
    nulls = sum(file.statistics[column].nulls for file in manifest.files)
    return round(nulls / manifest.rows, 6) if manifest.rows else None


def _both(cell: str) -> str:
    return f"SELECT {cell} AS value, 0 AS side FROM earlier UNION ALL SELECT {cell} AS value, 1 AS side FROM later"  # noqa: S608 - quoted names


_SHARES = """
    SELECT value, count(*) FILTER (side = 0) / nullif(sum(count(*) FILTER (side = 0)) OVER (), 0) AS p,
        count(*) FILTER (side = 1) / nullif(sum(count(*) FILTER (side = 1)) OVER (), 0) AS q
    FROM ({both}) WHERE value IS NOT NULL GROUP BY value
"""


def _distance(connection: duckdb.DuckDBPyConnection, column: str, _: str) -> tuple[float | None, str]:
    sql = f"""
        SELECT max(abs(sum_p - sum_q)), arg_max(value, abs(sum_p - sum_q)) FROM (
            SELECT value, sum(p) OVER (ORDER BY value) AS sum_p, sum(q) OVER (ORDER BY value) AS sum_q
            FROM ({_SHARES.format(both=_both(quote(column)))}))
    """  # noqa: S608 - quoted names
    [(shift, where)] = connection.execute(sql).fetchall()
    return (None, "") if shift is None else (round(shift, 6), f"around {where}" if shift else "")


def _variation(connection: duckdb.DuckDBPyConnection, column: str, column_type: str) -> tuple[float | None, str]:
    cell = f"unnest({quote(column)})" if column_type == "VARCHAR[]" else f"CAST({quote(column)} AS VARCHAR)"
    [(different,)] = connection.execute(f"SELECT approx_count_distinct(value) FROM ({_both(cell)})").fetchall()  # noqa: S608 - quoted names
    if different > MOST_VALUES:
        return None, ""
    shares = _SHARES.format(both=_both(cell))
    sql = f"SELECT sum(abs(p - q)) / 2, arg_max((value, p, q), abs(p - q)) FROM ({shares})"  # noqa: S608 - quoted names
    [(shift, most)] = connection.execute(sql).fetchall()
    if shift is None:
        return None, ""
    value, p, q = most
    return round(shift, 6), f"{value}: {p:.1%} to {q:.1%}" if shift else ""


_MEASURES = {True: ("Kolmogorov-Smirnov", _distance), False: ("total variation", _variation)}
"""How the values of a column are compared, by whether they have an order that means something."""
