"""Work done in processes that come to harm: killed at a step, refused a step, or left without room.

A parent that has everything loaded forks one child for each harm, so that hundreds of them take little time.
"""

import errno
import os
import resource
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

from support.faulty import CELLS, ROWS, World, asker, services_over
from support.soundness import faults_of, leftovers

from portal.desk.downloads import open_download
from portal.desk.making import make_download
from portal.desk.publication import publish_release
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.desk.upkeep import begin
from portal.errors import PortalError
from portal.ids import DatasetName
from portal.publishing.releases import sha256_of
from portal.sql.plan import Statement

DE, GIVEN = asker("DE"), {"least": 40, "salt": 1}
FILLING = {"os.rename", "os.link", "os.mkdir"}
"""What Python tells its auditors of before it is done, and a full disk can refuse; so is opening a file to write."""
STEPS = {*FILLING, "os.remove", "os.rmdir", "os.chmod", "os.utime", "fcntl.flock"}
DONE, REFUSED, BROKEN = 0, 3, 1
"""How a child ends: with the work done, with an error of the closed family, with any other."""

Task = Callable[[Services, World], None]


@dataclass(frozen=True, slots=True)
class Harm:
    """What befalls a child: death or refusal at a step of the file system, or no file larger than so many bytes."""

    die_at: int | None = None
    refuse_at: int | None = None
    most_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How many steps were taken before the harm; how the child ended, by a signal where below nothing."""

    steps: int
    status: int


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


TASKS: tuple[Task, ...] = (build_and_ask, ask_for_cells, download, publish)


@contextmanager
def harming(task: Task) -> Iterator[Callable[[World, Harm], End]]:
    """Give a function that does the task in a home and lets harm befall it."""
    here, there = get_context("spawn").Pipe()
    parent = get_context("spawn").Process(target=_be_parent, args=(there, task))
    parent.start()
    there.close()

    def harm(world: World, what: Harm) -> End:
        here.send((world, what))
        end: End = here.recv()
        return end

    try:
        yield harm
    finally:
        here.close()
        parent.join()


def copy_of(world: World, folder: Path) -> World:
    """Return the same world over a copy of its home."""
    shutil.copytree(world.home, folder)
    return replace(world, settings=world.settings.model_copy(update={"home": folder}))


def faults_after(world: World, task: Task) -> list[str]:
    """Start again, look, do the work after all, look again, and throw the home away."""
    with services_over(world.settings) as services:
        begin(services)
        left = [name for name in leftovers(world.home) if not name.startswith("scratch")]
        faults = faults_of(world)
        task(services, world)
    faults += faults_of(world)
    shutil.rmtree(world.home)
    return left + faults


def _be_parent(there: Connection, task: Task) -> None:
    while True:
        try:
            world, harm = there.recv()
        except EOFError:
            return
        told, tell = os.pipe()
        child = os.fork()
        if not child:
            os.close(told)
            _be_child(world, task, harm, tell)
        os.close(tell)
        with os.fdopen(told, "rb") as counted:
            steps = len(counted.read())
        there.send(End(steps, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))


def _be_child(world: World, task: Task, harm: Harm, tell: int) -> NoReturn:
    status = BROKEN
    try:
        if harm.refuse_at is None:
            _watch(world, harm, tell)
        with services_over(world.settings) as services:
            begin(services)
            if harm.refuse_at is not None:
                _watch(world, harm, tell)
            if harm.most_bytes is not None:
                _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
                resource.setrlimit(resource.RLIMIT_FSIZE, (harm.most_bytes, hard))
            status = _ended(task, services, world)
    except BaseException:  # noqa: BLE001 - told, and the process ends
        traceback.print_exc()
    finally:
        os._exit(status)


def _ended(task: Task, services: Services, world: World) -> int:
    try:
        task(services, world)
    except PortalError as error:
        return BROKEN if str(world.home) in str(error) else REFUSED
    return DONE


def _watch(world: World, harm: Harm, tell: int) -> None:
    """Tell a byte of each step, and do harm at the one that was chosen."""
    taken, kinds = 0, STEPS if harm.refuse_at is None else FILLING

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal taken
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if event not in kinds and not (writes and str(world.home) in str(arguments[0])):
            return
        if taken == harm.die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        refused = taken == harm.refuse_at
        taken += 1
        if refused:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.write(tell, b".")

    sys.addaudithook(watch)
