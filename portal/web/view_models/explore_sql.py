"""An exploration as a statement: names are quoted, and every value is a parameter."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from math import isfinite

from portal.errors import Fault, UsageError
from portal.policy.masks import quote
from portal.sql.plan import ParameterValue, Statement
from portal.web.view_models.exploration import Between, Condition, Exploration, Group, Is, Measure, OneOf

MEASURES: Mapping[str, str] = {
    "count": "count(*)",
    "sum": "sum({})",
    "avg": "avg({})",
    "distinct": "count(DISTINCT {})",
}
LISTS, TIMES = frozenset({"VARCHAR[]"}), frozenset({"DATE", "TIMESTAMP"})
NUMBERS = frozenset({"INTEGER", "BIGINT", "DOUBLE"})
FITTING: Mapping[type[Condition], frozenset[str]] = {
    OneOf: frozenset({"VARCHAR", "DATE"}) | LISTS | NUMBERS,
    Between: TIMES | NUMBERS,
    Is: frozenset({"BOOLEAN"}),
}
_READERS: Mapping[str, Callable[[str], ParameterValue]] = {
    **dict.fromkeys(["VARCHAR", *LISTS], str),
    **dict.fromkeys(["INTEGER", "BIGINT"], int),
    "DOUBLE": float,
    "DATE": date.fromisoformat,
}


def to_statement(exploration: Exploration, types: Mapping[str, str]) -> Statement:
    """Return the statement that answers the exploration over columns of these types.

    Raises `UsageError` where it names a column that is not there, or a condition that does not fit its type.
    """
    _check(exploration, types)
    clauses, parameters = [], dict[str, ParameterValue]()
    for column, condition in exploration.where:
        given = {f"{column}_{number}": value for number, value in enumerate(_values(condition, types[column]), start=1)}
        clauses += _clauses(column, types[column], condition, tuple(given))
        parameters |= given
    where = "\nWHERE " + "\n  AND ".join(clauses) if clauses else ""
    source = f"\nFROM {quote(exploration.dataset)}{where}"
    if exploration.view == "rows":
        return Statement(f"SELECT{_listed(quote(name) for name in types)}{source}", parameters)
    selected = [*(_grouped(group, types) for group in exploration.groups), _measured(exploration.measure)]
    positions = ", ".join(str(number) for number, _ in enumerate(exploration.groups, start=1))
    by = f"\nGROUP BY {positions}\nORDER BY {positions}" if positions else ""
    return Statement(f"SELECT{_listed(selected)}{source}{by}", parameters)


def group_name(group: Group) -> str:
    """Return the name under which a group stands in the answer."""
    return f"{group.column}_{group.grid}" if group.grid else group.column


def measure_name(measure: Measure) -> str:
    """Return the name under which the measure stands in the answer."""
    return f"{measure.aggregate}_{measure.column}" if measure.column else "rows"


def read_as(column_type: str, text: str) -> ParameterValue:
    """Return a value of a column, written as text, in the column's own type; None where it is none."""
    try:
        value = _READERS[column_type](text)
    except ValueError:
        return None
    return None if isinstance(value, float) and not isfinite(value) else value


def _listed(expressions: Iterator[str] | list[str]) -> str:
    return "\n  " + ",\n  ".join(expressions)


def _grouped(group: Group, types: Mapping[str, str]) -> str:
    column = quote(group.column)
    if types[group.column] in LISTS:
        return f"unnest({column}) AS {column}"
    return f"CAST(date_trunc('{group.grid}', {column}) AS DATE) AS {quote(group_name(group))}" if group.grid else column


def _measured(measure: Measure) -> str:
    return f"{MEASURES[measure.aggregate].format(quote(measure.column or ''))} AS {quote(measure_name(measure))}"


def _values(condition: Condition, column_type: str) -> tuple[ParameterValue, ...]:
    match condition:
        case OneOf(values):
            return tuple(read_as(column_type, value) for value in values)
        case Is(value):
            return (value,)
        case Between(low, high):
            end = high + timedelta(days=1) if isinstance(high, date) else high
            return tuple(bound for bound in (low, end) if bound is not None)


def _clauses(column: str, column_type: str, condition: Condition, names: tuple[str, ...]) -> list[str]:
    quoted, given = quote(column), [f"${name}" for name in names]
    match condition:
        case OneOf() if not given:
            return []
        case OneOf() if column_type in LISTS:
            return [f"({' OR '.join(f'list_contains({quoted}, {name})' for name in given)})"]
        case OneOf():
            return [f"{quoted} IN ({', '.join(given)})"]
        case Is():
            return [f"{quoted} = {given[0]}"]
        case Between(low, high):
            below = "<" if isinstance(high, date) else "<="
            signs = [sign for sign, bound in ((">=", low), (below, high)) if bound is not None]
            return [f"{quoted} {sign} {name}" for sign, name in zip(signs, given, strict=True)]


def _fits(condition: Condition, column_type: str) -> bool:
    return column_type in FITTING[type(condition)] and None not in _values(condition, column_type)


def _check(exploration: Exploration, types: Mapping[str, str]) -> None:
    unknown = sorted(set(exploration.columns) - set(types))
    misfits = [
        column for column, condition in exploration.where if column in types and not _fits(condition, types[column])
    ]
    misfits += [group.column for group in exploration.groups if group.grid and types.get(group.column) not in TIMES]
    if exploration.measure.aggregate != "count" and exploration.measure.column is None:
        misfits.append("measure")
    if unknown or misfits:
        raise UsageError(
            *(
                Fault("COLUMN_UNKNOWN", f"{exploration.dataset} has no column {name} open to you.", fix="Choose anew.")
                for name in unknown
            ),
            *(
                Fault("FILTER_UNFIT", f"This condition or grouping does not fit {name}.", fix="Choose anew.")
                for name in misfits
            ),
        )
