"""Who asks, and what is open to them. Asked anew at every use; nothing here is remembered."""

from collections.abc import Iterable, Mapping

from portal.catalogue.dataset import Dataset
from portal.desk.answers import Asker, CatalogueEntry
from portal.desk.services import Services
from portal.errors import Fault, NotFoundError, PolicyRefusal, SignInError
from portal.ids import DatasetName, PersonId, ProjectId
from portal.policy.decide import AccessRequest, decide
from portal.policy.decision import Decision, Permit
from portal.policy.model import Access
from portal.policy.people import Person, Project

OPEN_PREFIX = "_open_"
"""Begins the workspace of those who come without a project, to data that is open to all of their tier."""


def identify(services: Services, person_id: PersonId) -> Person:
    """Return the person, who must be known and still admitted."""
    person = services.registry.person(person_id)
    if person is None or not person.active:
        raise SignInError(
            Fault("NOT_ADMITTED", "You are not signed in, or no longer admitted.", fix="Sign in again, or write to us.")
        )
    return person


def projects_of(services: Services, person_id: PersonId) -> tuple[Project, ...]:
    """Return the projects that the person is a member of."""
    return tuple(services.registry.projects_of(identify(services, person_id).id))


def project_of(services: Services, asker: Asker) -> Project | None:
    """Return the project that the asker names; one that is not theirs reads as one that does not exist."""
    if asker.project is None:
        return None
    project = services.registry.project(asker.project)
    if project is None or asker.person not in project.members:
        raise PolicyRefusal(
            Fault(
                "NO_SUCH_PROJECT", f"You have no project named {asker.project!r}.", fix="Choose one of your projects."
            )
        )
    return project


def decide_for(services: Services, asker: Asker, names: Iterable[DatasetName]) -> Mapping[DatasetName, Decision]:
    """Decide for each named dataset that exists."""
    person, project = identify(services, asker.person), project_of(services, asker)
    now = services.clock()
    # Looked up for unknown names as well, so that the time to refuse does not tell which datasets exist.
    grants = {name: services.registry.grant(name, project.id, now.date()) if project else None for name in names}
    return {
        name: decide(
            AccessRequest(
                person=person,
                project=project,
                grant=grant,
                dataset=services.site.datasets[name],
                policy=services.site.policies.get(name),
                now=now,
            )
        )
        for name, grant in grants.items()
        if name in services.site.datasets
    }


def workspace_of(person: Person, project: Project | None) -> ProjectId:
    """Return whose governed copies serve this asker: the project's, or those open to all of a tier."""
    return project.id if project else ProjectId(f"{OPEN_PREFIX}{person.tier}")


def catalogue(services: Services, asker: Asker) -> tuple[CatalogueEntry, ...]:
    """Return every dataset whose codebook, at least, is open to the asker."""
    decisions = decide_for(services, asker, services.site.datasets)
    return tuple(
        _entry(services, asker, services.site.datasets[name], decision)
        for name, decision in decisions.items()
        if decision.access >= Access.CODEBOOK
    )


def catalogue_entry(services: Services, asker: Asker, name: DatasetName) -> CatalogueEntry:
    """Return one dataset; one that is closed to the asker reads as one that does not exist."""
    decision = decide_for(services, asker, [name]).get(name)
    if decision is None or decision.access < Access.CODEBOOK:
        raise NotFoundError(
            Fault("NO_SUCH_DATASET", f"There is no dataset {name!r} open to you.", fix="See the catalogue.")
        )
    return _entry(services, asker, services.site.datasets[name], decision)


def _entry(services: Services, asker: Asker, dataset: Dataset, decision: Decision) -> CatalogueEntry:
    manifest = services.releases.readable(dataset.name)
    copy = None
    if manifest and isinstance(decision, Permit) and decision.access is Access.ROWS:
        workspace = workspace_of(identify(services, asker.person), project_of(services, asker))
        copy = services.workspaces.state(workspace, dataset, manifest, decision.obligations)
    return CatalogueEntry(
        dataset=dataset,
        decision=decision,
        release=manifest.number if manifest else None,
        released_at=manifest.created_at if manifest else None,
        copy=copy,
        synthetic=bool(manifest and manifest.synthetic),
        damaged=manifest is None and bool(services.releases.served(dataset.name)),
    )
