"""A dataset's description for other catalogues and tools; for an asker as far as they may know of the dataset."""

from portal.catalogue.metadata import Described
from portal.desk.access import catalogue_entry
from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.errors import Fault, NotFoundError
from portal.ids import DatasetName


def describe_for(services: Services, asker: Asker, name: DatasetName, address: str) -> Described:
    """Return what is described to this asker. Raises `NotFoundError` where the dataset is closed to them."""
    catalogue_entry(services, asker, name)
    return describe(services, name, address)


def describe(services: Services, name: DatasetName, address: str) -> Described:
    """Return what is described, for the operator, who hands it to other catalogues. Raises `NotFoundError`."""
    if name not in services.site.datasets:
        raise NotFoundError(Fault("NO_SUCH_DATASET", f"There is no dataset {name!r}.", fix="See `portal check`."))
    manifest = services.releases.latest(name)
    return Described(
        dataset=services.site.datasets[name],
        release=manifest.number if manifest else None,
        released_at=manifest.created_at if manifest else None,
        synthetic=bool(manifest and manifest.synthetic),
        address=address.rstrip("/"),
    )
