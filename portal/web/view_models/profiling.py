"""What an answer's columns hold: types, gaps, different values, bounds and the most frequent values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

TOP = 3
"""As many frequent values as are named."""
_NAMES: Sequence[tuple[Callable[[pa.DataType], bool], str]] = (
    (pa.types.is_boolean, "true or false"),
    (pa.types.is_integer, "whole number"),
    (pa.types.is_floating, "number"),
    (pa.types.is_decimal, "decimal number"),
    (pa.types.is_date, "day"),
    (pa.types.is_timestamp, "moment"),
    (pa.types.is_string, "text"),
    (pa.types.is_large_string, "text"),
    (pa.types.is_list, "list"),
    (pa.types.is_struct, "struct"),
)
_WITHOUT_BOUNDS = ("text", "true or false")
"""Their first and last value in order say little."""
_NESTED = (pa.types.is_nested, pa.types.is_union)


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column of an answer. What cannot be said of its type is None or empty."""

    column: str
    type: str
    missing: int
    different: int | None = None
    least: object = None
    most: object = None
    top: tuple[tuple[object, int], ...] = ()


def type_in_words(kind: pa.DataType) -> str:
    """Name a type as a reader would."""
    return next((name for fits, name in _NAMES if fits(kind)), str(kind))


def profile(table: pa.Table) -> tuple[ColumnProfile, ...]:
    """Return the profile of each column."""
    return tuple(_profile(field, column) for field, column in zip(table.schema, table.columns, strict=True))


def _profile(field: pa.Field, column: pa.ChunkedArray) -> ColumnProfile:
    kind, missing = type_in_words(field.type), column.null_count
    if any(is_so(field.type) for is_so in _NESTED):
        return ColumnProfile(field.name, kind, missing)
    counts = pc.value_counts(column.drop_null().combine_chunks())
    order = pc.sort_indices(counts.field("counts"), sort_keys=[("", "descending")])[:TOP]
    top = tuple((each["values"], each["counts"]) for each in counts.take(order).to_pylist())
    bounds = {} if kind in _WITHOUT_BOUNDS else pc.min_max(column).as_py()
    return ColumnProfile(field.name, kind, missing, len(counts), bounds.get("min"), bounds.get("max"), top)
