"""An answer as a file to take away: Parquet, CSV or Arrow, its manifest inside where the format can hold it.

The answer is read from disk batch by batch and never mapped or held whole, so that memory stays small at any size.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from portal.engines.port import Progress
from portal.fingerprints import canonical_json
from portal.folders import put, storing
from portal.publishing.releases import sha256_of
from portal.workspaces.spool import opened
from portal.workspaces.texts import write_csv, write_json

MANIFEST_KEY = "dsa_research_portal"
"""The key of the manifest in the file's own metadata."""

FACTS = "facts"
"""Of a manifest, what a file's own metadata says key by key as well, for readers that look into no JSON."""
EVERY_ROW = range(sys.maxsize)

_ROW_GROUP = 122_880
"""Rows of one row group of a Parquet file, as DuckDB has it."""
_ROW_GROUP_BYTES = 64_000_000

Manifest = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was made. `sha256` is of its bytes."""

    path: Path
    bytes: int
    sha256: str


def export_answer(
    spool: Path, target: Path, file_format: str, manifest: Manifest, progress: Progress | None = None
) -> Exported:
    """Write the spooled answer as a file, and its manifest as `<target>.manifest.json`; whole or not at all.

    `progress` is told after each batch, and may raise to end the work. Raises `LimitReached` where the disk is full.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary, beside = target.with_name(f".{target.name}.part"), _manifest_beside(target)
    with storing("the file"):
        try:
            with temporary.open("wb") as sink:
                write_answer(spool, sink, file_format, manifest, progress)
            exported = Exported(target, temporary.stat().st_size, sha256_of(temporary))
            beside.write_text(json.dumps({**manifest, "sha256": exported.sha256}, indent=2))
            put(temporary, target)
        except BaseException:
            for path in (temporary, beside):
                path.unlink(missing_ok=True)
            raise
    return exported


def write_answer(  # noqa: PLR0913, PLR0917 - what is written, where, how, and how it is watched
    spool: Path,
    sink: BinaryIO,
    file_format: str,
    manifest: Manifest,
    progress: Progress | None = None,
    rows: range = EVERY_ROW,
) -> None:
    """Write the spooled answer, or some of its rows, in one of the formats of `WRITERS`."""
    with opened(spool) as reader:
        WRITERS[file_format](sink, _described(reader.schema, manifest), _told(reader, progress, rows))


def remove_export(target: Path) -> None:
    """Remove a file and its manifest."""
    target.unlink(missing_ok=True)
    _manifest_beside(target).unlink(missing_ok=True)


def _manifest_beside(target: Path) -> Path:
    return target.with_name(f"{target.name}.manifest.json")


def _described(schema: pa.Schema, manifest: Manifest) -> pa.Schema:
    return schema.with_metadata({MANIFEST_KEY: canonical_json(manifest), **manifest.get(FACTS, {})})


def _told(reader: pa.ipc.RecordBatchFileReader, progress: Progress | None, rows: range) -> Iterator[pa.RecordBatch]:
    number, passed = reader.num_record_batches, 0
    for index in range(number):
        if passed >= rows.stop:
            return
        if progress:
            progress(index / number, f"Writing the file: {index / number:.0%}")
        batch = reader.get_batch(index)
        first, last = (min(max(row - passed, 0), batch.num_rows) for row in (rows.start, rows.stop))
        passed += batch.num_rows
        yield batch.slice(first, last - first)


def _write_parquet(sink: BinaryIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    with pa.parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for table in _row_groups(schema, batches):
            writer.write_table(table)


def _row_groups(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Put small batches together, so that the file has few row groups and no more than one is held."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch.replace_schema_metadata(schema.metadata))
        if sum(each.num_rows for each in held) >= _ROW_GROUP or sum(each.nbytes for each in held) >= _ROW_GROUP_BYTES:
            yield pa.Table.from_batches(held, schema)
            held = []
    if held:
        yield pa.Table.from_batches(held, schema)


def _write_arrow(sink: BinaryIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    with pa.ipc.new_file(sink, schema) as writer:
        _write_batches(writer, schema, batches)


def _write_stream(sink: BinaryIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    with pa.ipc.new_stream(sink, schema) as writer:
        _write_batches(writer, schema, batches)


def _write_batches(writer: pa.RecordBatchStreamWriter, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    for batch in batches:
        writer.write_batch(batch.replace_schema_metadata(schema.metadata))


WRITERS: Mapping[str, Callable[[BinaryIO, pa.Schema, Iterator[pa.RecordBatch]], None]] = {
    "parquet": _write_parquet,
    "csv": write_csv,
    "json": write_json,
    "arrow": _write_arrow,
    "arrow-stream": _write_stream,
}
"""Every format that an answer can have; a policy says which of them a download may have."""
