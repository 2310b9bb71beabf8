"""An answer as text: CSV as DuckDB prints it, and JSON."""

import json
import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import BinaryIO

import polars as pl
import pyarrow as pa

_MOMENT = "%Y-%m-%d %H:%M:%S%.f"


def write_csv(sink: BinaryIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    """Write a header and the rows: NULL is empty, an empty text is quoted, a list or struct is JSON in a cell."""
    names = [f"column {place}" for place, _ in enumerate(schema)]  # a frame's names must differ, an answer's need not
    header = pl.DataFrame({name: [field.name] for name, field in zip(names, schema, strict=True)})
    header.write_csv(sink, include_header=False)
    for batch in batches:
        columns = [_plain(pl.Series(name, _flat(column))) for name, column in zip(names, batch.columns, strict=True)]
        pl.DataFrame(columns).write_csv(
            sink, include_header=False, datetime_format=_MOMENT, time_format="%H:%M:%S%.f", null_value=""
        )


def write_json(sink: BinaryIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    """Write one object: the columns with their types, and each row as a list in their order. Numbers stay exact."""
    columns = [{"name": field.name, "type": str(field.type)} for field in schema]
    sink.write(f'{{"columns": {json.dumps(columns, ensure_ascii=False)}, "rows": ['.encode())
    separator = "\n"
    for batch in batches:
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            sink.write(f"{separator}{json_text(row)}".encode())
            separator = ",\n"
    sink.write(b"\n]}\n")


def json_text(value: object) -> str:
    """Return a value as JSON; what is no number to JSON (nan, infinity) is text."""
    match value:
        case Decimal():
            return format(value, "f")
        case float() if not math.isfinite(value):
            return f'"{value}"'
        case Mapping():
            return f"{{{', '.join(f'{json.dumps(str(key))}: {json_text(each)}' for key, each in value.items())}}}"
        case list() | tuple():
            return f"[{', '.join(map(json_text, value))}]"
        case _:
            return json.dumps(value, default=str, ensure_ascii=False)


def _flat(column: pa.Array) -> pa.Array:
    """Return a nested column as JSON text, and one of a type that polars lacks as plain text."""
    if pa.types.is_nested(column.type):
        return pa.array([None if value is None else json_text(value) for value in column.to_pylist()], pa.string())
    return column


def _plain(series: pl.Series) -> pl.Series:
    """Return times with a zone, and numbers that are none, as DuckDB writes them."""
    if isinstance(series.dtype, pl.Datetime) and series.dtype.time_zone:
        return series.dt.convert_time_zone("UTC").dt.strftime(f"{_MOMENT}+00")
    return series
