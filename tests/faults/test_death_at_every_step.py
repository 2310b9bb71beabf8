"""A process that is killed at each of its steps on the file system, one after the other; and then all is as it must be.

`PORTAL_FAULT_ROUNDS` says at how many of the steps of each kind of work (unless set: a few).
"""

import random
import signal
from pathlib import Path

import pytest
from support.faulty import ROUNDS, World
from support.harmed import DONE, TASKS, End, Harm, Task, copy_of, faults_after, harming


@pytest.mark.parametrize("task", TASKS if ROUNDS else TASKS[1:3], ids=lambda task: task.__name__)
def test_a_death_at_any_step_leaves_nothing_half_done(world: World, tmp_path: Path, task: Task) -> None:
    with harming(task) as harm:
        whole = harm(copy_of(world, tmp_path / "whole"), Harm())
        assert (whole.status, whole.steps > 3) == (DONE, True)
        dice = random.Random(task.__name__)
        for step in sorted(dice.sample(range(whole.steps), min(whole.steps, ROUNDS or 1))):
            mine = copy_of(world, tmp_path / str(step))
            assert harm(mine, Harm(die_at=step)) == End(step, -signal.SIGKILL)
            assert faults_after(mine, task) == [], f"killed at step {step} of {whole.steps}"
