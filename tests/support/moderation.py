"""Simulated statements, notices and complaints of one seed, and the committed figures of reports and the database."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
from support.content import REAL, REPOSITORY, as_seen_by, published_files, the_site

from portal.ids import DatasetName
from portal.policy.model import Tier
from portal.simulation import simulate

SIMULATED = ("moderation_statements", "notices", "complaints")
COMMITTED = {"dsa_transparency_daily": "source.parquet", "moderation_capacity": "source.csv"}
REPORTS = REAL / "dsa_transparency_reports_h2_2025"
SCALE, SEED = 0.3, 11


@dataclass(frozen=True, slots=True)
class Moderation:
    """The raw sources of the simulated datasets, and the releases of all."""

    sources: Mapping[str, Sequence[Path]]
    releases: Mapping[str, list[str]]

    @contextmanager
    def raw(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give the simulated sources as tables of their datasets' names."""
        with duckdb.connect() as connection:
            for name, paths in self.sources.items():
                connection.execute(f"CREATE VIEW {name} AS FROM read_parquet({[str(path) for path in paths]})")
            yield connection

    @contextmanager
    def seen(self, tier: Tier) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give the releases as a tier sees them."""
        with as_seen_by(tier, the_site(), self.releases) as connection:
            yield connection


def publish_moderation(folder: Path) -> Moderation:
    """Simulate and publish everything about moderation, at a size for tests."""
    sources: dict[str, Sequence[Path]] = {name: simulate(name, folder / name, SCALE, SEED) for name in SIMULATED}
    committed = {name: [REPOSITORY / "datasets" / name / file] for name, file in COMMITTED.items()}
    site = the_site()
    releases = {
        name: published_files(site.datasets[DatasetName(name)], paths, folder / "releases", synthetic=name in SIMULATED)
        for name, paths in (sources | committed).items()
    }
    return Moderation(sources, releases)
