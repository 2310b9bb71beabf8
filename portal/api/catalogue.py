"""What there is: datasets, their codebooks and releases, and what is open to who asks."""

from typing import Any

from fastapi import APIRouter

from portal.api.asking import TheAsker, TheServices
from portal.catalogue.metadata import data_package
from portal.desk.access import catalogue, catalogue_entry
from portal.desk.answers import CatalogueEntry
from portal.desk.releases import public_releases
from portal.ids import DatasetName
from portal.policy.decision import Permit
from portal.policy.explain import explain

ROUTER = APIRouter(prefix="/datasets", tags=["datasets"])
INSIDE = {"recipe", "layout"}
"""What of a dataset is the platform's own business."""


@ROUTER.get("")
def datasets(services: TheServices, asker: TheAsker) -> list[dict[str, Any]]:
    """List the datasets of which the codebook, at least, is open to you."""
    return [_in_brief(entry) for entry in catalogue(services, asker)]


@ROUTER.get("/{name}")
def dataset(services: TheServices, asker: TheAsker, name: str) -> dict[str, Any]:
    """Give a dataset's codebook, its releases, and your own access in words."""
    entry = catalogue_entry(services, asker, DatasetName(name))
    return {
        **_in_brief(entry),
        "until": entry.decision.until if isinstance(entry.decision, Permit) else None,
        "access_in_words": explain(entry.decision),
        "releases": public_releases(services, asker, entry.dataset.name),
        "codebook": entry.dataset.model_dump(mode="json", exclude=INSIDE),
    }


@ROUTER.get("/{name}/metadata.datapackage.json")
def package(services: TheServices, asker: TheAsker, name: str) -> dict[str, Any]:
    """Give a dataset's description as a Data Package (version 2)."""
    entry = catalogue_entry(services, asker, DatasetName(name))
    return data_package(entry.dataset, entry.release, synthetic=entry.synthetic)


def _in_brief(entry: CatalogueEntry) -> dict[str, Any]:
    return {
        "name": entry.dataset.name,
        "title": entry.dataset.title,
        "topic": entry.dataset.topic,
        "access": entry.decision.access.word,
        "release": entry.release,
        "released_at": entry.released_at,
        "rows": entry.rows,
        "synthetic": entry.synthetic,
    }
