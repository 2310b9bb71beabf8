"""A steward gives a grant: held against the dataset first, so that no decision ever meets one that does not fit."""

from collections.abc import Iterator

from portal.catalogue.dataset import Dataset
from portal.desk.services import Services
from portal.errors import Fault, NotFoundError, UsageError
from portal.policy.people import Grant
from portal.policy.predicates import PredicateError, check_predicate
from portal.registry import Audit


def give_grant(services: Services, grant: Grant, audit: Audit) -> None:
    """Give a grant. Raises `NotFoundError` or `UsageError`, with every fault."""
    dataset = services.site.datasets.get(grant.dataset)
    if dataset is None:
        raise NotFoundError(
            Fault("NO_SUCH_DATASET", f"There is no dataset {grant.dataset!r}.", fix="Name one of the site's datasets.")
        )
    if faults := tuple(_faults(grant, dataset)):
        raise UsageError(*faults)
    services.registry.give_grant(grant, audit=audit)


def _faults(grant: Grant, dataset: Dataset) -> Iterator[Fault]:
    narrowing, name = grant.narrowing, dataset.name
    if grant.ends < grant.starts:
        yield Fault("GRANT_DAYS", "The grant ends before it starts.", dataset=name, fix="Give a later last day.")
    for column in sorted(narrowing.hidden - set(dataset.columns)):
        yield Fault("UNKNOWN_COLUMN", f"{name} has no column {column!r}.", dataset=name, fix="See its codebook.")
    if narrowing.rows is not None:
        try:
            check_predicate(narrowing.rows, dataset.columns)
        except PredicateError as error:
            yield Fault("GRANT_ROWS", f"The row rule does not fit: {error}.", dataset=name, fix="See docs/policies.md.")
    if (narrowing.since or narrowing.until) and dataset.date_column is None:
        yield Fault("GRANT_PERIOD", f"{name} has no date to bound.", dataset=name, fix="Narrow it by a row rule.")
