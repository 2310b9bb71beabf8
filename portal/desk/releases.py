"""What is published of a dataset, as far as anyone may know who may know of the dataset."""

from collections.abc import Mapping
from typing import Any

from portal.desk.access import catalogue_entry
from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.ids import DatasetName


def public_releases(services: Services, asker: Asker, name: DatasetName) -> tuple[Mapping[str, Any], ...]:
    """Return the public facts of each release, oldest first. Raises `NotFoundError` where the dataset is closed."""
    catalogue_entry(services, asker, name)
    return tuple(services.releases.get(name, number).public_facts() for number in services.releases.numbers(name))
