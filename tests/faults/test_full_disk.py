"""A disk without room, wherever the portal writes: said plainly, nothing half-written, and well again once there is room.

Three ways, from the most thorough to the most real. A step of the file system is refused by an audit hook, one after the
other (injected). No file may grow beyond so many bytes (the kernel's own limit). The home is a small file system that
is filled up (the real thing, where this machine lets us mount one).
"""

import os
import random
from pathlib import Path

import pytest
from support.faulty import World, a_world
from support.harmed import DONE, REFUSED, TASKS, Harm, Task, copy_of, faults_after, harming

ROUNDS = int(os.environ.get("PORTAL_FAULT_ROUNDS", "2"))
pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture(scope="module", name="world")
def _world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return a_world(tmp_path_factory.mktemp("full"))


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
def test_a_write_that_finds_no_room_is_said_plainly_and_leaves_nothing(
    world: World, tmp_path: Path, task: Task
) -> None:
    with harming(task) as harm:
        whole = harm(copy_of(world, tmp_path / "whole"), Harm(refuse_at=10**9))
        assert (whole.status, whole.steps > 3) == (DONE, True)
        dice = random.Random(task.__name__)
        for step in sorted(dice.sample(range(whole.steps), min(whole.steps, ROUNDS))):
            mine = copy_of(world, tmp_path / str(step))
            told = f"refused at step {step} of {whole.steps}"
            assert harm(mine, Harm(refuse_at=step)).status in {DONE, REFUSED}, told
            assert faults_after(mine, task) == [], told


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
@pytest.mark.parametrize("most_bytes", [0, 2_000, 60_000])
def test_a_file_that_may_not_grow_is_said_plainly_and_leaves_nothing(
    world: World, tmp_path: Path, task: Task, most_bytes: int
) -> None:
    with harming(task) as harm:
        mine = copy_of(world, tmp_path / "home")
        assert harm(mine, Harm(most_bytes=most_bytes)).status in {DONE, REFUSED}
        assert faults_after(mine, task) == []
