"""The library of saved queries: what is there for whom, and running one with typed parameters."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from portal.desk.access import decide_for
from portal.desk.answers import Answer, Asker
from portal.desk.own_queries import KINDS, TOPIC, Draft, draft_of, keep_query, own_name, own_query
from portal.desk.services import Services
from portal.desk.statements import UNWATCHED, Running, run_statement
from portal.errors import Fault, NotFoundError, UsageError
from portal.ids import DatasetName, QueryName
from portal.policy.model import Access
from portal.registry import OwnQuery, SeenBy
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
    return _filled(query.name, query.sql, query.front.parameters, values)


def statement_named(
    services: Services, asker: Asker, name: QueryName, values: Mapping[str, ParameterValue]
) -> Statement:
    """Return the statement of a query of the library, or of one that the asker or a project keeps."""
    if not name.startswith(f"{TOPIC}/"):
        return statement_of(saved_query(services, asker, name), values)
    own = own_query(services, asker, name)
    return _filled(name, own.sql, parameters_of(own), values)


def parameters_of(query: OwnQuery) -> Mapping[str, QueryParameter]:
    """Return a kept query's parameters, whose types are those of the values with which it was kept."""
    return {name: _parameter(name, value) for name, value in query.parameters.items()}


def fork_query(services: Services, asker: Asker, name: QueryName) -> OwnQuery:
    """Keep a query of one's own that begins as one of the library, or as a version that one may see."""
    if name.startswith(f"{TOPIC}/"):
        found = own_query(services, asker, name)
        return keep_query(services, asker, replace(draft_of(found), seen_by=SeenBy.OWNER, origin=own_name(found)))
    query = saved_query(services, asker, name)
    draft = Draft(query.front.title, statement_of(query, {}), query.front.question, origin=name)
    return keep_query(services, asker, draft)


def run_saved_query(
    services: Services,
    asker: Asker,
    name: QueryName,
    values: Mapping[str, ParameterValue],
    running: Running = UNWATCHED,
) -> Answer:
    """Run a saved query: decided, charged and recorded as any statement of the asker's own."""
    return run_statement(services, asker, statement_named(services, asker, name, values), running)


def _filled(
    query: QueryName, sql: str, parameters: Mapping[str, QueryParameter], values: Mapping[str, ParameterValue]
) -> Statement:
    unknown = sorted(set(values) - set(parameters))
    if unknown:
        raise UsageError(*(Fault("PARAMETER_UNKNOWN", f"{query} has no parameter {name!r}.") for name in unknown))
    return Statement(
        sql,
        {name: _typed(name, parameter, values.get(name, parameter.default)) for name, parameter in parameters.items()},
    )


def _parameter(name: str, value: ParameterValue) -> QueryParameter:
    return QueryParameter.model_validate({"type": KINDS[type(value)], "label": name, "default": value})


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
