"""The registry: people, projects, grants, tokens and downloads; no change without an entry in the ledger."""

from portal.registry.database import open_database
from portal.registry.demo import seed_demo
from portal.registry.records import Audit, DownloadRecord, TokenInfo
from portal.registry.registry import Registry

__all__ = ["Audit", "DownloadRecord", "Registry", "TokenInfo", "open_database", "seed_demo"]
