"""Kill -9, at any moment, of whatever the portal is made of; and then everything is as it must be.

`PORTAL_FAULT_ROUNDS` says how many deaths (unless set: a few), `PORTAL_FAULT_SEED` begins the dice elsewhere.
"""

import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
from support.faulty import ROUNDS, STATES, World, history
from support.harmed import copy_of
from support.mixed_work import work
from support.serving import COMMAND, Server, command, environment_of
from support.soundness import faults_of, leftovers

SEED = os.environ.get("PORTAL_FAULT_SEED", "1")
STEPS = 6


def kill_a_sandbox(server: Server, dice: random.Random, _world: World) -> None:
    """Kill one of those that run or wait for work."""
    if sandboxes := server.sandboxes():
        _kill(dice.choice(sandboxes))


def kill_the_zygote(server: Server, _dice: random.Random, _world: World) -> None:
    if zygote := server.zygote():
        _kill(zygote)


def kill_the_portal(server: Server, _dice: random.Random, _world: World) -> None:
    assert server.kill() == [], "processes of a killed portal live on"


def kill_a_publication(_server: Server, dice: random.Random, world: World) -> None:
    name = dice.choice([*world.sources])
    arguments = ["publish", name, "--source", str(world.sources[name]), "--synthetic"]
    process = subprocess.Popen(
        [*COMMAND, *arguments], env=environment_of(world.settings), cwd=world.home.parent,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with suppress(subprocess.TimeoutExpired):
        process.wait(dice.uniform(1.0, 5.0))
    process.kill()
    process.wait()


VICTIMS: Mapping[str, Callable[[Server, random.Random, World], None]] = {
    "sandbox": kill_a_sandbox,
    "zygote": kill_the_zygote,
    "portal": kill_the_portal,
    "publication": kill_a_publication,
}


def strike_at_some_moment(victim: str, server: Server, dice: random.Random, world: World) -> None:
    time.sleep(dice.uniform(0.0, 1.5))
    VICTIMS[victim](server, dice, world)


def test_nothing_untrue_is_served_and_nothing_is_lost_whoever_dies(world: World, tmp_path: Path) -> None:
    world, log = copy_of(world, tmp_path / "home"), tmp_path / "portal.log"
    order = [*VICTIMS] * (ROUNDS // len(VICTIMS) + 1)
    before = dict.fromkeys(STATES, frozenset())
    server = Server(world.settings, log)
    try:
        server.wait()
        for number in range(ROUNDS or 3):
            victim, dice = order[number], random.Random(f"{SEED} {number}")
            told = f"round {number}, {victim} dies, PORTAL_FAULT_SEED={SEED}"

            shutil.rmtree(world.home / "workspaces" / dice.choice(STATES).lower(), ignore_errors=True)

            strike = partial(strike_at_some_moment, victim, server, dice, world)
            seen = work(world, server.address, f"{SEED} {number}", STEPS, strike)
            assert seen.wrong == [], told
            assert sum(seen.done.values()) > 0, told
            if not server.alive():
                server = Server(world.settings, log)
                server.wait()
                assert leftovers(world.home) == [], told
            after = {state: history_of(world, state) for state in STATES}
            assert all(before[state] <= after[state] for state in STATES), told
            before = after
            assert faults_of(world, seen.receipts) == [], told
    finally:
        server.stop()
    verified = command(world.settings, "ledger", "verify")
    assert verified.returncode == 0, verified.stdout


def history_of(world: World, state: str) -> frozenset[object]:
    return frozenset((number, cell) for number in range(1, 99) for cell in history(world.home, state.lower(), number))


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill()
