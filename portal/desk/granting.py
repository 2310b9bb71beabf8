"""Grants given and ended: held against dataset and application first, so that none ever fails to fit."""

from collections.abc import Iterator

from portal.catalogue.dataset import Dataset
from portal.desk.services import Services
from portal.desk.upkeep import remove_ended
from portal.errors import Fault, NotFoundError, UsageError
from portal.ids import DatasetName, ProjectId
from portal.policy.people import Grant
from portal.policy.predicates import PredicateError, check_predicate
from portal.registry import Audit, Registry
from portal.vetting.application import State, Way
from portal.vetting.notices import Event, draft_notice
from portal.vetting.steps import missing_for_access


def give_grant(services: Services, grant: Grant, audit: Audit) -> None:
    """Give a grant. Raises `NotFoundError` or `UsageError`, with every fault."""
    dataset = services.site.datasets.get(grant.dataset)
    if dataset is None:
        raise NotFoundError(
            Fault("NO_SUCH_DATASET", f"There is no dataset {grant.dataset!r}.", fix="Name one of the site's datasets.")
        )
    faults = [*faults_of_grant(grant, dataset), *_faults_of_standing(services, grant, audit)]
    if faults:
        raise UsageError(*faults)
    services.registry.give_grant(grant, audit=audit)


def end_grant(services: Services, dataset: DatasetName, project: ProjectId, audit: Audit) -> None:
    """End every grant of the dataset to the project, and remove what rested on it. Raises `NotFoundError`."""
    services.registry.revoke_grant(dataset, project, audit=audit)
    services.spool.remove_project(project)
    remove_ended(services)


def withdraw_dataset(services: Services, dataset: DatasetName, audit: Audit) -> tuple[ProjectId, ...]:
    """End every grant of the dataset, and tell the Coordinator of each reasoned request; return whose grants ended."""
    calendar = services.calendar
    with services.registry.together() as registry:
        held = tuple(each.id for each in registry.projects() if dataset in standing_grants(registry, each.id))
        for project in held:
            registry.revoke_grant(dataset, project, audit=audit)
            for application in registry.applications.all(State.ACTIVE, State.RENEWING):
                if application.project == project and application.way is Way.VETTED:
                    words = f"the provider withdrew {dataset}"
                    notice = draft_notice(application, Event.ENDED, words, audit.at, calendar)
                    registry.applications.add_notice(notice, audit=audit)
    for project in held:
        services.spool.remove_project(project)
    remove_ended(services)
    return held


def standing_grants(registry: Registry, project: ProjectId) -> frozenset[DatasetName]:
    """Return the datasets that a project holds a grant for that was not ended."""
    return frozenset(grant.dataset for grant in registry.grants_of(project) if grant.revoked_at is None)


def _faults_of_standing(services: Services, grant: Grant, audit: Audit) -> Iterator[Fault]:
    """Hold a grant against the application that its project comes from; one that an operator opened has none."""
    for application in services.registry.applications.all():
        if application.project != grant.project:
            continue
        yield from missing_for_access(application, audit.at.date())
        if application.state not in {State.ACTIVE, State.RENEWING}:
            yield Fault("NOT_ACTIVE", f"The access is {application.state}.", rule="vetting", fix="Ask for it anew.")
        if grant.dataset not in application.draft.datasets:
            message = f"The application does not ask for {grant.dataset}."
            yield Fault("NOT_ASKED_FOR", message, rule="vetting", dataset=grant.dataset, fix="It must be asked for.")
        if not application.draft.starts <= grant.starts <= grant.ends <= application.draft.ends:
            message = f"The access runs from {application.draft.starts} to {application.draft.ends}."
            yield Fault("GRANT_DAYS", message, rule="vetting", dataset=grant.dataset, fix="Stay within these days.")


def faults_of_grant(grant: Grant, dataset: Dataset) -> Iterator[Fault]:
    """Yield what of a grant does not fit its dataset."""
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
