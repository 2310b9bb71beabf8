"""What the portal does by itself or for its operator: build governed copies ahead, and remove what has ended."""

from datetime import timedelta

from portal.desk.access import decide_for, identify, project_of, workspace_of
from portal.desk.answers import Asker
from portal.desk.copies import KeptCopy, WantedCopy, build_copy, kept_copies
from portal.desk.ending import remove_loose_downloads, retire_releases
from portal.desk.publication import record_releases
from portal.desk.services import Services
from portal.engines.port import Progress
from portal.ledger import Action
from portal.policy.decision import Permit
from portal.policy.model import Access
from portal.workspaces.store import GovernedCopy

STOPPED_DAYS = 7
"""How long a publication that was stopped can be gone on with: its rows are not kept for longer."""


def build_workspaces(services: Services, asker: Asker, progress: Progress | None = None) -> tuple[GovernedCopy, ...]:
    """Build every governed copy that the asker's project may query row by row."""
    workspace = workspace_of(identify(services, asker.person), project_of(services, asker))
    return tuple(
        build_copy(services, WantedCopy(workspace, name, manifest, decision.obligations), progress)
        for name, decision in decide_for(services, asker, services.site.datasets).items()
        if isinstance(decision, Permit) and decision.access is Access.ROWS
        if (manifest := services.releases.latest(name))
    )


def begin(services: Services) -> None:
    """Do what a portal does when it starts: clear up after one that died, and remove what has ended."""
    for store in (services.releases, services.workspaces, services.bases, services.histories, services.spool):
        store.clear()
    record_releases(services)
    remove_ended(services)


def remove_ended(services: Services) -> tuple[KeptCopy, ...]:
    """Remove governed copies that nobody may read, the answers of their projects, and whatever is past its days.

    Releases are among that where their dataset states for how long they are kept.
    """
    retire_releases(services)
    services.releases.forget_stopped(services.clock() - timedelta(days=STOPPED_DAYS))
    ended = tuple(copy for copy in kept_copies(services) if copy.state == "ended")
    for copy in ended:
        services.workspaces.remove(copy.project, copy.dataset)
        services.spool.remove_project(copy.project)
        services.ledger.record(
            Action.WORKSPACE_REMOVED, actor=None, project=copy.project, subject=copy.dataset, details={}
        )
    services.spool.expire(services.clock(), services.result_days, services.result_bytes)
    remove_loose_downloads(services)
    return ended
