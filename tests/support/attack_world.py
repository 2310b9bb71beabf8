"""The world of the attack samples: one dataset row by row, one public, two for statistics only, one not granted."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
from support.factories import NOW
from support.sites import write_site

from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.ids import DatasetName, PersonId, ProjectId
from portal.policy.model import Tier
from portal.policy.people import Grant, Person, Project
from portal.publishing.publish import publish
from portal.registry import Audit
from portal.settings import Settings
from portal.wiring import build_services

ASKER = Asker(PersonId("mallory"), ProjectId("attack"))

_TYPES = {"BOOLEAN": "BOOLEAN", "DATE": "DATE", "INTEGER": "INTEGER", "BIGINT": "BIGINT", "VARCHAR": "VARCHAR"}
_BECAUSE = "because: A reason that is long enough to be read."
_LIMITS = "limits: {seconds: 2, memory: 500MB}"
_RULES = {
    "recsys": f"""\
  - for: {{tier: vetted, grant: required}}
    access: rows
    rows: region <> 'LU'
    columns: {{model_hash: hide}}
    {_LIMITS}
    {_BECAUSE}
""",
    "dim_country": f"""\
  - for: {{tier: vetted}}
    access: rows
    {_LIMITS}
    {_BECAUSE}
""",
    "ads": f"""\
  - for: {{tier: vetted, grant: required}}
    access: aggregates
    disclosure:
      entities: {{advertiser_id: 10}}
      dimensions: {{country: equal, placement: equal, campaign_date: {{range: month}}}}
      measures: {{spend_eur: {{round: 100}}, impressions: {{round: 1000}}}}
      public_joins: {{country: dim_country.code}}
    {_BECAUSE}
""",
    "moderation": f"""\
  - for: {{tier: vetted, grant: required}}
    access: aggregates
    disclosure:
      entities: {{user_id: 20}}
      dimensions: {{category: equal, automated: equal, decision_date: {{range: month}}}}
      measures: {{delay_hours: {{round: 1}}}}
    {_BECAUSE}
""",
    "secret_ds": f"""\
  - for: {{tier: vetted, grant: required}}
    access: rows
    {_BECAUSE}
""",
}
_POLICY = "dataset: {name}\nlegal_basis: DSA Art. 40(4)\nrules:\n{rules}"
_DATASET = """\
dataset: {name}
title: {name}
topic: traders
description: Made up.
grain: One row.
legal_basis: [DSA Art. 40(4)]
provenance: {{publisher: Nobody, licence: CC0-1.0}}
citation: Nobody (2026). {name}.
columns:
{columns}
"""


@contextmanager
def an_attack_world(folder: Path, script: str, rules: Mapping[str, str] = _RULES) -> Iterator[Services]:
    """Build site, home and releases from the world's SQL script; `mallory` holds all grants but the secret one's.

    `rules` are those of the policies, by dataset, for another world than that of the samples.
    """
    with duckdb.connect() as world:
        world.execute(script)
        sources = {name: folder / f"{name}.parquet" for name in rules}
        for name, source in sources.items():
            world.execute(f"COPY {name} TO '{source}' (FORMAT parquet)")
        site = write_site(folder / "site", **_site(world, rules))
    services = build_services(Settings(site=site, home=folder / "home", warm_sandboxes=2, threads=1), lambda: NOW)
    try:
        _admit(services, rules)
        for name, source in sources.items():
            dataset = services.site.datasets[DatasetName(name)]
            publish(dataset, [source], services.releases.root, services.keys.platform, services.clock, synthetic=True)
        yield services
    finally:
        services.sandbox.close()


def _site(world: duckdb.DuckDBPyConnection, rules: Mapping[str, str]) -> dict[str, str]:
    files = {}
    for name, text in rules.items():
        described = world.execute(f"DESCRIBE {name}").fetchall()
        columns = "\n".join(
            f"  {column}: {{type: {_TYPES.get(kind, 'DOUBLE')}, meaning: Made up.}}" for column, kind, *_ in described
        )
        files[f"datasets/{name}/dataset.yaml"] = _DATASET.format(name=name, columns=columns)
        files[f"access_policies/{name}.yaml"] = _POLICY.format(name=name, rules=text)
    return files


def _admit(services: Services, rules: Mapping[str, str]) -> None:
    audit, first, last = Audit(None, NOW), date(2026, 1, 1), date(2026, 12, 31)
    services.registry.add_person(Person(ASKER.person, "Mallory", Tier.VETTED), audit=audit)
    project = Project(ProjectId("attack"), "Attack", "To try.", first, last, frozenset({ASKER.person}))
    services.registry.add_project(project, audit=audit)
    for name in rules.keys() - {"dim_country", "secret_ds"}:
        services.registry.give_grant(Grant(DatasetName(name), project.id, first, last), audit=audit)
