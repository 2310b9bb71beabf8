"""Downloads as jobs: asked for, worked on in processes of their own, and looked at."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from portal.desk.answers import Asker, DownloadStatus
from portal.desk.downloads import download_status
from portal.desk.services import Services
from portal.ids import DownloadId
from portal.settings import Settings

ENDLESS = "SELECT count(*) AS n FROM range(9999) a(i), range(9999) b(j), range(9999) c(k) WHERE hash(i + j + k) = 7"
"""Runs until it is stopped, or its minute is over."""

_PROCESS = """
import sys, time
from pathlib import Path
import portal.desk.making as making
from portal.settings import Settings
from portal.wiring import build_services

def half_written(spool, target, *_):
    target.parent.mkdir(parents=True, exist_ok=True)
    target.with_name(f".{target.name}.part").write_bytes(b"half")
    print("writing", flush=True)
    time.sleep(600)

services = build_services(Settings(site=Path(sys.argv[1]), home=Path(sys.argv[2]), warm_sandboxes=1))
if sys.argv[3] == "hang":
    making.export_answer = half_written
print("started", flush=True)
while making.run_next(services, making.worker_name()):
    pass
services.sandbox.close()
"""


def a_worker(settings: Settings, *, hangs: bool = False) -> subprocess.Popen[str]:
    """Start a process that works off the queue; one that `hangs` does so in the middle of its first file."""
    command = [sys.executable, "-c", _PROCESS, str(settings.site), str(settings.home), "hang" if hangs else "work"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def eventually(holds: Callable[[], bool], seconds: float = 30.0) -> float:
    """Wait until something holds; return how long that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, "it never held"
        time.sleep(0.02)
    return time.monotonic() - began


def state_of(services: Services, asker: Asker, download: DownloadId) -> DownloadStatus:
    return download_status(services, asker, download)


def files_in(folder: Path) -> list[str]:
    """Return every file, hidden ones as well."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())
