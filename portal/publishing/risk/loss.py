"""What the recipe took away: how much each column that it coarsens still tells of the source's.

Information is Shannon's, in bits a row. What is lost of a column is what stays unknown of its source value when the
published one is known, H(source | published). As a share of H(source) it is the "non-uniform entropy" of ARX: A.
Gionis, T. Tassa, "k-anonymization with minimal loss of information", IEEE TKDE 21(2), 2009. A pseudonym loses nothing
of this: it tells rows apart as before. What it takes is the way back to the person, which no count of bits shows.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from portal.catalogue.dataset import Column, Dataset, Derivation
from portal.catalogue.release import SourceFile
from portal.policy.masks import quote
from portal.publishing.failures import applying
from portal.publishing.recipe import REJECTED, compile_recipe, derivations
from portal.publishing.traces import TRACES

_BEFORE = "value in the source"
"""No dataset has a column of this name: it is no identifier."""

_MEASURED = dict.fromkeys(TRACES, "It is counted here, and never published.")


@dataclass(frozen=True, slots=True)
class Loss:
    """What was lost of one source column in one source: bits are of all its rows together."""

    column: str
    origin: str
    rows: int
    bits_before: float
    bits_lost: float
    emptied: int


@dataclass(frozen=True, slots=True)
class Removal:
    """What the recipe did to one source: the columns that it coarsened and those that it dropped."""

    losses: tuple[Loss, ...]
    dropped: tuple[str, ...]


def measure_removal(connection: duckdb.DuckDBPyConnection, dataset: Dataset, source: SourceFile, key: bytes) -> Removal:
    """Hold the relation `raw`, one source as it came, against what the recipe makes of it."""
    shape = source.shape
    names = [str(column[0]) for column in connection.execute("FROM raw LIMIT 0").description or ()]
    recipes = derivations(dataset, shape)
    coarsened = {column: origin for column, origin in _origins(recipes, names) if _may_lose(recipes[column])}
    with applying(source.name, dataset.name, lambda: True):
        losses = tuple(
            _loss(connection, compile_recipe(_pair_only(dataset, shape, names, pair), shape, names, key), pair)
            for pair in coarsened.items()
        )
    return Removal(losses, tuple(name for name in names if name in dataset.recipe.shapes[shape].drop))


def total(removals: Sequence[Removal]) -> Removal:
    """Add up what was lost of each column over several sources."""
    found: dict[tuple[str, str], Loss] = {}
    for loss in (loss for removal in removals for loss in removal.losses):
        so_far = found.get((loss.column, loss.origin), Loss(loss.column, loss.origin, 0, 0.0, 0.0, 0))
        found[loss.column, loss.origin] = Loss(
            loss.column,
            loss.origin,
            so_far.rows + loss.rows,
            so_far.bits_before + loss.bits_before,
            so_far.bits_lost + loss.bits_lost,
            so_far.emptied + loss.emptied,
        )
    return Removal(tuple(found.values()), tuple(sorted({name for removal in removals for name in removal.dropped})))


def _origins(recipes: Mapping[str, Derivation], names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each published column that comes from a source column, with that column (an expression: its namesake)."""
    for column, recipe in recipes.items():
        origin = recipe.source or column
        if origin in names and recipe.constant is None:
            yield column, origin


def _may_lose(recipe: Derivation) -> bool:
    """Whether a derivation does more than take a column over, or tell its values apart by other names."""
    return bool(recipe.model_dump(exclude_defaults=True).keys() - {"source", "pseudonymise"})


def _pair_only(dataset: Dataset, shape: str, names: Sequence[str], pair: tuple[str, str]) -> Dataset:
    """Return the dataset with two columns alone: the published one, and its source's value under a name of its own."""
    column, origin = pair
    kept = {column: derivations(dataset, shape)[column], _BEFORE: Derivation.model_validate({"from": origin})}
    shapes = {shape: dataset.recipe.shapes[shape].model_copy(update={"columns": {}, "drop": tuple(names)})}
    return dataset.model_copy(
        update={
            "columns": {
                column: dataset.columns[column],
                _BEFORE: Column(type="VARCHAR", meaning=_BEFORE, admits=_MEASURED),
            },
            "recipe": dataset.recipe.model_copy(update={"columns": kept, "shapes": shapes}),
        }
    )


def _loss(connection: duckdb.DuckDBPyConnection, select: str, pair: tuple[str, str]) -> Loss:
    """Count the pairs of source and published value, which is all that the entropies need."""
    column, origin = pair
    columns = f"{quote(_BEFORE)} AS a, {quote(column)} AS b, count(*) AS n"
    pairs = f"SELECT {columns} FROM ({select}) WHERE {quote(REJECTED)} IS NULL GROUP BY 1, 2"  # noqa: S608 - checked content
    found = connection.execute(f"WITH pairs AS ({pairs}), {_ENTROPIES}").fetchall()[0]
    rows, by_pair, by_source, by_result, emptied = found
    before = (rows * math.log2(rows) if rows else 0.0) - by_source
    return Loss(column, origin, rows, before, max(0.0, by_result - by_pair), emptied)


_ENTROPIES = """
    sources AS (SELECT sum(n) AS n FROM pairs GROUP BY a), results AS (SELECT sum(n) AS n FROM pairs GROUP BY b)
    SELECT (SELECT coalesce(sum(n), 0)::BIGINT FROM pairs), (SELECT coalesce(sum(n * log2(n)), 0) FROM pairs),
      (SELECT coalesce(sum(n * log2(n)), 0) FROM sources), (SELECT coalesce(sum(n * log2(n)), 0) FROM results),
      (SELECT coalesce(sum(n), 0)::BIGINT FROM pairs WHERE a IS NOT NULL AND b IS NULL)"""
"""Rows, and the sums of n log2 n by pair, source value and published value; N log2 N less such a sum is entropy."""
