"""`portal doctor`: whether this machine, this home and this site are fit to serve."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from tempfile import TemporaryFile

import click

import portal
from portal.cli.context import with_settings
from portal.cli.printing import json_option, show_records
from portal.errors import PortalError
from portal.settings import Settings
from portal.wiring import faults_of_site, open_ledger, open_releases, open_workspaces, probe_sandbox

LIBRARIES = ("duckdb", "pyarrow", "polars", "sqlglot", "sqlalchemy", "streamlit", "fastapi")
LEAST_FREE = 2_000_000_000
"""Bytes of disk below which a governed copy may not find room."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    detail: str


@click.command
@json_option
@with_settings
def doctor(settings: Settings) -> None:
    """Look at everything that the portal rests on; ends with 1 where something is not as it must be."""
    findings = [finding for what, look in LOOKS.items() for finding in _looked(what, look, settings)]
    show_records([asdict(finding) | {"ok": "ok" if finding.ok else "FAULT"} for finding in findings])
    if not all(finding.ok for finding in findings):
        click.get_current_context().exit(1)


def _looked(what: str, look: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    try:
        yield from look(settings)
    except (PortalError, OSError) as error:
        yield Finding(what, ok=False, detail=str(error) if isinstance(error, PortalError) else type(error).__name__)


def _versions(_: Settings) -> Iterator[Finding]:
    parts = [f"portal {portal.__version__}", f"python {sys.version.split(maxsplit=1)[0]}"]
    yield Finding("versions", ok=True, detail=", ".join([*parts, *(f"{name} {version(name)}" for name in LIBRARIES)]))


def _home(settings: Settings) -> Iterator[Finding]:
    settings.home.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=settings.home) as file:
        file.write(b"x")
        os.fsync(file.fileno())
    yield Finding("home", ok=True, detail="can be written")


def _disk(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(settings.home).free
    yield Finding("disk", ok=free >= LEAST_FREE, detail=f"{free / 1e9:.1f} GB free")


def _site(settings: Settings) -> Iterator[Finding]:
    faults = faults_of_site(settings)
    yield Finding("site", ok=not faults, detail=f"{len(faults)} faults; see `portal check`" if faults else "no faults")


def _releases(settings: Settings) -> Iterator[Finding]:
    store = open_releases(settings)
    for name in store.datasets():
        for number in store.served(name):
            faults = store.verify(store.get(name, number))
            yield Finding(
                f"release {name} {number}", ok=not faults, detail="; ".join(map(str, faults)) or "as published"
            )


def _workspaces(settings: Settings) -> Iterator[Finding]:
    store = open_workspaces(settings)
    for project, name in store.held():
        damaged = store.damaged(project, name)
        told = f"not as made: {', '.join(damaged)}; see docs/operating.md" if damaged else "as made"
        yield Finding(f"copy {project} {name}", ok=not damaged, detail=told)


def _ledger(settings: Settings) -> Iterator[Finding]:
    faults = open_ledger(settings).verify()
    yield Finding("ledger", ok=not faults, detail="; ".join(map(str, faults)) or "as it was written")


def _sandbox(settings: Settings) -> Iterator[Finding]:
    protections, level = probe_sandbox()
    for protection in protections:
        yield Finding(f"sandbox: {protection.name}", ok=protection.held, detail=protection.detail)
    asked = settings.sandbox_level
    enough = level >= type(level)[asked.upper()]
    yield Finding("sandbox: level", ok=enough, detail=f"{level.name.lower()}; production asks for {asked}")


LOOKS: Mapping[str, Callable[[Settings], Iterator[Finding]]] = {
    "versions": _versions,
    "home": _home,
    "disk": _disk,
    "site": _site,
    "releases": _releases,
    "workspaces": _workspaces,
    "ledger": _ledger,
    "sandbox": _sandbox,
}
