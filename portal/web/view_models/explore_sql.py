"""An exploration as a statement: names are quoted, and every value is a parameter."""

from collections.abc import Iterator, Mapping

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
    OneOf: frozenset({"VARCHAR"}) | LISTS,
    Between: TIMES | NUMBERS,
    Is: frozenset({"BOOLEAN"}),
}


def to_statement(exploration: Exploration, types: Mapping[str, str]) -> Statement:
    """Return the statement that answers the exploration over columns of these types.

    Raises `UsageError` where it names a column that is not there, or a condition that does not fit its type.
    """
    _check(exploration, types)
    clauses, parameters = [], dict[str, ParameterValue]()
    for column, condition in exploration.where:
        given = {f"{column}_{number}": value for number, value in enumerate(_values(condition), start=1)}
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


def _listed(expressions: Iterator[str] | list[str]) -> str:
    return "\n  " + ",\n  ".join(expressions)


def _grouped(group: Group, types: Mapping[str, str]) -> str:
    column = quote(group.column)
    if types[group.column] in LISTS:
        return f"unnest({column}) AS {column}"
    return f"CAST(date_trunc('{group.grid}', {column}) AS DATE) AS {quote(group_name(group))}" if group.grid else column


def _measured(measure: Measure) -> str:
    return f"{MEASURES[measure.aggregate].format(quote(measure.column or ''))} AS {quote(measure_name(measure))}"


def _values(condition: Condition) -> tuple[ParameterValue, ...]:
    match condition:
        case OneOf(values):
            return values
        case Is(value):
            return (value,)
        case Between(low, high):
            return tuple(bound for bound in (low, high) if bound is not None)


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
            left = f"CAST({quoted} AS DATE)" if column_type == "TIMESTAMP" else quoted
            signs = [sign for sign, bound in ((">=", low), ("<=", high)) if bound is not None]
            return [f"{left} {sign} {name}" for sign, name in zip(signs, given, strict=True)]


def _check(exploration: Exploration, types: Mapping[str, str]) -> None:
    unknown = sorted(set(exploration.columns) - set(types))
    misfits = [
        column
        for column, condition in exploration.where
        if column in types and types[column] not in FITTING[type(condition)]
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
