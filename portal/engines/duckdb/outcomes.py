"""How a statement can end badly, as a closed set of words. The engine's own message never leaves the sandbox.

Where the message tells more than the type of the error, a table reads it; only the word and a place go on.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Outcome(StrEnum):
    """What a sandbox may say of a statement that failed."""

    UNKNOWN_FUNCTION = "unknown_function"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_COLUMN = "unknown_column"
    ARGUMENT_TYPES = "argument_types"
    NOT_GROUPED = "not_grouped"
    AMBIGUOUS = "ambiguous"
    MISPLACED = "misplaced"
    BINDER = "binder"
    PARAMETERS = "parameters"
    SEVERAL_ROWS = "several_rows"
    CONVERSION = "conversion"
    OUT_OF_RANGE = "out_of_range"
    INVALID_INPUT = "invalid_input"
    NOT_IMPLEMENTED = "not_implemented"
    OUT_OF_MEMORY = "out_of_memory"
    INTERRUPTED = "interrupted"
    ROW_TOO_LARGE = "row_too_large"
    UNREADABLE_FILE = "unreadable_file"
    UNCONFINED = "unconfined"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Failure:
    """An outcome, and where in the text it lies: offset and length in bytes, both 0 where unknown."""

    outcome: Outcome
    offset: int = 0
    length: int = 0


_BY_TYPE: Mapping[str, Outcome] = MappingProxyType(
    {
        "Binder": Outcome.BINDER,
        "Catalog": Outcome.BINDER,
        "Parser": Outcome.BINDER,
        "Conversion": Outcome.CONVERSION,
        "Out of Range": Outcome.OUT_OF_RANGE,
        "Mismatch Type": Outcome.ARGUMENT_TYPES,
        "Invalid type": Outcome.ARGUMENT_TYPES,
        "Invalid Input": Outcome.INVALID_INPUT,
        "Not implemented": Outcome.NOT_IMPLEMENTED,
        "Out of Memory": Outcome.OUT_OF_MEMORY,
        "INTERRUPT": Outcome.INTERRUPTED,
        "IO": Outcome.UNREADABLE_FILE,
        "Serialization": Outcome.UNREADABLE_FILE,
    }
)
"""By what DuckDB writes before ` Error: `; its Python classes are lost where Arrow hands the error on."""
_BY_WORDS = (
    (re.compile(r"^(Scalar |Aggregate |Table |Window )?Function with name"), Outcome.UNKNOWN_FUNCTION),
    (re.compile(r"^Type with name"), Outcome.UNKNOWN_TYPE),
    (re.compile(r"^Referenced (column|table)|not found in FROM clause"), Outcome.UNKNOWN_COLUMN),
    (re.compile(r"^No function matches|^Could not choose|^Cannot (compare|mix|combine|cast)"), Outcome.ARGUMENT_TYPES),
    (re.compile(r"must appear in the GROUP BY"), Outcome.NOT_GROUPED),
    (re.compile(r"^Ambiguous reference"), Outcome.AMBIGUOUS),
    (re.compile(r"cannot contain (aggregates|window)|cannot be nested|not supported here"), Outcome.MISPLACED),
    (re.compile(r"^Values were not provided"), Outcome.PARAMETERS),
    (re.compile(r"^More than one row returned by a subquery"), Outcome.SEVERAL_ROWS),
    (re.compile(r"^Failed to read file"), Outcome.UNREADABLE_FILE),
    (re.compile(r"bad allocation|[Oo]ut of memory|Cannot allocate memory"), Outcome.OUT_OF_MEMORY),
)
_MAY_SAY_MORE = (Outcome.BINDER, Outcome.INVALID_INPUT, Outcome.INTERNAL)


def failure_of(error: BaseException) -> Failure:
    """Return how the statement ended, read from the exception; with `errors_as_json` set its place is known too."""
    if isinstance(error, MemoryError):
        return Failure(Outcome.OUT_OF_MEMORY)
    kind, _, rest = str(error).partition(" Error: ")
    outcome = _BY_TYPE.get(kind, Outcome.INTERNAL)
    message, offset, length = _read(rest)
    if outcome in _MAY_SAY_MORE:
        outcome = next((known for words, known in _BY_WORDS if words.search(message)), outcome)
    return Failure(outcome, offset, length)


def _read(text: str) -> tuple[str, int, int]:
    """Return the message, and the place that DuckDB names as `location: [offset, length]`."""
    try:
        details = json.loads(text)
        offset, length = json.loads(details.get("location", "[0, 0]"))
        return str(details["exception_message"]), int(offset), int(length)
    except (ValueError, KeyError, TypeError, AttributeError):
        return text, 0, 0
