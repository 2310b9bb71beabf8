"""Who may begin now: so many statements in all and for one person, so much memory; the others wait their turn.

Turns go round by person: who has the fewest statements running or waiting before this one comes first, and among
equals who came first. So nobody who asks much keeps out somebody who asks little, and everybody's turn comes.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from portal.engines.port import CancelSignal, Progress
from portal.errors import Cancelled, Fault, LimitReached
from portal.ids import PersonId

LOOK_UP_EVERY = 0.1
"""Seconds between two looks at the cancel signal."""


@dataclass(frozen=True, slots=True)
class Room:
    """How many statements may run, in all and for one person, and wait, for one person; the memory of all that run,
    in bytes; and the seconds that anyone waits.
    """  # noqa: D205 - one sentence

    statements: int
    per_person: int
    waiting_per_person: int
    memory_bytes: int
    patience: float


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """One statement that runs or waits."""

    person: PersonId
    memory_bytes: int


class Asked(Protocol):
    """Something that one person asked for."""

    @property
    def person(self) -> PersonId:
        """Who asked."""
        ...


T = TypeVar("T", bound=Asked)


def order(waiting: Sequence[T], running: Sequence[Asked]) -> list[T]:
    """Return the tickets that wait, given as they came, in the order in which their turns come."""
    before = Counter(ticket.person for ticket in running)
    ranks = []
    for ticket in waiting:
        ranks.append(before[ticket.person])
        before[ticket.person] += 1
    return [waiting[place] for place in sorted(range(len(waiting)), key=lambda place: (ranks[place], place))]


def turn(waiting: Sequence[Ticket], running: Sequence[Ticket], room: Room) -> Ticket | None:
    """Return whose turn it is, None where all must wait.

    Nobody overtakes one whose turn has come and who waits for memory; one who needs more than there is runs alone.
    """
    of_person = Counter(ticket.person for ticket in running)
    able = [ticket for ticket in order(waiting, running) if of_person[ticket.person] < room.per_person]
    if not able or len(running) >= room.statements:
        return None
    memory = sum(ticket.memory_bytes for ticket in running) + able[0].memory_bytes
    return able[0] if memory <= room.memory_bytes or not running else None


class Admission:
    """The one door to the engines of this process. For many threads."""

    def __init__(self, room: Room) -> None:
        """Open the door to so many."""
        self._room = room
        self._changed = threading.Condition()
        self._waiting: list[Ticket] = []
        self._running: list[Ticket] = []

    @contextmanager
    def admitted(
        self, person: PersonId, memory_bytes: int, cancel: CancelSignal | None = None, progress: Progress | None = None
    ) -> Iterator[None]:
        """Wait for a turn, telling `progress` how many are before, and hold it.

        Raises `LimitReached` where the person has too much waiting, or the turn does not come in time; `Cancelled`.
        """
        ticket = Ticket(person, memory_bytes)
        self._queue(ticket)
        try:
            self._await(ticket, cancel, progress)
            yield
        finally:
            with self._changed:
                (self._waiting if ticket in self._waiting else self._running).remove(ticket)
                self._changed.notify_all()

    def counts(self) -> tuple[int, int]:
        """Return how many statements run and how many wait."""
        with self._changed:
            return len(self._running), len(self._waiting)

    def _queue(self, ticket: Ticket) -> None:
        with self._changed:
            mine = sum(1 for other in self._waiting if other.person == ticket.person)
            if mine >= self._room.waiting_per_person:
                message = f"{mine} of your statements wait already."
                raise LimitReached(
                    Fault("TOO_MANY_WAITING", message, rule="waiting_per_person", fix="Wait for one of them to end.")
                )
            self._waiting.append(ticket)

    def _await(self, ticket: Ticket, cancel: CancelSignal | None, progress: Progress | None) -> None:
        ends = time.monotonic() + self._room.patience
        with self._changed:
            while turn(self._waiting, self._running, self._room) is not ticket:
                self._check(ticket, ends, cancel, progress)
                self._changed.wait(LOOK_UP_EVERY)
            self._waiting.remove(ticket)
            self._running.append(ticket)
            if progress:
                progress(0.0, "Running")
            self._changed.notify_all()

    def _check(self, ticket: Ticket, ends: float, cancel: CancelSignal | None, progress: Progress | None) -> None:
        if cancel and cancel.is_set():
            raise Cancelled(Fault("CANCELLED", "The statement was stopped before its turn came, as was asked."))
        if time.monotonic() >= ends:
            message = f"No turn came in {self._room.patience:g} seconds: many statements are running."
            raise LimitReached(Fault("PORTAL_BUSY", message, rule="sandboxes", fix="Try again in a few minutes."))
        if progress:
            before = order(self._waiting, self._running).index(ticket)
            progress(0.0, f"Waiting for a turn: {before} before you")
