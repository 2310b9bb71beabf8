"""The threads of a serving process that work in the background."""

import itertools
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from threading import Event, Thread
from traceback import format_tb

from portal.desk.copies import Wanted, build_bases, build_copy, missing_bases, missing_copies
from portal.desk.making import run_next, worker_name
from portal.desk.services import Services
from portal.desk.upkeep import remove_ended
from portal.desk.vetting import expire_applications
from portal.errors import Cancelled, Fault, PortalError
from portal.ids import DatasetName, ProjectId
from portal.policy.model import Access

IDLE = 0.3
"""Seconds between two looks at an empty queue."""
ROUND = 15.0
"""Seconds between two looks at which governed copies are missing."""
ENDINGS_ROUND = 60.0
"""Seconds between two looks at what is over."""
TRY_AGAIN = timedelta(minutes=10)
"""How long a copy that could not be built is left to whoever needs it."""
NICE = 10
"""How far the building of copies steps back behind all else of this machine."""
FAREWELL = 5.0
"""Seconds that a process waits for its workers when it ends."""
_LOG = logging.getLogger(__name__)


@contextmanager
def downloads_made(services: Services, workers: int) -> Iterator[None]:
    """Work off the queue of downloads with so many threads; what is not done at the end is left for another process."""

    def work(stop: Event) -> None:
        owner = worker_name()
        while not stop.is_set():
            if not run_next(services, owner, closing=stop):
                stop.wait(IDLE)

    with _at_work("downloads", work, workers):
        yield


@contextmanager
def workspaces_built(services: Services) -> Iterator[None]:
    """Build in one thread, behind all else, the governed copies and base cells that are asked for and not there.

    Whatever makes a copy missing, a grant, a new release, an embargo that moves on, is seen within seconds, also where
    another process did it. First the copies that there are are read once, and what is damaged is set aside.
    """

    def work(stop: Event) -> None:
        with suppress(OSError):  # a system whose threads have no such number each
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        for project, name in services.workspaces.held():
            if stop.is_set():
                return
            for file in services.workspaces.set_damaged_aside(project, name):
                _LOG.error("A file of the copy of %s for %s was damaged and is set aside: %s", name, project, file)
        failed = dict[tuple[ProjectId, DatasetName], datetime]()
        while not stop.is_set():
            for wanted in itertools.chain(missing_copies(services), missing_bases(services)):
                tried = failed.get((wanted.project, wanted.dataset))
                if (tried is None or services.clock() - tried > TRY_AGAIN) and not _built(services, wanted, stop):
                    failed[wanted.project, wanted.dataset] = services.clock()
            stop.wait(ROUND)

    with _at_work("workspaces", work, workers=1):
        yield


@contextmanager
def ended_removed(services: Services) -> Iterator[None]:
    """End in one thread what is over by its date, and remove what rested on it."""

    def work(stop: Event) -> None:
        while not stop.is_set():
            expire_applications(services)
            remove_ended(services)
            stop.wait(ENDINGS_ROUND)

    with _at_work("endings", work, workers=1):
        yield


def _built(services: Services, wanted: Wanted, stop: Event) -> bool:
    def heed(_share: float = 0.0, _words: str = "") -> None:
        if stop.is_set():
            raise Cancelled(Fault("CANCELLED", "The portal is stopping."))

    try:
        if wanted.obligations.access is Access.ROWS:
            build_copy(services, wanted, heed)
        else:
            build_bases(services, wanted, heed)
    except PortalError as error:
        codes = ", ".join(fault.code for fault in error.faults)
        _LOG.warning("What %s asks of %s could not be built ahead: %s", wanted.project, wanted.dataset, codes)
        return False
    return True


@contextmanager
def _at_work(name: str, work: Callable[[Event], None], workers: int) -> Iterator[None]:
    stop = Event()
    threads = [Thread(target=_steadily, args=(work, stop), name=f"{name} {n}", daemon=True) for n in range(workers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(FAREWELL)


def _steadily(work: Callable[[Event], None], stop: Event) -> None:
    """Begin the work anew whatever ended it, such as records that are away; the log has the error's kind and place."""
    while not stop.is_set():
        try:
            work(stop)
        except Exception as error:  # noqa: BLE001 - a worker outlives any error of its work
            _LOG.error("A worker failed: %s\n%s", type(error).__name__, "".join(format_tb(error.__traceback__)))
            stop.wait(IDLE * 10)
