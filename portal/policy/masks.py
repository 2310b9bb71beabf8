"""Obligations as SQL: what stands in a governed copy in place of a column. Text in, text out; nothing runs here."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.catalogue.dataset import ColumnType
from portal.policy.model import Obligation, Scalar
from portal.pseudonyms import pseudonym_sql

NUMBERS: frozenset[ColumnType] = frozenset({"INTEGER", "BIGINT", "DOUBLE"})
TIMES: frozenset[ColumnType] = frozenset({"DATE", "TIMESTAMP"})
TEXTS: frozenset[ColumnType] = frozenset({"VARCHAR"})
ALL: frozenset[ColumnType] = NUMBERS | TIMES | TEXTS | {"BOOLEAN", "VARCHAR[]"}


@dataclass(frozen=True, slots=True)
class Masked:
    """A column as it will be: an expression over the raw column, and the type it then has."""

    sql: str
    type: ColumnType


@dataclass(frozen=True, slots=True)
class Mask:
    """One kind of obligation: for which types it makes sense, what type results, and its SQL."""

    applies_to: frozenset[ColumnType]
    sql: Callable[[str, Any, bytes], str]
    result: ColumnType | None = None


def mask_column(name: str, column_type: ColumnType, obligation: Obligation, key: bytes) -> Masked:
    """Return what a column becomes under an obligation; `key` is the project's."""
    mask = MASKS[obligation.kind]
    result = mask.result or column_type
    sql = mask.sql(quote(name), getattr(obligation, obligation.kind), key)
    return Masked(sql if obligation.show else f"CAST({sql} AS {result})", result)


def masked_type(column_type: ColumnType, obligation: Obligation) -> ColumnType:
    """Return the type of a column under an obligation."""
    return MASKS[obligation.kind].result or column_type


def misapplied(column_type: ColumnType, obligation: Obligation) -> str | None:
    """Say why an obligation cannot be met on a column of this type, or None where it can."""
    fits = MASKS[obligation.kind].applies_to
    if column_type in fits:
        return None
    return f"{obligation.kind} needs a column of type {' or '.join(sorted(fits))}, and this one is {column_type}"


def quote(name: str) -> str:
    """Return a name as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Scalar) -> str:
    """Return a value as a DuckDB literal."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, int | float) else "'" + value.replace("'", "''") + "'"


def _band(column: str, edges: Sequence[float], _: bytes) -> str:
    cases = [f"WHEN {column} < {edges[0]!r} THEN {literal(f'<{edges[0]:g}')}"]
    cases += [
        f"WHEN {column} < {high!r} THEN {literal(f'{low:g}-<{high:g}')}" for low, high in itertools.pairwise(edges)
    ]
    return f"CASE {' '.join(cases)} WHEN {column} >= {edges[-1]!r} THEN {literal(f'>={edges[-1]:g}')} END"


def _map(column: str, groups: Mapping[str, str], _: bytes) -> str:
    cases = " ".join(f"WHEN {literal(value)} THEN {literal(group)}" for value, group in groups.items())
    return f"CASE WHEN {column} IS NULL THEN NULL ELSE CASE {column} {cases} ELSE 'other' END END"


MASKS: Mapping[str, Mask] = {
    "show": Mask(ALL, lambda column, _, __: column),
    "hide": Mask(ALL, lambda _, __, ___: "NULL"),
    "pseudonym": Mask(TEXTS, lambda column, _, key: pseudonym_sql(column, key)),
    "truncate": Mask(TIMES, lambda column, grid, _: f"date_trunc('{grid}', {column})"),
    "band": Mask(NUMBERS, _band, result="VARCHAR"),
    "round": Mask(NUMBERS, lambda column, step, _: f"round({column} / {step!r}) * {step!r}"),
    "top_code": Mask(NUMBERS, lambda column, top, _: f"CASE WHEN {column} > {top!r} THEN {top!r} ELSE {column} END"),
    "map": Mask(TEXTS, _map, result="VARCHAR"),
    "constant": Mask(ALL, lambda _, value, __: literal(value)),
}
"""Every obligation that a policy can name."""
