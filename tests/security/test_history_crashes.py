"""Whatever happens to the process, what was answered is in the history, and so the next question is held against it."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.aggregates import a_disclosure, a_manifest
from support.base_cells import cell_name, ones, plain_cells

from portal.disclosure.history import Candidate, Ground, Kind, ReleaseHistory, Verdict, audit
from portal.ids import ProjectId
from portal.workspaces.history_store import FileHistoryStore

ROWS, P1 = Kind("rows"), ProjectId("p1")
SMALL = cell_name(country="small")
BASE = plain_cells(
    {cell_name(country=str(c)): ones(range(20 * c, 20 * c + 20)) for c in range(200)} | {SMALL: ones(range(5))}
)
GROUND = Ground(BASE, "view", a_disclosure())


def ask(home: Path, *regions: frozenset[str]) -> tuple[Verdict, ...]:
    def change(history: ReleaseHistory) -> tuple[ReleaseHistory, tuple[Verdict, ...]]:
        return audit(history, [(Candidate(ROWS, region, 20),) for region in regions], GROUND)

    return FileHistoryStore(home).update(P1, a_manifest(), change)


def country(number: int) -> frozenset[str]:
    return frozenset([cell_name(country=str(number))])


def entries(home: Path) -> int:
    return FileHistoryStore(home).update(P1, a_manifest(), lambda history: (history, len(history.entries)))


def test_of_two_members_who_ask_at_once_for_a_pair_that_tells_of_few_one_is_refused(tmp_path: Path) -> None:
    for number in range(20):
        asked = [country(number), country(number) | {SMALL}]
        found: list[Verdict] = []
        both = threading.Barrier(2)

        def member(region: frozenset[str], found: list[Verdict] = found, both: threading.Barrier = both) -> None:
            both.wait()
            found.extend(ask(tmp_path, region))

        threads = [threading.Thread(target=member, args=(region,)) for region in asked]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(verdict.reason is None for verdict in found) == [False, True]


ASKING = """
import sys
from pathlib import Path
from security_history import ask, country

for number in range(200):
    [verdict] = ask(Path(sys.argv[1]), country(number))
    print(number, flush=True)
"""


@pytest.mark.parametrize("answers", [1, 2, 7, 30])
def test_what_was_answered_before_a_kill_is_in_the_history(tmp_path: Path, answers: int) -> None:
    script = ASKING.replace("security_history", Path(__file__).stem)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parent)])}
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(answers)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.readlines()
    answered = [int(line) for line in told if line.endswith("\n")]
    assert len(answered) >= answers
    assert len(answered) <= entries(tmp_path) <= len(answered) + 1
    for number in answered:
        [verdict] = ask(tmp_path, country(number) | {SMALL})
        assert verdict.reason is not None
    [verdict] = ask(tmp_path, country(199))
    assert verdict.reason is None


def test_a_torn_record_is_as_if_never_asked(tmp_path: Path) -> None:
    ask(tmp_path, country(0))
    path = tmp_path / "p1/ads-000001/history"
    before = path.read_bytes()
    ask(tmp_path, country(1), country(2))
    path.write_bytes(path.read_bytes()[:-1])
    path.with_name("history.end").write_text(str(len(before)))  # which is written before anything is answered
    assert entries(tmp_path) == 1
    refused, given = ask(tmp_path, country(0) | {SMALL}, country(1) | {SMALL})
    assert refused.reason is not None
    assert given.reason is None
    assert path.read_bytes().startswith(before)
    assert entries(tmp_path) == 2


def test_a_long_history_still_finds_the_last_piece(tmp_path: Path) -> None:
    """Two hundred questions: overlapping pairs around a ring that closes at the last, and then gives the few away."""
    size = 199
    ring = [country(n) | country((n + 1) % size) for n in range(size)]
    ring[0] = ring[0] | {SMALL}
    verdicts = [ask(tmp_path, region)[0] for region in ring[1:]]
    assert not any(verdict.reason for verdict in verdicts)
    assert ask(tmp_path, country(0))[0].reason is None
    assert ask(tmp_path, ring[0])[0].reason == "history: span"
    assert ask(tmp_path, ring[5])[0].reason is None
