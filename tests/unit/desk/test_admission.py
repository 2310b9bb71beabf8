import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.desk.admission import Admission, Room, Ticket, order, turn
from portal.errors import Cancelled, LimitReached
from portal.ids import PersonId

ADA, BOB, EVE = PersonId("ada"), PersonId("bob"), PersonId("eve")
ROOM = Room(statements=3, per_person=2, waiting_per_person=4, memory_bytes=100, patience=5)


def tickets(*people: PersonId, memory_bytes: int = 10) -> list[Ticket]:
    return [Ticket(person, memory_bytes) for person in people]


def people(waiting: Sequence[Ticket]) -> list[PersonId]:
    return [ticket.person for ticket in waiting]


def test_turns_go_round_by_person_and_among_equals_by_arrival() -> None:
    waiting = tickets(ADA, ADA, ADA, BOB, EVE, BOB)
    assert people(order(waiting, [])) == [ADA, BOB, EVE, ADA, BOB, ADA]
    assert people(order(waiting, tickets(ADA, ADA))) == [BOB, EVE, BOB, ADA, ADA, ADA]


def test_nobody_has_more_places_than_one_person_may_have() -> None:
    assert turn(tickets(ADA), tickets(ADA, ADA), ROOM) is None
    [ticket] = tickets(BOB)
    assert turn([*tickets(ADA), ticket], tickets(ADA, ADA), ROOM) is ticket
    assert turn([ticket], tickets(ADA, ADA, EVE), ROOM) is None


def test_nobody_overtakes_one_who_waits_for_memory_and_one_too_large_runs_alone() -> None:
    large, small = Ticket(ADA, 95), Ticket(BOB, 1)
    assert turn([large, small], tickets(EVE), ROOM) is None
    assert turn([Ticket(ADA, 1_000)], [], ROOM) is not None


@given(
    st.lists(st.tuples(st.sampled_from([ADA, BOB, EVE]), st.integers(1, 150)), max_size=30),
    st.lists(st.booleans(), max_size=200),
)
def test_every_turn_comes_and_no_bound_is_passed(asked: list[tuple[PersonId, int]], ends: list[bool]) -> None:
    waiting, running, done = [Ticket(*ask) for ask in asked], list[Ticket](), 0
    for end in [*ends, *[True] * (2 * len(asked) + 2)]:
        if end and running:
            running.pop(0)
            done += 1
        while (ticket := turn(waiting, running, ROOM)) is not None:
            waiting.remove(ticket)
            running.append(ticket)
        assert len(running) <= ROOM.statements
        assert all(people(running).count(person) <= ROOM.per_person for person in people(running))
        assert sum(ticket.memory_bytes for ticket in running) <= ROOM.memory_bytes or len(running) == 1
    assert done == len(asked)


def test_who_waits_is_told_how_many_are_before_and_can_stop() -> None:
    door, told, stop = Admission(Room(1, 1, 4, 100, 5)), list[str](), threading.Event()

    def progress(_: float, words: str) -> None:
        told.append(words)
        stop.set()

    with door.admitted(ADA, 1), pytest.raises(Cancelled), door.admitted(BOB, 1, stop, progress):
        pass
    assert told[0] == "Waiting for a turn: 0 before you"
    with door.admitted(BOB, 1):
        pass


def test_who_waits_too_long_or_for_too_much_is_told_so() -> None:
    door = Admission(Room(1, 1, 1, 100, 0.2))
    with door.admitted(ADA, 1):
        with pytest.raises(LimitReached) as busy, door.admitted(BOB, 1):
            pass
        assert busy.value.faults[0].code == "PORTAL_BUSY"
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(_enter, door, BOB)
            time.sleep(0.05)
            with pytest.raises(LimitReached) as full, door.admitted(BOB, 1):
                pass
            assert full.value.faults[0].code == "TOO_MANY_WAITING"
            assert isinstance(waiting.exception(), LimitReached)


def test_a_place_comes_free_whatever_happens_inside() -> None:
    door = Admission(Room(1, 1, 1, 100, 1))
    with pytest.raises(ZeroDivisionError), door.admitted(ADA, 1):
        raise ZeroDivisionError
    _enter(door, BOB)


def test_many_at_once_never_pass_the_bounds() -> None:
    room = Room(3, 2, 50, 100, 20)
    door, inside, most = Admission(room), list[PersonId](), list[int]()

    def work(number: int) -> None:
        person = (ADA, BOB, EVE)[number % 3]
        with door.admitted(person, 10):
            inside.append(person)
            most.append(len(inside))
            assert inside.count(person) <= room.per_person
            time.sleep(0.002)
            inside.remove(person)

    with ThreadPoolExecutor(20) as threads:
        list(threads.map(work, range(100)))
    assert max(most) <= room.statements


def _enter(door: Admission, person: PersonId) -> None:
    with door.admitted(person, 1):
        pass
