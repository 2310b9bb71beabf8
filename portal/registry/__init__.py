"""The registry: people, projects, grants, tokens and downloads; no change without an entry in the ledger."""

from portal.registry.database import open_database
from portal.registry.demo import seed_demo
from portal.registry.queue import DownloadQueue
from portal.registry.records import Audit, DownloadJob, DownloadRecord, JobState, OwnQuery, SeenBy, TokenInfo
from portal.registry.registry import Registry

__all__ = [
    "Audit",
    "DownloadJob",
    "DownloadQueue",
    "DownloadRecord",
    "JobState",
    "OwnQuery",
    "Registry",
    "SeenBy",
    "TokenInfo",
    "open_database",
    "seed_demo",
]
