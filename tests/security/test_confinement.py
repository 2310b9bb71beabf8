"""What a confined process can no longer do, tried from inside by a process of its own."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from portal.engines.duckdb import landlock

_PROBE = """
import ctypes, json, os, signal, socket, sys
from portal.engines.duckdb.confinement import Bounds, confine

readable, other, scratch, port = sys.argv[1:5]
beside = os.path.join(os.path.dirname(other), "beside")
libc = ctypes.CDLL(None, use_errno=True)

def connect():
    with socket.create_connection(("127.0.0.1", int(port)), 2):
        pass

def fork():
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)

def write(path):
    with open(path, "wb") as file:
        file.write(b"x")

def read(path):
    with open(path, "rb") as file:
        return file.read(1)

def memory():
    bytearray(4_000_000_000)

def trace():
    if libc.ptrace(0, 0, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")

tries = {
    "read_job_file": lambda: read(readable),
    "write_scratch": lambda: write(os.path.join(scratch, "spill")),
    "read_other": lambda: read(other),
    "read_passwd": lambda: read("/etc/passwd"),
    "list_root": lambda: os.listdir("/"),
    "write_job_file": lambda: write(readable),
    "write_beside": lambda: write(beside),
    "chmod_job_file": lambda: os.chmod(readable, 0o600),
    "unlink_job_file": lambda: os.unlink(readable),
    "connect_loopback": connect,
    "fork": fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "kill_parent": lambda: os.kill(os.getppid(), 0),
    "ptrace": trace,
    "memory": memory,
}
confine(Bounds([readable], scratch, 1_000_000, 100_000_000, 10), os.getppid())
told = {}
for name, attempt in tries.items():
    try:
        attempt()
        told[name] = "done"
    except (OSError, MemoryError) as error:
        told[name] = type(error).__name__
os.write(1, json.dumps(told).encode())
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    if not landlock.version():
        pytest.skip("this kernel has no Landlock")
    folder = tmp_path_factory.mktemp("confined")
    readable, other, scratch = folder / "readable", folder / "other", folder / "scratch"
    readable.write_bytes(b"r")
    other.write_bytes(b"o")
    scratch.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        arguments = [str(each) for each in (readable, other, scratch, server.getsockname()[1])]
        ended = subprocess.run(
            [sys.executable, "-c", _PROBE, *arguments], capture_output=True, text=True, check=False, timeout=20
        )
    assert ended.returncode == 0, ended.stderr
    assert readable.read_bytes() == b"r"
    assert not Path(folder, "beside").exists()
    found: dict[str, str] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize("what", ["read_job_file", "write_scratch"])
def test_what_the_statement_needs_still_works(told: dict[str, str], what: str) -> None:
    assert told[what] == "done"


@pytest.mark.parametrize(
    "what",
    [
        "read_other",
        "read_passwd",
        "list_root",
        "write_job_file",
        "write_beside",
        "chmod_job_file",
        "unlink_job_file",
        "connect_loopback",
        "fork",
        "exec",
        "kill_parent",
        "ptrace",
        "memory",
    ],
)
def test_what_the_statement_does_not_need_is_refused(told: dict[str, str], what: str) -> None:
    assert told[what] != "done"
