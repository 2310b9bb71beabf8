"""What the portal does by itself or for its operator: build governed copies ahead, and remove what has ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from portal.desk.access import OPEN_PREFIX, decide_for, identify, project_of, workspace_of
from portal.desk.answers import Asker
from portal.desk.publication import record_releases
from portal.desk.services import Services
from portal.engines.port import Progress
from portal.errors import SignInError
from portal.folders import clear
from portal.ids import DatasetName, ProjectId
from portal.ledger import Action
from portal.policy.decision import Permit
from portal.policy.model import Access
from portal.workspaces.export import remove_export
from portal.workspaces.store import GovernedCopy


@dataclass(frozen=True, slots=True)
class HeldCopy:
    """A governed copy that is on disk."""

    project: ProjectId
    dataset: DatasetName


def build_workspaces(services: Services, asker: Asker, progress: Progress | None = None) -> tuple[GovernedCopy, ...]:
    """Build every governed copy that the asker's project may query row by row."""
    workspace = workspace_of(identify(services, asker.person), project_of(services, asker))
    return tuple(_build(services, asker, workspace, progress))


def held_workspaces(services: Services) -> tuple[HeldCopy, ...]:
    """Return every governed copy that is on disk."""
    return tuple(HeldCopy(project, dataset) for project, dataset in services.workspaces.held())


def begin(services: Services) -> None:
    """Do what a portal does when it starts: clear up after one that died, and remove what has ended."""
    for store in (services.releases, services.workspaces, services.bases, services.histories, services.spool):
        store.clear()
    for folder in services.downloads.glob("*/"):
        clear(folder)
    record_releases(services)
    remove_ended(services)


def remove_ended(services: Services) -> tuple[HeldCopy, ...]:
    """Remove governed copies that nobody may read, the answers of their projects, and whatever is past its days."""
    ended = tuple(copy for copy in held_workspaces(services) if not _is_living(services, copy))
    for copy in ended:
        services.workspaces.remove(copy.project, copy.dataset)
        services.spool.remove_project(copy.project)
        services.ledger.record(
            Action.WORKSPACE_REMOVED, actor=None, project=copy.project, subject=copy.dataset, details={}
        )
    services.spool.expire(services.clock(), services.result_days, services.result_bytes)
    for path in _old_downloads(services):
        remove_export(path)
    return ended


def _build(services: Services, asker: Asker, workspace: ProjectId, progress: Progress | None) -> Iterator[GovernedCopy]:
    for name, decision in decide_for(services, asker, services.site.datasets).items():
        manifest = services.releases.latest(name)
        if manifest and isinstance(decision, Permit) and decision.access is Access.ROWS:
            dataset = services.site.datasets[name]
            yield services.workspaces.ensure(workspace, dataset, manifest, decision.obligations, progress)


def _is_living(services: Services, copy: HeldCopy) -> bool:
    """Say whether anyone may still read the copy: an open one as long as its dataset is there."""
    if copy.dataset not in services.site.datasets:
        return False
    if copy.project.startswith(OPEN_PREFIX):
        return True
    project = services.registry.project(copy.project)
    members = project.members if project else ()
    return any(_may_read(services, Asker(member, copy.project), copy.dataset) for member in members)


def _may_read(services: Services, asker: Asker, name: DatasetName) -> bool:
    try:
        return decide_for(services, asker, [name])[name].access is Access.ROWS
    except SignInError:
        return False


def _old_downloads(services: Services) -> Iterator[Path]:
    oldest = services.clock().timestamp() - services.result_days * 86_400
    for path in services.downloads.glob("*/[!.]*"):
        if not path.name.endswith(".manifest.json") and path.stat().st_mtime < oldest:
            yield path
