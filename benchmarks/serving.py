"""A portal in a process of its own, on loopback."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from portal.settings import Settings

LOOK_EVERY = 0.02


@contextmanager
def served(command: str, settings: Settings) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Start `portal serve` or `portal demo`, wait until it answers, and yield its address and process."""
    port = _free_port()
    environment = os.environ | {
        "PORTAL_SITE": str(settings.site.resolve()), "PORTAL_HOME": str(settings.home), "PORTAL_PORT": str(port),
        "PORTAL_WARM_SANDBOXES": str(settings.warm_sandboxes),
    }  # fmt: skip
    program = [sys.executable, "-c", "from portal.cli.main import main; main()", command]
    process = subprocess.Popen(program, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        try:
            httpx.get(f"{address}/_stcore/health", timeout=30).raise_for_status()
        except httpx.HTTPError:
            time.sleep(LOOK_EVERY)
        else:
            return
    raise SystemExit("the portal did not start")
