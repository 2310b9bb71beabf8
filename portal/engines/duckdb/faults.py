"""The outcomes of a statement in words for its author: what was asked, what stood in the way, what to do.

Nothing of the engine's own words is in them. The excerpt is cut from the portal's text of the statement, which holds
only what the author wrote.
"""

import logging
import secrets
from collections.abc import Mapping
from types import MappingProxyType

from portal.engines.duckdb.outcomes import Failure, Outcome
from portal.engines.port import ReadLimits
from portal.errors import EngineFailure, Fault, LimitReached, PortalError, StatementRefusal

_log = logging.getLogger(__name__)
_EXCERPT = 80

_OF_THE_STATEMENT: Mapping[Outcome, tuple[str, str]] = MappingProxyType(
    {
        Outcome.UNKNOWN_FUNCTION: (
            "DuckDB has no function of this name.",
            "Check its spelling in DuckDB's list of functions.",
        ),
        Outcome.UNKNOWN_TYPE: ("DuckDB has no type of this name.", "Check its spelling in DuckDB's list of types."),
        Outcome.UNKNOWN_COLUMN: (
            "A column is not in any table of the statement's FROM.",
            "Check its name on the dataset's page, and which table or alias it belongs to.",
        ),
        Outcome.ARGUMENT_TYPES: (
            "A function or operator does not take values of these types.",
            "Convert one of them: CAST(x AS type), or TRY_CAST where some values may not convert.",
        ),
        Outcome.NOT_GROUPED: (
            "A column is neither grouped nor inside an aggregate.",
            "Add it to GROUP BY, or wrap it, for example any_value(column).",
        ),
        Outcome.AMBIGUOUS: (
            "A column name belongs to several tables.",
            "Write the table or alias before it: t.column.",
        ),
        Outcome.MISPLACED: (
            "An aggregate or window function stands where there can be none.",
            "Filter aggregates with HAVING and windows with QUALIFY, or compute them in a subquery first.",
        ),
        Outcome.BINDER: (
            "The parts of the statement do not fit together.",
            "Check the numbers of columns, the names of fields and the types in the part that is shown.",
        ),
        Outcome.PARAMETERS: ("A parameter has no value.", "Give a value for each $name of the statement."),
        Outcome.SEVERAL_ROWS: (
            "A subquery that stands for one value gave several rows.",
            "Aggregate it, or compare with IN.",
        ),
        Outcome.CONVERSION: (
            "A value could not be converted to the type that was asked for.",
            "Use TRY_CAST, which gives NULL for such values, or filter them out first.",
        ),
        Outcome.OUT_OF_RANGE: (
            "A result is too large or too small for its type.",
            "Convert to a wider type first: CAST(x AS DOUBLE) or CAST(x AS HUGEINT).",
        ),
        Outcome.INVALID_INPUT: (
            "A function was given a value that it does not accept.",
            "Check formats, patterns and arguments; TRY(expression) gives NULL for values that do not fit.",
        ),
        Outcome.NOT_IMPLEMENTED: ("DuckDB cannot do this.", "Write it another way, with a subquery or a join."),
    }
)


def fault_of(failure: Failure, sql: str, limits: ReadLimits) -> PortalError:
    """Return what a sandbox said of its statement as an error of the closed family."""
    if failure.outcome in _OF_THE_STATEMENT:
        message, fix = _OF_THE_STATEMENT[failure.outcome]
        code = f"SQL_{failure.outcome.upper()}"
        rule = "the statement must run in DuckDB"
        return StatementRefusal(Fault(code, message, rule=rule, fix=fix, snippet=_excerpt(sql, failure)))
    match failure.outcome:
        case Outcome.OUT_OF_MEMORY:
            return memory_reached(limits)
        case Outcome.INTERRUPTED:
            return time_reached(limits)
        case Outcome.ROW_TOO_LARGE:
            return size_reached(limits)
        case Outcome.UNREADABLE_FILE:
            return broken("UNREADABLE_FILE", "A file of the workspace could not be read.", failure.outcome)
        case _:
            return broken("ENGINE_FAILED", "The engine ended without an answer.", failure.outcome)


def time_reached(limits: ReadLimits) -> LimitReached:
    """Return that the statement took too long."""
    message = f"The statement ran longer than its {limits.seconds:g} seconds and was stopped."
    fix = "Read fewer rows or columns, filter before joining, or aggregate in steps."
    return LimitReached(Fault("TIME_LIMIT", message, rule="limits.seconds", fix=fix))


def memory_reached(limits: ReadLimits) -> LimitReached:
    """Return that the statement needed too much memory."""
    message = f"The statement needed more than its {limits.memory_bytes / 1e9:g} GB of memory and was stopped."
    fix = "Select fewer columns, filter first, group by fewer values, or avoid building long lists and texts."
    return LimitReached(Fault("MEMORY_LIMIT", message, rule="limits.memory", fix=fix))


def size_reached(limits: ReadLimits) -> LimitReached:
    """Return that the answer is too large in bytes, in all or in one row."""
    message = f"The answer is larger than its {limits.result_bytes / 1e9:g} GB, or one row of it is far too long."
    fix = "Select fewer columns or rows, shorten long texts, or aggregate."
    return LimitReached(Fault("RESULT_TOO_LARGE", message, rule="limits.result_bytes", fix=fix))


def broken(code: str, message: str, kind: str) -> EngineFailure:
    """Log an incident, by kind only, and return it with its number."""
    incident = secrets.token_hex(4)
    _log.error("incident %s: %s %s", incident, code, kind)
    fix = f"Try again; if it stays, give the operator the incident number {incident}."
    return EngineFailure(Fault(code, message, fix=fix))


def _excerpt(sql: str, failure: Failure) -> str:
    place = sql.encode()[failure.offset : failure.offset + min(failure.length, _EXCERPT)]
    return place.decode(errors="ignore")
