"""Work that takes a while: runs in a thread of its own, is watched, and can be stopped."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import streamlit as st

from portal.desk.statements import Running
from portal.errors import Cancelled, Fault, PortalError
from portal.web.components.faults import show_faults

PATIENCE = 1.5
"""Seconds to wait before showing progress, so that quick answers come without a flicker."""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work in progress, and the question that it answers."""

    question: Any
    outcome: Future[Any] = field(default_factory=Future)
    stop: Event = field(default_factory=Event)
    steps: deque[tuple[float, str]] = field(default_factory=lambda: deque([(0.0, "Working")], maxlen=1))


def start(slot: str, question: object, work: Callable[[Running], Any], result_rows: int | None = None) -> None:
    """Begin work in a slot of the session; whatever was there is stopped."""
    stop(slot)
    job = Job(question)
    running = Running(result_rows, job.stop, lambda share, words: _take_note(job, share, words))
    st.session_state[_key(slot)] = job
    Thread(target=_work, args=(job, work, running), daemon=True).start()
    wait([job.outcome], PATIENCE)


def stop(slot: str) -> None:
    """Ask the work in a slot to end."""
    if job := _job(slot):
        job.stop.set()


def question(slot: str) -> Any:  # noqa: ANN401 - whatever was asked
    """Return what the slot's work answers, or None where there is none."""
    job = _job(slot)
    return job.question if job else None


def is_running(slot: str) -> bool:
    """Whether the slot's work goes on."""
    job = _job(slot)
    return job is not None and not job.outcome.done()


def outcome(slot: str) -> Any:  # noqa: ANN401 - whatever the work yields
    """Return what the slot's work yielded; None while it runs, where there is none, and where a refusal was shown."""
    job = _job(slot)
    if job is None:
        return None
    if is_running(slot):
        _watch(slot)
        return None
    try:
        return job.outcome.result()
    except PortalError as error:
        show_faults(error)
        return None


def refusal(slot: str) -> PortalError | None:
    """Return why the slot's work was refused or failed, where it was."""
    job = _job(slot)
    error = job.outcome.exception() if job and job.outcome.done() else None
    return error if isinstance(error, PortalError) else None


@st.fragment(run_every=0.5)
def _watch(slot: str) -> None:
    job = _job(slot)
    if job is None or job.outcome.done():
        st.rerun()
    share, words = job.steps[-1]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(max(share, 0.0), 1.0), text=words, width="stretch")
        st.button("Cancel", key=f"{slot}.cancel", on_click=stop, args=(slot,), icon=":material/stop_circle:")


def _take_note(job: Job, share: float, words: str) -> None:
    """Note how far the work is; what is wanted no longer ends here."""
    if job.stop.is_set():
        raise Cancelled(Fault("CANCELLED", "The statement was stopped, as was asked."))
    job.steps.append((share, words))


def _work(job: Job, work: Callable[[Running], Any], running: Running) -> None:
    try:
        job.outcome.set_result(work(running))
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised again where the page asks
        job.outcome.set_exception(error)


def _job(slot: str) -> Job | None:
    return st.session_state.get(_key(slot))


def _key(slot: str) -> str:
    return f"{slot}.job"
