"""A steward publishes: the one way to a new release, and the ledger knows."""

from collections.abc import Sequence
from contextlib import suppress

from portal.catalogue.release import Manifest
from portal.desk.services import Services
from portal.engines.port import Progress
from portal.errors import ContentError, Fault, NotFoundError
from portal.ids import DatasetName
from portal.ledger import Action
from portal.publishing.publish import publish
from portal.publishing.sources import Source

_ALL = 1_000_000


def publish_release(
    services: Services,
    name: DatasetName,
    sources: Sequence[Source],
    *,
    synthetic: bool,
    progress: Progress | None = None,
) -> Manifest:
    """Publish the sources as the dataset's next release. Raises whatever publishing does, and `NotFoundError`."""
    dataset = services.site.datasets.get(name)
    if dataset is None:
        raise NotFoundError(
            Fault("NO_SUCH_DATASET", f"There is no dataset {name!r}.", fix=f"Write datasets/{name}/dataset.yaml.")
        )
    key, root = services.keys.platform, services.releases.root
    manifest = publish(dataset, sources, root, key, services.clock, synthetic, progress)
    _record(services, manifest)
    return manifest


def record_releases(services: Services) -> None:
    """Tell the ledger of releases whose publication died before it could, as far as they can be read."""
    for name in services.releases.datasets():
        entries = services.ledger.search(action=Action.RELEASE_PUBLISHED, subject=name, limit=_ALL)
        told = {entry.details["release"] for entry in entries}
        for number in services.releases.served(name):
            if number not in told:
                with suppress(ContentError):
                    _record(services, services.releases.get(name, number))


def _record(services: Services, manifest: Manifest) -> None:
    services.ledger.record(
        Action.RELEASE_PUBLISHED,
        actor=None,
        subject=manifest.dataset,
        details={
            "release": manifest.number,
            "fingerprint": manifest.fingerprint,
            "synthetic": manifest.synthetic,
        },
    )
