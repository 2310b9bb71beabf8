"""How a statement can end badly, as a closed set of words. The engine's own message never leaves the sandbox.

Where the message tells more than the class of the exception, a table reads it; only the word and a place go on.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum

import duckdb


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


_BY_CLASS: tuple[tuple[type[BaseException], Outcome], ...] = (
    (duckdb.OutOfMemoryException, Outcome.OUT_OF_MEMORY),
    (MemoryError, Outcome.OUT_OF_MEMORY),
    (duckdb.InterruptException, Outcome.INTERRUPTED),
    (duckdb.ConversionException, Outcome.CONVERSION),
    (duckdb.OutOfRangeException, Outcome.OUT_OF_RANGE),
    (duckdb.TypeMismatchException, Outcome.ARGUMENT_TYPES),
    (duckdb.InvalidTypeException, Outcome.ARGUMENT_TYPES),
    (duckdb.InvalidInputException, Outcome.INVALID_INPUT),
    (duckdb.NotImplementedException, Outcome.NOT_IMPLEMENTED),
    (duckdb.BinderException, Outcome.BINDER),
    (duckdb.CatalogException, Outcome.BINDER),
    (duckdb.ParserException, Outcome.BINDER),
    (duckdb.IOException, Outcome.UNREADABLE_FILE),
    (duckdb.SerializationException, Outcome.UNREADABLE_FILE),
)
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
    (re.compile(r"bad allocation|[Oo]ut of memory|Cannot allocate memory"), Outcome.OUT_OF_MEMORY),
)
_MAY_SAY_MORE = (Outcome.BINDER, Outcome.INVALID_INPUT, Outcome.INTERNAL)


def failure_of(error: BaseException) -> Failure:
    """Return how the statement ended, read from the exception; with `errors_as_json` set its place is known too."""
    outcome = next((outcome for kind, outcome in _BY_CLASS if isinstance(error, kind)), Outcome.INTERNAL)
    message, offset, length = _read(str(error))
    if outcome in _MAY_SAY_MORE:
        outcome = next((known for words, known in _BY_WORDS if words.search(message)), outcome)
    return Failure(outcome, offset, length)


def _read(text: str) -> tuple[str, int, int]:
    """Return the message, and the place that DuckDB names as `location: [offset, length]`."""
    _, brace, rest = text.partition("{")
    try:
        details = json.loads(brace + rest)
        offset, length = json.loads(details.get("location", "[0, 0]"))
        return str(details["exception_message"]), int(offset), int(length)
    except (ValueError, KeyError, TypeError, AttributeError):
        return text.partition(": ")[2], 0, 0
