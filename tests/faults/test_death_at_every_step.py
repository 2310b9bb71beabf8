"""A process that is killed at each of its steps on the file system, one after the other; and then everything is right.

`PORTAL_FAULT_ROUNDS` says at how many of the steps of each kind of work (unless set: a few).
"""

import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from support.faulty import CELLS, ROWS, World, a_world, asker, services_over
from support.soundness import faults_of, leftovers

from portal.desk.downloads import make_download, open_download
from portal.desk.publication import publish_release
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.desk.upkeep import begin
from portal.ids import DatasetName
from portal.publishing.releases import sha256_of
from portal.sql.plan import Statement

ROUNDS = int(os.environ.get("PORTAL_FAULT_ROUNDS", "3"))
DE, GIVEN = asker("DE"), {"least": 40, "salt": 1}
STEPS = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.utime", "fcntl.flock"}
"""What Python tells its auditors of before it is done; so is opening a file to write."""
ALL_OF_THEM = 10**9


def build_and_ask(services: Services, world: World) -> None:
    answer = run_statement(services, DE, Statement(ROWS["rows"], GIVEN))
    assert answer.table().to_pylist() == world.rows["DE", "rows", 40]
    answer = run_statement(services, DE, Statement(ROWS["holidays"], GIVEN))
    assert answer.table().to_pylist() == world.rows["DE", "holidays", 40]


def ask_for_cells(services: Services, world: World) -> None:
    for name, sql in CELLS.items():
        assert run_statement(services, DE, Statement(sql)).table().to_pylist() == world.cells[name]


def download(services: Services, world: World) -> None:
    del world
    ticket = make_download(services, DE, Statement(ROWS["holidays"], GIVEN), "parquet")
    _, path = open_download(services, DE, ticket.id)
    assert sha256_of(path) == ticket.sha256


def publish(services: Services, world: World) -> None:
    publish_release(services, DatasetName("sales"), [world.sources["sales"]], synthetic=True)
    build_and_ask(services, world)


@pytest.fixture(scope="module", name="world")
def _world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return a_world(tmp_path_factory.mktemp("steps"))


@pytest.mark.xdist_group("faults")
@pytest.mark.parametrize("task", [build_and_ask, ask_for_cells, download, publish], ids=lambda task: task.__name__)
def test_a_death_at_any_step_leaves_nothing_half_done(
    world: World, tmp_path: Path, task: Callable[[Services, World], None]
) -> None:
    here, there = get_context("spawn").Pipe()
    parent = get_context("spawn").Process(target=_be_parent, args=(there, task))
    parent.start()
    there.close()
    try:
        steps, ended = _told(here, _copy_of(world, tmp_path / "whole"), ALL_OF_THEM)
        assert (ended, steps > 3) == (0, True)
        for step in sorted(random.Random(task.__name__).sample(range(steps), min(steps, ROUNDS))):
            mine = _copy_of(world, tmp_path / str(step))
            assert _told(here, mine, step) == (step, signal.SIGKILL)
            assert _faults_after(mine, task) == [], f"killed at step {step} of {steps}"
            shutil.rmtree(mine.home)
    finally:
        here.close()
        parent.join()


def _faults_after(world: World, task: Callable[[Services, World], None]) -> list[str]:
    """Start again, look, do the work after all, and look again."""
    with services_over(world.settings) as services:
        begin(services)
        left = [name for name in leftovers(world.home) if not name.startswith("scratch")]
        faults = faults_of(world)
        task(services, world)
    return [*left, *faults, *faults_of(world)]


def _copy_of(world: World, folder: Path) -> World:
    shutil.copytree(world.home, folder)
    return replace(world, settings=world.settings.model_copy(update={"home": folder}))


def _told(here: Connection, world: World, step: int) -> tuple[int, int]:
    """Return how many steps were taken, and by which signal it ended."""
    here.send((world, step))
    steps, ended = here.recv()
    return steps, ended


def _be_parent(there: Connection, task: Callable[[Services, World], None]) -> None:
    """Do the work in one child after the other, each a copy of a process that has everything loaded."""
    while True:
        try:
            world, step = there.recv()
        except EOFError:
            return
        told, tell = os.pipe()
        child = os.fork()
        if not child:
            os.close(told)
            _be_child(world, task, step, tell)
        os.close(tell)
        _, status = os.waitpid(child, 0)
        with open(told, "rb") as counted:
            steps = sum(1 for _ in counted.read())
        there.send((steps, os.waitstatus_to_exitcode(status) * -1))


def _be_child(world: World, task: Callable[[Services, World], None], step: int, tell: int) -> None:
    """Work until this step, and be killed there; never returns. One byte is told of each step before it."""
    left = step

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if event in STEPS or (writes and str(world.home) in str(arguments[0])):
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            os.write(tell, b".")

    status = 1
    try:
        sys.addaudithook(count)
        with services_over(world.settings) as services:
            begin(services)
            task(services, world)
        status = 0
    finally:
        os._exit(status)
