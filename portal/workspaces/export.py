"""An answer as a file to take away: Parquet, CSV or Arrow, its manifest inside where the format can hold it."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet

from portal.fingerprints import canonical_json
from portal.folders import held, storing, written
from portal.publishing.releases import sha256_of
from portal.workspaces.spool import opened
from portal.workspaces.texts import write_csv, write_json

MANIFEST_KEY = "dsa_research_portal"
"""The key of the manifest in the file's own metadata."""

Manifest = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was made. `sha256` is of its bytes."""

    path: Path
    bytes: int
    sha256: str


def export_answer(spool: Path, target: Path, file_format: str, manifest: Manifest) -> Exported:
    """Write the spooled answer as a file, and its manifest as `<target>.manifest.json`; whole or not at all."""
    with storing("the file"), held(target.parent, shared=True), written(target) as temporary:
        with temporary.open("wb") as sink:
            write_answer(spool, sink, file_format, manifest)
        exported = Exported(target, temporary.stat().st_size, sha256_of(temporary))
        with written(_manifest_beside(target)) as beside:
            beside.write_text(json.dumps({**manifest, "sha256": exported.sha256}, indent=2))
    return exported


def write_answer(spool: Path, sink: BinaryIO, file_format: str, manifest: Manifest) -> None:
    """Write the spooled answer in one of the formats of `WRITERS`."""
    with opened(spool) as reader:
        batches = (reader.get_batch(index) for index in range(reader.num_record_batches))
        WRITERS[file_format](sink, _described(reader.schema, manifest), batches)


def remove_export(target: Path) -> None:
    """Remove a file and its manifest."""
    target.unlink(missing_ok=True)
    _manifest_beside(target).unlink(missing_ok=True)


def _manifest_beside(target: Path) -> Path:
    return target.with_name(f"{target.name}.manifest.json")


def _described(schema: pa.Schema, manifest: Manifest) -> pa.Schema:
    return schema.with_metadata({MANIFEST_KEY: canonical_json(manifest)})


def _write_parquet(sink: BinaryIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    with pa.parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))


def _write_arrow(sink: BinaryIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    with pa.ipc.new_file(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch.replace_schema_metadata(schema.metadata))


def _write_stream(sink: BinaryIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    with pa.ipc.new_stream(sink, schema) as writer:
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
