"""A confined process reaches the files of its statement and nothing else, as root and as an ordinary user."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from portal.engines.duckdb import landlock
from portal.engines.duckdb.protections import Level, Protection, level_of, probe
from portal.errors import EngineFailure
from portal.settings import Settings
from portal.wiring import refuse_weak_sandbox

NEEDS_LANDLOCK = pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")

# Runs in a fresh interpreter: confines itself, tries each expression, and prints those that did not raise.
INSIDE = """
import json, mmap, os, resource, signal, socket, sys, threading
from portal.engines.duckdb.confinement import Bounds, confine
mine, other, folder, port, parent = sys.argv[1:]
attempts = json.load(sys.stdin)
os.umask(0o077)
confine(Bounds([mine], folder + "/scratch", 1_000_000, 100_000_000, 10), os.getppid())
done = []
for attempt in attempts:
    try:
        exec(attempt)
    except (OSError, MemoryError, AttributeError, ValueError):
        continue
    done.append(attempt)
print(json.dumps(done))
"""
ALLOWED = [
    "assert open(mine).read() == 'mine'",
    "open(folder + '/scratch/spill', 'w').write('x')",
    "assert open(folder + '/scratch/spill').read() == 'x'",
    "os.unlink(folder + '/scratch/spill')",
    "threading.Thread(target=int).start()",
]
FORBIDDEN = [
    "open(mine, 'r+')",
    "os.truncate(mine, 0)",
    "os.unlink(mine)",
    "os.chmod(mine, 0o777)",
    "os.rename(mine, folder + '/scratch/moved')",
    "os.link(other, folder + '/scratch/linked')",
    "os.symlink(other, folder + '/scratch/linked')",
    "os.mkdir(folder + '/scratch/sub')",
    "open(other)",
    "open(other, 'w')",
    "open(folder + '/new', 'w')",
    "os.listdir(folder)",
    "open('/etc/passwd')",
    "open('/proc/self/environ')",
    "open('/proc/self/mem', 'rb')",
    "open(f'/proc/{parent}/environ')",
    "open(f'/proc/{parent}/mem', 'rb')",
    "open('/dev/null')",
    "socket.create_connection(('127.0.0.1', int(port)), 1)",
    "socket.socket(socket.AF_UNIX)",
    "socket.socketpair()",
    "os.fork()",
    "os.posix_spawn('/bin/true', ['true'], {})",
    "os.execv('/bin/true', ['true'])",
    "os.kill(int(parent), 0)",
    "os.kill(int(parent), signal.SIGSTOP)",
    "signal.pidfd_send_signal(os.pidfd_open(int(parent)), 0)",
    "resource.prlimit(int(parent), resource.RLIMIT_CPU)",
    "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "resource.setrlimit(resource.RLIMIT_CPU, (-1, -1))",
    "os.memfd_create('x')",
    "os.setsid()",
    "os.chroot('/')",
    "os.mkfifo(folder + '/scratch/pipe')",
    "os.setuid(0) if os.getuid() else os.listdir('/root')",
    "mmap.mmap(-1, 2_000_000_000)",
    "open(folder + '/scratch/large', 'wb').write(bytes(5_000_000))",
]


def tried_inside(folder: Path, attempts: list[str], mode: int = 0o600) -> list[str]:
    """Return the attempts that succeeded in a confined process."""
    mine, other = folder / "mine", folder / "other"
    for path in (mine, other):
        path.write_text(path.name)
        path.chmod(mode)
    (folder / "scratch").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        arguments = [str(each) for each in (mine, other, folder, port, os.getpid())]
        ran = subprocess.run(
            [sys.executable, "-I", "-c", INSIDE, *arguments],
            input=json.dumps(attempts),
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    assert mine.read_text() == "mine"
    assert other.read_text() == "other"
    return json.loads(ran.stdout)


@NEEDS_LANDLOCK
def test_a_confined_process_can_do_its_work_and_nothing_else(tmp_path: Path) -> None:
    assert tried_inside(tmp_path, [*ALLOWED, *FORBIDDEN]) == ALLOWED


@NEEDS_LANDLOCK
def test_every_protection_holds_on_this_machine() -> None:
    protections = probe()
    assert [each.name for each in protections if not each.held] == []
    assert level_of(protections) is Level.SEALED


@NEEDS_LANDLOCK
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become an ordinary user; here every test runs as one")
def test_every_protection_holds_for_an_ordinary_user() -> None:
    assert {each.name for each in probe()} == names_held("""
os.chown(folder, 65533, 65533); os.setgroups([]); os.setresgid(65533, 65533, 65533); os.setresuid(65533, 65533, 65533)
""")


def test_without_its_filter_a_sandbox_is_seen_to_reach_the_network() -> None:
    held = names_held("seccomp.restrict = lambda: False")
    assert "reading" in held
    assert not held & {"network", "processes"}


def test_without_landlock_a_sandbox_is_seen_to_read_other_files() -> None:
    held = names_held("landlock.version = lambda: 0")
    assert "network" in held
    assert not held & {"reading", "writing"}


def test_a_level_holds_only_with_all_that_it_needs() -> None:
    def level(*missing: str) -> Level:
        needs = {"memory": Level.LIMITED, "network": Level.ISOLATED, "reading": Level.SEALED}
        return level_of([Protection(name, name not in missing, "", needed) for name, needed in needs.items()])

    assert level() is Level.SEALED
    assert level("reading") is Level.ISOLATED
    assert level("network") is Level.LIMITED
    assert level("memory", "reading") is Level.NONE


@pytest.mark.parametrize(
    ("production", "asked", "missing", "serves"),
    [
        (True, "sealed", (), True),
        (True, "sealed", ("reading",), False),
        (True, "isolated", ("reading",), True),
        (True, "isolated", ("network",), False),
        (False, "sealed", ("network",), True),
    ],
)
def test_a_production_portal_serves_at_the_level_that_is_asked_or_not_at_all(
    *, production: bool, asked: str, missing: tuple[str, ...], serves: bool
) -> None:
    needs = {"memory": Level.LIMITED, "network": Level.ISOLATED, "reading": Level.SEALED}
    found = [Protection(name, name not in missing, "", needed) for name, needed in needs.items()]
    settings = Settings.model_validate({"production": production, "sandbox_level": asked})
    if serves:
        refuse_weak_sandbox(settings, lambda: found)
    else:
        with pytest.raises(EngineFailure) as refused:
            refuse_weak_sandbox(settings, lambda: found)
        assert missing[0] in refused.value.faults[0].message


def names_held(change: str) -> set[str]:
    """Return the protections that hold after `change` ran in the process that tries them."""
    prepare = (
        "import os, sys; from pathlib import Path; from portal.engines.duckdb import landlock, protections, seccomp"
    )
    with tempfile.TemporaryDirectory() as folder:
        script = f"{prepare}\nfolder = Path(sys.argv[1])\n{change}\nprotections.main(folder)"
        command = [sys.executable, "-I", "-c", script, folder]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    return set(ran.stdout.split())
