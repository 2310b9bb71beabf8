"""The repository's own datasets, published for a test and read as one tier would see them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from support.factories import a_grant, a_person, a_project, a_request
from support.publishing import KEY, now

from portal.catalogue.dataset import Dataset
from portal.ids import DatasetName
from portal.policy.decide import decide
from portal.policy.decision import Permit
from portal.policy.masks import mask_column, quote
from portal.policy.model import Obligation, Policy, Tier
from portal.publishing.publish import publish
from portal.publishing.releases import ReleaseStore
from portal.site import Site, read_site
from portal.site.queries import SavedQuery

REPOSITORY = Path(__file__).parents[2]
REAL = REPOSITORY.parent / "shared" / "realdata"
REAL_SOURCES: Mapping[str, Sequence[str]] = {
    "ad_targeting": ["ads_meta/meta_ad_targeting_2024-12-18.parquet"],
    "moderation_statements": ["dsa_tdb_sor_samples/sor_full_sample_12rows.csv"],
    "recommender_source_code": [
        "recommender_twitter/heavy_ranker_weights_2023-04-05.csv",
        "recommender_twitter/twitter_the_algorithm_feature_switch_params.csv",
        "recommender_twitter/x_algorithm_home_mixer_params_2026-08-12.csv",
    ],
}


def permitted(site: Site, name: DatasetName, tier: Tier, *, granted: bool, undertakings: Collection[str]) -> Permit:
    """Return what a policy of the repository permits a person of the tier, whose project gave these undertakings."""
    decision = decide(
        a_request(
            person=a_person(tier),
            project=a_project(undertakings=frozenset(undertakings)),
            grant=a_grant(dataset=name) if granted else None,
            dataset=site.datasets[name],
            policy=site.policies[name],
        )
    )
    assert isinstance(decision, Permit)
    return decision


def the_site() -> Site:
    return read_site(REPOSITORY).site


def published_files(dataset: Dataset, sources: Sequence[Path], root: Path, *, synthetic: bool) -> list[str]:
    manifest = publish(dataset, sources, root, KEY, now, synthetic=synthetic)
    assert manifest.rejected_rows == 0
    return [str(path) for path in ReleaseStore(root).paths(manifest)]


@contextmanager
def as_seen_by(tier: Tier, site: Site, files: Mapping[str, list[str]]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection with one view a dataset, its columns as the first rule for the tier makes them."""
    with duckdb.connect() as connection:
        for name, paths in files.items():
            columns = _masked(tier, site.datasets[DatasetName(name)], site.policies[DatasetName(name)])
            connection.execute(f"CREATE VIEW {name} AS SELECT {columns} FROM read_parquet({paths})")
        yield connection


def _masked(tier: Tier, dataset: Dataset, policy: Policy) -> str:
    rule = next(rule for rule in policy.rules if rule.audience.tier is tier)
    show = Obligation(show=True)
    return ", ".join(
        f"{mask_column(name, column.type, rule.columns.get(name, show), KEY).sql} AS {quote(name)}"
        for name, column in dataset.columns.items()
    )


def answer(connection: duckdb.DuckDBPyConnection, query: SavedQuery, **changes: object) -> list[dict[str, Any]]:
    """Run a saved query with its defaults, or what is given, and return its rows by column."""
    values = {
        name: date.fromisoformat(str(parameter.default)) if parameter.type == "date" else parameter.default
        for name, parameter in query.front.parameters.items()
    }
    result = connection.execute(query.sql, values | changes)
    names = [str(column[0]) for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
