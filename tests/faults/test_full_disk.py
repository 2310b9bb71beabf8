"""A disk without room, wherever the portal writes: said plainly, nothing half-written, all well once there is room.

Three ways. Each step of the file system, one after the other, is refused by an audit hook (injected). No file may grow
beyond so many bytes (the kernel's own limit). The home is a small file system that is filled up (the real thing, where
this machine lets us mount one).
"""

import random
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from support.faulty import ROUNDS, World
from support.harmed import DONE, REFUSED, TASKS, Harm, Task, copy_of, faults_after, harming
from support.mixed_work import work
from support.serving import served
from support.soundness import faults_of, leftovers

WITHIN = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
"""Mounts that only the process itself sees, and that are gone with it."""


@pytest.mark.parametrize("task", TASKS if ROUNDS else TASKS[2:], ids=lambda task: task.__name__)
def test_a_write_that_finds_no_room_is_said_plainly_and_leaves_nothing(
    world: World, tmp_path: Path, task: Task
) -> None:
    with harming(task) as harm:
        whole = harm(copy_of(world, tmp_path / "whole"), Harm(refuse_at=10**9))
        assert (whole.status, whole.steps > 3) == (DONE, True)
        dice = random.Random(task.__name__)
        for step in sorted(dice.sample(range(whole.steps), min(whole.steps, ROUNDS or 1))):
            mine = copy_of(world, tmp_path / str(step))
            told = f"refused at step {step} of {whole.steps}"
            assert harm(mine, Harm(refuse_at=step)).status in {DONE, REFUSED}, told
            assert faults_after(mine, task) == [], told


@pytest.mark.parametrize("task", TASKS if ROUNDS else TASKS[:2], ids=lambda task: task.__name__)
@pytest.mark.parametrize("most_bytes", [0, 2_000, 60_000] if ROUNDS else [2_000])
def test_a_file_that_may_not_grow_is_said_plainly_and_leaves_nothing(
    world: World, tmp_path: Path, task: Task, most_bytes: int
) -> None:
    with harming(task) as harm:
        mine = copy_of(world, tmp_path / "home")
        assert harm(mine, Harm(most_bytes=most_bytes)).status in {DONE, REFUSED}
        assert faults_after(mine, task) == []


def can_mount() -> bool:
    with suppress(OSError):
        return not subprocess.run([*WITHIN, "mount -t tmpfs none /mnt"], capture_output=True, check=False).returncode
    return False


@pytest.mark.skipif(not ROUNDS, reason="is part of the long form: PORTAL_FAULT_ROUNDS=200")
@pytest.mark.skipif(not can_mount(), reason="this machine lets nobody mount a file system")
def test_a_portal_on_a_disk_that_fills_up_says_so_and_goes_on_when_there_is_room(world: World, tmp_path: Path) -> None:
    mine = copy_of(world, tmp_path / "home")
    small = f"cp -a {mine.home} {mine.home}.whole; mount -t tmpfs -o size=24m none {mine.home}; "
    small += f'cp -a {mine.home}.whole/. {mine.home}; exec "$@"'
    with served(mine.settings, tmp_path / "portal.log", [*WITHIN, small, "sh"]) as server:
        seen_from_here = Path(f"/proc/{server.process.pid}/root{mine.home}")
        assert work(mine, server.address, "before", 2).wrong == []
        filler = seen_from_here / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(bytes(10_000)):
                pass
        assert shutil.disk_usage(seen_from_here).free < 20_000
        full = work(mine, server.address, "full", 4)
        assert full.wrong == []
        assert full.done["DISK_FULL"] + full.done["RECORDS_UNAVAILABLE"] > 0
        filler.unlink()
        after = work(mine, server.address, "after", 2)
        assert after.wrong == []
        assert not set(after.done) & {"DISK_FULL", "RECORDS_UNAVAILABLE", "RECORDS_BUSY"}
        shutil.copytree(seen_from_here, tmp_path / "seen")
    shutil.rmtree(mine.home)
    (tmp_path / "seen").rename(mine.home)
    assert faults_of(mine, after.receipts) == []
    assert [name for name in leftovers(mine.home) if not name.startswith("scratch")] == []
