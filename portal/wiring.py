"""The composition root: the only place that names adapters."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from portal.clock import Clock, system_clock
from portal.desk.admission import Admission, Room
from portal.desk.services import Services
from portal.engines.duckdb.parser import DuckDBParser
from portal.engines.duckdb.protections import Level, Protection, level_of, probe
from portal.engines.duckdb.sandbox import DuckDBSandbox
from portal.engines.duckdb.trusted import DuckDBTrusted
from portal.errors import ContentError, EngineFailure, Fault
from portal.keys import load_keys
from portal.ledger import Ledger
from portal.publishing.releases import ReleaseStore
from portal.registry import DownloadQueue, Registry, open_database
from portal.settings import Settings
from portal.site import Site, SiteFault, read_site
from portal.site.checks import check_site
from portal.site.releases import check_releases
from portal.vetting.working_days import Calendar
from portal.workspaces.base_store import FileBaseStore
from portal.workspaces.history_store import FileHistoryStore
from portal.workspaces.spool import Spool
from portal.workspaces.store import WorkspaceStore


def build_services(settings: Settings, clock: Clock = system_clock) -> Services:
    """Build everything that the use cases need. Raises `ContentError`, with every fault, where the site has any."""
    home = settings.home.resolve()
    ledger, releases, keys = open_ledger(settings, clock), open_releases(settings), load_keys(keys_folder(settings))
    parser = DuckDBParser()
    return Services(
        clock=clock,
        site=sound_site(settings.site, parser),
        keys=keys,
        registry=Registry(ledger.engine, ledger),
        queue=DownloadQueue(ledger.engine),
        ledger=ledger,
        releases=releases,
        workspaces=open_workspaces(settings),
        histories=FileHistoryStore(home / "history"),
        bases=FileBaseStore(home / "base_cells"),
        trusted=_trusted(settings),
        admission=Admission(
            Room(
                settings.sandboxes,
                settings.sandboxes_per_person,
                settings.waiting_per_person,
                settings.sandbox_memory,
                settings.patience,
            )
        ),
        sandbox=DuckDBSandbox(home / "scratch", warm=settings.warm_sandboxes, threads=settings.threads),
        parser=parser,
        spool=Spool(home / "results"),
        downloads=home / "downloads",
        calendar=Calendar(frozenset(settings.holidays)),
        result_days=settings.result_days,
        result_bytes=settings.result_bytes,
    )


def open_ledger(settings: Settings, clock: Clock = system_clock) -> Ledger:
    """Open the ledger of a home, whatever the state of the site."""
    home = settings.home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.database_url or f"sqlite:///{home / 'portal.sqlite'}")
    return Ledger(database, load_keys(keys_folder(settings)).ledger, clock)


def keys_folder(settings: Settings) -> Path:
    """Return where the secrets of a home lie."""
    return settings.home.resolve() / "keys"


def open_releases(settings: Settings) -> ReleaseStore:
    """Open the releases of a home."""
    return ReleaseStore(settings.home.resolve() / "releases")


def open_workspaces(settings: Settings) -> WorkspaceStore:
    """Open the governed copies of a home, whatever the state of the site."""
    home = settings.home.resolve()
    return WorkspaceStore(
        home / "workspaces", open_releases(settings), _trusted(settings), load_keys(keys_folder(settings))
    )


def probe_sandbox() -> tuple[tuple[Protection, ...], Level]:
    """Try every protection of the sandbox on this machine; and return the level that they make together."""
    protections = probe()
    return protections, level_of(protections)


def refuse_weak_sandbox(settings: Settings, look: Callable[[], Sequence[Protection]] = probe) -> None:
    """Raise `EngineFailure` where a production portal would confine statements less than its settings ask."""
    if not settings.production:
        return
    protections = look()
    level = level_of(protections)
    if level >= Level[settings.sandbox_level.upper()]:
        return
    missing = ", ".join(each.name for each in protections if not each.held)
    message = f"This machine confines a statement only as far as {level.name.lower()!r}; missing: {missing}."
    fix = "Run `portal doctor`, see docs/operating.md for what each needs; or lower the setting and answer for it."
    raise EngineFailure(Fault("SANDBOX_TOO_WEAK", message, rule=f"sandbox_level: {settings.sandbox_level}", fix=fix))


def sound_site(folder: Path, parser: DuckDBParser) -> Site:
    """Read the site, which must be without fault."""
    reading = read_site(folder)
    if faults := check_site(reading, parser):
        raise ContentError(*(Fault("SITE", str(fault), fix="Mend the file; see docs/policies.md.") for fault in faults))
    return reading.site


def faults_of_site(settings: Settings) -> tuple[SiteFault, ...]:
    """Return every fault of the site, held also against what is published in the home."""
    reading, releases = read_site(settings.site), open_releases(settings)
    found = {name: releases.latest(name) for name in reading.site.datasets}
    published = {name: manifest for name, manifest in found.items() if manifest}
    return tuple(sorted({*check_site(reading, DuckDBParser()), *check_releases(reading, published)}))


def _trusted(settings: Settings) -> DuckDBTrusted:
    return DuckDBTrusted(threads=settings.threads, memory_bytes=settings.build_memory)


@cache
def services_of_this_process() -> Services:
    """Return the services that web and API of one process share, built at first use from the settings."""
    return build_services(Settings())
