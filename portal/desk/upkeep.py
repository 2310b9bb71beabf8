"""What the portal does by itself or for its operator: build governed copies ahead, and remove what has ended."""

from datetime import timedelta
from pathlib import Path

from portal.desk.access import decide_for, identify, project_of, workspace_of
from portal.desk.answers import Asker
from portal.desk.copies import KeptCopy, Wanted, bases_for, build_bases, build_copy, kept_copies
from portal.desk.publication import record_releases
from portal.desk.services import Services
from portal.engines.port import Progress
from portal.ids import DownloadId
from portal.ledger import Action
from portal.policy.decision import Permit
from portal.policy.model import Access
from portal.registry import JobState
from portal.workspaces.store import GovernedCopy


def build_workspaces(services: Services, asker: Asker, progress: Progress | None = None) -> tuple[GovernedCopy, ...]:
    """Build every governed copy that the asker's project may query row by row, and the base cells of what it counts."""
    workspace = workspace_of(identify(services, asker.person), project_of(services, asker))
    for wanted in bases_for(services, asker, workspace):
        build_bases(services, wanted)
    return tuple(
        build_copy(services, Wanted(workspace, name, manifest, decision.obligations), progress)
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
    """Remove governed copies that nobody may read, the answers of their projects, and whatever is past its days."""
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


def remove_loose_downloads(services: Services) -> None:
    """Remove every file of a download that is neither kept nor being made, and forget what failed long ago."""
    now = services.clock()
    services.queue.forget_failed(now - timedelta(days=services.result_days))
    for path in services.downloads.glob("*/*"):
        # Written as `<id>-<attempt>.<format>`, with a dot before while it is not whole.
        download = DownloadId(path.name.lstrip(".").partition("-")[0].partition(".")[0])
        # The job first: it leaves the queue only once there is a record.
        job, record = services.queue.job(download), services.registry.download(download)
        is_kept = record is not None and now < record.expires_at and path.name.startswith(Path(record.path).name)
        is_being_made = job is not None and job.state is JobState.RUNNING
        if not is_kept and not is_being_made:
            path.unlink(missing_ok=True)
