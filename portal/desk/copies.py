"""What is made ahead of its first use: governed copies of what may be read, base cells of what is counted only.

Which there must be, how far they are, and their making.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from portal.catalogue.release import Manifest
from portal.desk.access import OPEN_PREFIX, decide_for
from portal.desk.answers import Asker
from portal.desk.bases import Protected, are_made, make_ahead
from portal.desk.services import Services
from portal.disclosure.subject import Subject
from portal.engines.port import Progress
from portal.errors import SignInError
from portal.ids import DatasetName, ProjectId
from portal.ledger import Action
from portal.policy.decision import Obligations, Permit
from portal.policy.model import Access
from portal.workspaces.store import CopyState, GovernedCopy


@dataclass(frozen=True, slots=True)
class Wanted:
    """A dataset as one project may see it now."""

    project: ProjectId
    dataset: DatasetName
    manifest: Manifest
    obligations: Obligations


@dataclass(frozen=True, slots=True)
class KeptCopy:
    """A governed copy that is on disk or that a grant asks for. `ended`: nobody may read it any more."""

    project: ProjectId
    dataset: DatasetName
    state: Literal["ready", "building", "waiting", "ended"]
    ready: int = 0
    files: int = 0
    rows: int | None = None


def wanted_copy(services: Services, project: ProjectId, name: DatasetName) -> Wanted | None:
    """Return what somebody who works in this workspace may read row by row, None where nobody may."""
    if name not in services.site.datasets:
        return None
    return next(_wanted_in(services, project, [name], Access.ROWS), None)


def kept_copies(services: Services) -> tuple[KeptCopy, ...]:
    """Return every governed copy that is on disk or that a grant asks for, and how far it is."""
    held, asked = set(services.workspaces.held()), set(_granted(services))
    found = []
    for project, name in sorted(held | asked):
        wanted = wanted_copy(services, project, name)
        if wanted:
            found.append(_described(wanted, _state(services, wanted)))
        elif (project, name) in held:
            found.append(KeptCopy(project, name, "ended"))
    return tuple(found)


def missing_copies(services: Services) -> Iterator[Wanted]:
    """Yield each copy that a grant asks for, or that was used before, and that does not stand as it must be now."""
    for project, name in sorted({*services.workspaces.held(), *_granted(services)}):
        wanted = wanted_copy(services, project, name)
        if wanted and _state(services, wanted).rows is None:
            yield wanted


def build_copy(services: Services, wanted: Wanted, progress: Progress | None = None) -> GovernedCopy:
    """Build what is missing of a copy, and tell the ledger where anything was."""
    was_there = _state(services, wanted).rows is not None
    dataset = services.site.datasets[wanted.dataset]
    copy = services.workspaces.ensure(wanted.project, dataset, wanted.manifest, wanted.obligations, progress)
    if not was_there:
        services.ledger.record(
            Action.WORKSPACE_BUILT,
            actor=None,
            project=wanted.project,
            subject=wanted.dataset,
            details={"release": copy.release, "fingerprint": copy.fingerprint, "files": len(copy.files)},
        )
    return copy


def missing_bases(services: Services) -> Iterator[Wanted]:
    """Yield each dataset that somebody may count, and of which the base cells are not there."""
    for project in _workspaces(services):
        for wanted in _wanted_in(services, project, services.site.datasets, Access.AGGREGATES):
            if not are_made(_subject(services, wanted), wanted.manifest, services.bases):
                yield wanted


def wanted_by(
    services: Services, asker: Asker, workspace: ProjectId, names: Iterable[DatasetName], access: Access
) -> Iterator[Wanted]:
    """Yield those of some datasets that an asker may see this way, and that are published."""
    for name, decision in decide_for(services, asker, names).items():
        manifest = services.releases.readable(name)
        if manifest and isinstance(decision, Permit) and decision.access is access:
            yield Wanted(workspace, name, manifest, decision.obligations)


def build_bases(services: Services, wanted: Wanted, heed: Callable[[], object] = lambda: None) -> None:
    """Make base cells that are missing; `heed` is called often and may raise to end the work."""
    make_ahead(protected_as(services, wanted, wanted.project), services.trusted.heeding(heed), services.bases)


def protected_as(services: Services, wanted: Wanted, owner: ProjectId) -> Protected:
    """Return a dataset whose cells are held against the history of `owner`."""
    files = services.releases.paths(wanted.manifest)
    return Protected(_subject(services, wanted), wanted.manifest, files, owner)


def _subject(services: Services, wanted: Wanted) -> Subject:
    return Subject(services.site.datasets[wanted.dataset], wanted.obligations, services.keys.project(wanted.project))


def _wanted_in(
    services: Services, project: ProjectId, names: Iterable[DatasetName], access: Access
) -> Iterator[Wanted]:
    """Yield what somebody who works in this workspace may see this way."""
    for asker in _askers(services, project):
        with suppress(SignInError):
            yield from wanted_by(services, asker, project, names, access)


def _workspaces(services: Services) -> Iterator[ProjectId]:
    yield from (project.id for project in services.registry.projects())
    yield from sorted({ProjectId(f"{OPEN_PREFIX}{person.tier}") for person in services.registry.people()})


def _askers(services: Services, project: ProjectId) -> Iterator[Asker]:
    """Yield who works in a workspace: a project's members, or all of a tier."""
    if project.startswith(OPEN_PREFIX):
        tier = project.removeprefix(OPEN_PREFIX)
        yield from (Asker(person.id, None) for person in services.registry.people() if person.tier == tier)
    elif found := services.registry.project(project):
        yield from (Asker(member, project) for member in sorted(found.members))


def _granted(services: Services) -> Iterator[tuple[ProjectId, DatasetName]]:
    for project in services.registry.projects():
        yield from ((project.id, grant.dataset) for grant in services.registry.grants_of(project.id))


def _state(services: Services, wanted: Wanted) -> CopyState:
    dataset = services.site.datasets[wanted.dataset]
    return services.workspaces.state(wanted.project, dataset, wanted.manifest, wanted.obligations)


def _described(wanted: Wanted, state: CopyState) -> KeptCopy:
    word: Literal["ready", "building", "waiting"] = "waiting"
    if state.rows is not None:
        word = "ready"
    elif state.is_building:
        word = "building"
    return KeptCopy(wanted.project, wanted.dataset, word, state.ready, state.files, state.rows)
