"""What is published of a dataset: for anyone who may know of it, and for the steward who keeps it."""

import itertools
from collections.abc import Mapping
from typing import Any

from portal.catalogue.changes import codebook_changes
from portal.catalogue.release import Rejections
from portal.desk.access import catalogue_entry
from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.ids import DatasetName
from portal.publishing.differences import ReleaseDifference, compare_releases
from portal.publishing.rejections import REJECTIONS, read_rejections
from portal.publishing.releases import release_folder


def public_releases(services: Services, asker: Asker, name: DatasetName) -> tuple[Mapping[str, Any], ...]:
    """Return the public facts of each release, oldest first. Raises `NotFoundError` where the dataset is closed.

    Of one that has ended: that it has, when and why. Of each other: how its codebook differs from that of the one
    before.
    """
    catalogue_entry(services, asker, name)
    changes = _codebook_changes(services, name)
    return tuple(
        _tombstone(services, name, number)
        or {**services.releases.get(name, number).public_facts(), "codebook_changes": changes.get(number, ())}
        for number in services.releases.numbers(name)
    )


def kept_releases(services: Services, name: DatasetName) -> tuple[Mapping[str, Any], ...]:
    """Return what a steward wants to know of each release, oldest first."""
    return tuple(_kept(services, name, number) for number in services.releases.numbers(name))


def difference_between(services: Services, name: DatasetName, before: int, after: int) -> ReleaseDifference:
    """Compare two releases that are served. Raises `NotFoundError`, or `ContentError` where one is damaged."""
    store = services.releases
    return compare_releases(store, store.get(name, before), store.get(name, after))


def rejected_rows(services: Services, name: DatasetName, number: int | None) -> Rejections:
    """Return the rows that a release does not hold; without a number, those that stopped the last attempt."""
    if number is not None:
        services.releases.record(name, number)
    root = services.releases.root
    folder = root / name if number is None else release_folder(root, name, number)
    return read_rejections(folder / REJECTIONS, name)


def _codebook_changes(services: Services, name: DatasetName) -> Mapping[int, tuple[str, ...]]:
    store = services.releases
    kept = [(number, store.codebook(store.get(name, number))) for number in store.served(name)]
    return {
        number: codebook_changes(before, after)
        for (_, before), (number, after) in itertools.pairwise(kept)
        if before is not None and after is not None
    }


def _tombstone(services: Services, name: DatasetName, number: int) -> Mapping[str, Any] | None:
    ending = services.releases.ending(name, number)
    return {"dataset": name, "number": number, **ending.model_dump(mode="json")} if ending else None


def _kept(services: Services, name: DatasetName, number: int) -> Mapping[str, Any]:
    manifest, ending = services.releases.record(name, number), services.releases.ending(name, number)
    served = "latest" if (number,) == services.releases.served(name)[-1:] else "kept"
    return {
        "dataset": name,
        "release": number,
        "state": ending.kind if ending else served,
        "published": manifest.created_at.isoformat(timespec="seconds"),
        "rows": manifest.rows,
        "rejected": manifest.rejected_rows,
        "key": manifest.pseudonym_key,
        "because": ending.because if ending else None,
    }
