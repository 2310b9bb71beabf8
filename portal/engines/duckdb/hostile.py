"""Reading what a sandbox sends as if it were written by an attacker, for it may be.

Bounds come before memory: a frame is short (`frames`), and nothing in it may stand for more than it is. So: no
compressed buffers, a bounded number of columns and levels, types that DuckDB sends, offsets and text that are checked.
"""

import struct
from collections.abc import Iterable

import pyarrow as pa

_COLUMNS = 4096
_LEVELS = 24
_DICTIONARIES_AND_MORE = 2 * _COLUMNS
_EXTENSIONS = frozenset({"arrow.json", "arrow.uuid", "arrow.bool8", "arrow.opaque"})
_REFUSED = (pa.types.is_run_end_encoded,)
_FIXED_WIDTH = (pa.types.is_primitive, pa.types.is_decimal)
_HEADER_FIELD, _DATA_FIELD, _COMPRESSION_FIELD = 2, 1, 3


class HostileArrowError(Exception):
    """The bytes are no Arrow stream as a sandbox sends them."""


def read_schema(stream: memoryview) -> pa.Schema:
    """Return the schema of a stream that holds nothing else."""
    schema, batches = _read(stream)
    if batches or len(schema) > _COLUMNS or not all(_is_welcome(field.type, _LEVELS) for field in schema):
        raise HostileArrowError
    return schema


def read_batch(stream: memoryview, schema: pa.Schema, most_rows: int) -> pa.RecordBatch:
    """Return the one batch of a stream, checked whole."""
    found, batches = _read(stream)
    if len(batches) != 1 or not found.equals(schema) or not 0 < batches[0].num_rows <= most_rows:
        raise HostileArrowError
    _validate(batches[0].columns)
    return batches[0]


def _read(stream: memoryview) -> tuple[pa.Schema, list[pa.RecordBatch]]:
    try:
        buffer = pa.py_buffer(stream)
        _refuse_compressed(buffer)
        with pa.ipc.open_stream(buffer, options=pa.ipc.IpcReadOptions(use_threads=False)) as reader:
            return reader.schema, list(reader)
    except (pa.ArrowException, OSError, ValueError, KeyError, EOFError, struct.error) as error:
        raise HostileArrowError from error


def _refuse_compressed(buffer: pa.Buffer) -> None:
    """Look for compression before anything is expanded: a few bytes can stand for any number of others."""
    for number, message in enumerate(pa.ipc.MessageReader.open_stream(buffer)):
        if number > _DICTIONARIES_AND_MORE or _is_compressed(message):
            raise HostileArrowError


def _is_compressed(message: pa.ipc.Message) -> bool:
    """Whether a RecordBatch, or the one inside a DictionaryBatch, names a codec. Arrow has verified the flatbuffer."""
    metadata = message.metadata.to_pybytes()
    header = _field(metadata, struct.unpack_from("<I", metadata)[0], _HEADER_FIELD)
    if message.type == "dictionary":
        header = _field(metadata, header, _DATA_FIELD)
    return message.type in ("dictionary", "record batch") and _field(metadata, header, _COMPRESSION_FIELD) != 0


def _field(metadata: bytes, table: int, index: int) -> int:
    """Return where the table that a flatbuffer table's field refers to begins, 0 where the field is not set."""
    vtable = table - struct.unpack_from("<i", metadata, table)[0]
    slot = 4 + 2 * index
    if vtable < 0 or slot >= struct.unpack_from("<H", metadata, vtable)[0]:
        return 0
    offset = struct.unpack_from("<H", metadata, vtable + slot)[0]
    return table + offset + int(struct.unpack_from("<I", metadata, table + offset)[0]) if offset else 0


def _is_welcome(kind: pa.DataType, levels: int) -> bool:
    if levels == 0 or any(refuses(kind) for refuses in _REFUSED):
        return False
    if isinstance(kind, pa.BaseExtensionType):
        return kind.extension_name in _EXTENSIONS and _is_welcome(kind.storage_type, levels - 1)
    if pa.types.is_dictionary(kind):
        return _is_welcome(kind.value_type, levels - 1)
    if kind.num_fields > _COLUMNS:
        return False
    return all(_is_welcome(kind.field(number).type, levels - 1) for number in range(kind.num_fields))


def _validate(columns: Iterable[pa.Array]) -> None:
    try:
        for column in columns:
            # DuckDB knows values that Arrow finds out of range (24:00:00); in fixed widths they do no harm.
            column.validate(full=not any(holds(column.type) for holds in _FIXED_WIDTH))
    except pa.ArrowException as error:
        raise HostileArrowError from error
