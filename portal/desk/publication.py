"""A steward publishes: the one way to a new release, and the ledger knows."""

from collections.abc import Sequence
from pathlib import Path

from portal.catalogue.release import Manifest
from portal.desk.services import Services
from portal.engines.port import Progress
from portal.errors import Fault, NotFoundError
from portal.ids import DatasetName
from portal.ledger import Action
from portal.publishing.publish import publish


def publish_release(
    services: Services,
    name: DatasetName,
    sources: Sequence[Path],
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
    services.ledger.record(
        Action.RELEASE_PUBLISHED,
        actor=None,
        subject=name,
        details={"release": manifest.number, "fingerprint": manifest.fingerprint, "synthetic": synthetic},
    )
    return manifest
