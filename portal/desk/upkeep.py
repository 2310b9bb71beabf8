"""What the portal does by itself or for its operator: build governed copies ahead, and remove what has ended."""

from contextlib import suppress
from datetime import UTC, datetime, time, timedelta

from portal.desk.access import identify, project_of, workspace_of
from portal.desk.answers import Asker
from portal.desk.copies import KeptCopy, build_bases, build_copy, kept_copies, wanted_by
from portal.desk.ending import remove_loose_downloads, retire_releases
from portal.desk.publication import record_releases
from portal.desk.services import Services
from portal.engines.port import Progress
from portal.errors import NotFoundError
from portal.ledger import Action
from portal.policy.model import Access
from portal.policy.people import Project
from portal.registry import Audit
from portal.workspaces.store import GovernedCopy

STOPPED_DAYS = 7
"""How long a publication that was stopped can be gone on with: its rows are not kept for longer."""


def build_workspaces(services: Services, asker: Asker, progress: Progress | None = None) -> tuple[GovernedCopy, ...]:
    """Build every governed copy that the asker's project may query row by row, and the base cells of what it counts."""
    workspace = workspace_of(identify(services, asker.person), project_of(services, asker))
    asked = services, asker, workspace, services.site.datasets
    for wanted in wanted_by(*asked, Access.AGGREGATES):
        build_bases(services, wanted)
    return tuple(build_copy(services, wanted, progress) for wanted in wanted_by(*asked, Access.ROWS))


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
    for project in services.registry.projects():
        _remove_what_ended(services, project)
    services.spool.expire(services.clock(), services.result_days, services.result_bytes)
    remove_loose_downloads(services)
    return ended


def _remove_what_ended(services: Services, project: Project) -> None:
    """Remove the answers from before a grant of the project ended; and, once the project itself ended, its tokens."""
    now = services.clock()
    days_over = [grant.ends for grant in services.registry.grants_of(project.id)] + [project.ends]
    ends = [datetime.combine(day + timedelta(days=1), time(), UTC) for day in days_over]
    ends += [grant.revoked_at for grant in services.registry.grants_of(project.id) if grant.revoked_at]
    if past := [end for end in ends if end <= now]:
        services.spool.remove_project(project.id, before=max(past))
    if now.date() > project.ends:
        for token in services.registry.tokens_for(project.id):
            with suppress(NotFoundError):  # it is over already, or another process is doing the same
                services.registry.revoke_token(token.id, audit=Audit(None, now))
