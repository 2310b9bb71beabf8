"""What DuckDB and the operating system say when reading or writing fails, in the portal's words.

Their own words may quote a row, a path or, from the recipe's SQL, the key of the pseudonyms. So nothing of them is kept
but the number of the line, and where raw rows are read not even as a cause, which a log would print.
"""

import csv
import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

from portal.errors import ContentError, EngineFailure, Fault, LimitReached
from portal.ids import DatasetName

_FULL = tuple(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_CSV_LINE = re.compile(r"CSV Error on Line: (\d+)")
_LINE_AFTER = re.compile(r"Malformed JSON .* in line (\d+)")


@contextmanager
def reading(source: str, dataset: DatasetName) -> Iterator[None]:
    """Blame what fails inside on the source of this name, unless it is the machine that has no more room."""
    try:
        yield
    except (duckdb.Error, OSError, ValueError, csv.Error) as error:
        raise _out_of_room(error, dataset) or ContentError(_broken(source, dataset, str(error))) from None


@contextmanager
def applying(source: str, dataset: DatasetName, source_reads: Callable[[], bool]) -> Iterator[None]:
    """Blame what fails inside on the recipe where the source, read by itself, does not fail."""
    try:
        yield
    except duckdb.Error as error:
        if room := _out_of_room(error, dataset):
            raise room from None
        whole = source_reads()
        fault = _misfit(source, dataset) if whole else _broken(source, dataset, str(error))
        raise ContentError(fault) from None


@contextmanager
def writing(dataset: DatasetName) -> Iterator[None]:
    """Say that nothing was published, and why."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise _out_of_room(error, dataset) or EngineFailure(_failed(dataset)) from error


def _out_of_room(error: Exception, dataset: DatasetName) -> LimitReached | None:
    text = str(error)
    if isinstance(error, duckdb.OutOfMemoryException):
        what, fix = "memory", "Give smaller sources, or publish on a machine with more memory and disk."
    elif any(words in text for words in _FULL):
        what, fix = "disk", "Free some space, and publish again."
    else:
        return None
    message = f"There is not enough {what} to publish {dataset!r}. Nothing was published; earlier releases stay."
    return LimitReached(Fault("PUBLISH_OUT_OF_ROOM", message, rule=what, fix=fix, dataset=dataset))


def _broken(source: str, dataset: DatasetName, text: str) -> Fault:
    return Fault(
        "SOURCE_UNREADABLE",
        f"Source {source!r} cannot be read: it is cut short, damaged, or not what its name says.",
        rule="sources are whole files of CSV (UTF-8, commas, a header), JSON or Parquet",
        fix="Get the file again from where it comes from, and compare its size and checksum.",
        dataset=dataset,
        line=_line(text),
    )


def _line(text: str) -> int | None:
    if found := _CSV_LINE.search(text):  # a cell's own line breaks are not counted
        return int(found[1])
    if found := _LINE_AFTER.search(text):  # of JSON, DuckDB names the line after the broken one
        return int(found[1]) - 1
    return None


def _misfit(source: str, dataset: DatasetName) -> Fault:
    return Fault(
        "RECIPE_DOES_NOT_FIT",
        f"An expression of the recipe fails on source {source!r}, which by itself can be read.",
        rule="recipe.columns.*.derive",
        fix="Look at its functions and types; where a value may be malformed, use TRY_CAST or TRY.",
        dataset=dataset,
    )


def _failed(dataset: DatasetName) -> Fault:
    return Fault(
        "PUBLISH_FAILED",
        f"Publishing {dataset!r} failed. Nothing was published; earlier releases stay.",
        fix="Look at the cause in the log, and publish again.",
        dataset=dataset,
    )
