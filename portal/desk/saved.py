"""The library of saved queries: what is there for whom, and running one with typed parameters."""

from collections.abc import Callable, Mapping
from datetime import date

from portal.desk.access import decide_for
from portal.desk.answers import Answer, Asker
from portal.desk.services import Services
from portal.desk.statements import UNWATCHED, Running, run_statement
from portal.errors import Fault, NotFoundError, UsageError
from portal.ids import DatasetName, QueryName
from portal.policy.model import Access
from portal.site.queries import QueryParameter, SavedQuery
from portal.sql.plan import ParameterValue, Statement

READERS: Mapping[str, Callable[[str], ParameterValue]] = {
    "text": str,
    "integer": int,
    "number": float,
    "date": date.fromisoformat,
    "boolean": lambda text: {"true": True, "false": False}[text.lower()],
}


def library(services: Services, asker: Asker) -> tuple[SavedQuery, ...]:
    """Return the saved queries of which every dataset's codebook, at least, is open to the asker."""
    decisions = decide_for(services, asker, services.site.datasets)
    return tuple(
        query
        for query in services.site.queries.values()
        if all(decisions[DatasetName(name)].access >= Access.CODEBOOK for name in query.front.datasets)
    )


def saved_query(services: Services, asker: Asker, name: QueryName) -> SavedQuery:
    """Return one saved query; one that is closed to the asker reads as one that does not exist."""
    found = next((query for query in library(services, asker) if query.name == name), None)
    if found is None:
        raise NotFoundError(Fault("NO_SUCH_QUERY", f"There is no saved query {name!r} open to you."))
    return found


def statement_of(query: SavedQuery, values: Mapping[str, ParameterValue]) -> Statement:
    """Fill in a saved query's parameters: what is not given has its default. Raises `UsageError`."""
    unknown = sorted(set(values) - set(query.front.parameters))
    if unknown:
        raise UsageError(
            *(Fault("PARAMETER_UNKNOWN", f"{query.name} has no parameter {name!r}.") for name in unknown),
        )
    return Statement(
        query.sql,
        {
            name: _typed(name, parameter, values.get(name, parameter.default))
            for name, parameter in query.front.parameters.items()
        },
    )


def run_saved_query(
    services: Services,
    asker: Asker,
    name: QueryName,
    values: Mapping[str, ParameterValue],
    running: Running = UNWATCHED,
) -> Answer:
    """Run a saved query: decided, charged and recorded as any statement of the asker's own."""
    return run_statement(services, asker, statement_of(saved_query(services, asker, name), values), running)


def _typed(name: str, parameter: QueryParameter, value: ParameterValue) -> ParameterValue:
    try:
        typed = READERS[parameter.type](str(value))
    except (ValueError, KeyError) as error:
        message = f"${name} must be of type {parameter.type}."
        raise UsageError(Fault("PARAMETER_TYPE", message, fix="Give another value.")) from error
    if parameter.values is not None and typed not in parameter.values:
        choices = ", ".join(str(choice) for choice in parameter.values)
        raise UsageError(Fault("PARAMETER_VALUE", f"${name} must be one of: {choices}.", fix="Choose one of them."))
    return typed
