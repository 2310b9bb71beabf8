"""The threads of a serving process that work in the background."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from traceback import format_tb

from portal.desk.making import run_next, worker_name
from portal.desk.services import Services

IDLE = 0.3
"""Seconds between two looks at an empty queue."""
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
