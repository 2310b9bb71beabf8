"""A portal as its operator starts it: `portal serve` in a process of its own, on loopback, ended by who started it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil

from portal.settings import Settings

START_SECONDS = 120
COMMAND = (sys.executable, "-c", "from portal.cli.main import main; main()")
ZYGOTE = "portal.engines.duckdb.zygote"


class Server:
    """The process, its address, and what it started."""

    def __init__(self, settings: Settings, log: Path, within: Sequence[str] = ()) -> None:
        """Start it; `within` is a command that runs another."""
        self.address = f"http://127.0.0.1:{free_port()}"
        self._log = log
        environment = environment_of(settings) | {"PORTAL_PORT": self.address.rpartition(":")[2]}
        with log.open("a") as stream:
            self.process = subprocess.Popen(
                [*within, *COMMAND, "serve"], env=environment, cwd=log.parent, stdout=stream, stderr=stream
            )

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.alive(), self.told()
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.address}/api/v1/docs", timeout=30).is_success:
                    return
            time.sleep(0.05)
        raise AssertionError(self.told())

    def alive(self) -> bool:
        return self.process.poll() is None

    def told(self) -> str:
        """Return what it wrote to its log."""
        return self._log.read_text(errors="replace")

    def family(self) -> list[psutil.Process]:
        """Return every process that it, or one of those, started."""
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(self.process.pid).children(recursive=True)
        return []

    def zygote(self) -> psutil.Process | None:
        """Return the parent of the sandboxes; none where it was not needed yet."""
        with suppress(psutil.NoSuchProcess):
            return next(iter(psutil.Process(self.process.pid).children()), None)
        return None

    def sandboxes(self) -> list[psutil.Process]:
        zygote = self.zygote()
        with suppress(psutil.NoSuchProcess):
            return zygote.children() if zygote else []
        return []

    def kill(self) -> list[psutil.Process]:
        """Kill it without warning, and return what of its family outlives it."""
        family = self.family()
        self.process.kill()
        self.process.wait()
        _, orphans = psutil.wait_procs(family, timeout=10)
        return orphans

    def stop(self) -> None:
        """End it as an operator does, and clear up where that does not do."""
        family = self.family()
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for orphan in psutil.wait_procs(family, timeout=5)[1]:
            orphan.kill()


@contextmanager
def served(settings: Settings, log: Path, within: Sequence[str] = ()) -> Iterator[Server]:
    """Serve a home until the end of the block."""
    server = Server(settings, log, within)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def command(settings: Settings, *arguments: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a command of the portal to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment_of(settings),
        cwd=settings.home.parent,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the environment in which a portal has these settings."""
    given = {name: getattr(settings, name) for name in settings.model_fields_set | {"site", "home"}}
    return os.environ | {f"PORTAL_{name.upper()}": str(value) for name, value in given.items() if value is not None}


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
