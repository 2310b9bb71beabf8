"""Holds the codebooks against what is published: a column that a release lacks would fail every statement."""

from collections.abc import Iterator, Mapping

from portal.catalogue.release import Manifest
from portal.ids import DatasetName
from portal.site.reading import Reading
from portal.site.yaml_files import SiteFault


def check_releases(reading: Reading, latest: Mapping[DatasetName, Manifest]) -> Iterator[SiteFault]:
    """Yield a fault for each column of a codebook that its dataset's latest release has not, or has otherwise."""
    for name, manifest in latest.items():
        for column, described in reading.site.datasets[name].columns.items():
            published = manifest.columns.get(column)
            if published != described.type:
                has = f"has it as {published}" if published else "does not have it"
                message = f"columns.{column}: release {manifest.number} {has}; publish the dataset anew"
                yield reading.datasets[name].fault(message, ("columns", column))
