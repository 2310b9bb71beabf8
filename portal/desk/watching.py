"""How busy a portal is, for who keeps it running: numbers only, of nobody by name."""

from collections import Counter
from collections.abc import Mapping

from portal.desk.services import Services
from portal.registry import JobState


def how_busy(services: Services) -> Mapping[str, int]:
    """Return how many statements and downloads run and wait."""
    running, waiting = services.admission.counts()
    downloads = Counter(job.state for job in services.queue.live())
    return {
        "statements running": running,
        "statements waiting": waiting,
        "downloads running": downloads[JobState.RUNNING],
        "downloads waiting": downloads[JobState.QUEUED],
    }
