"""What the use cases work with. Built once by `portal.wiring`, handed to every use case, never changed."""

from dataclasses import dataclass
from pathlib import Path

from portal.clock import Clock
from portal.desk.admission import Admission
from portal.engines.port import SandboxEngine, TrustedEngine
from portal.keys import Keys
from portal.ledger import Ledger
from portal.publishing.releases import ReleaseStore
from portal.registry import DownloadQueue, Registry
from portal.site import Site
from portal.sql.plan import StatementParser
from portal.vetting.working_days import Calendar
from portal.workspaces.base_store import BaseStore
from portal.workspaces.history_store import HistoryStore
from portal.workspaces.spool import Spool
from portal.workspaces.store import WorkspaceStore


@dataclass(frozen=True, slots=True)
class Services:
    """Ports and stores. `downloads` is the folder of files that were made to leave the portal."""

    clock: Clock
    site: Site
    keys: Keys
    registry: Registry
    queue: DownloadQueue
    ledger: Ledger
    releases: ReleaseStore
    workspaces: WorkspaceStore
    histories: HistoryStore
    bases: BaseStore
    trusted: TrustedEngine
    admission: Admission
    sandbox: SandboxEngine
    parser: StatementParser
    spool: Spool
    downloads: Path
    calendar: Calendar
    result_days: float
    result_bytes: int
