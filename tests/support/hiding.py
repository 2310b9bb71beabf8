"""A portal over data whose every hidden value, column and row carries a mark that must be found nowhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
from support.factories import NOW, a_grant
from support.sites import write_site

from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.ids import DatasetName, PersonId, ProjectId
from portal.policy.model import Tier
from portal.policy.people import Person, Project
from portal.publishing.publish import publish
from portal.registry import Audit
from portal.settings import Settings
from portal.wiring import build_services

ADA, EVE = PersonId("ada"), PersonId("eve")
PROJECT, OTHERS = ProjectId("p1"), ProjectId("p2")
ASKER = Asker(ADA, PROJECT)
SALES, VAULT = DatasetName("sales"), DatasetName("vault")

MARK = "Zq7"
"""In every text that the policy hides."""
HIDDEN_PRICE = 918273.645
"""A number that stands only in hidden rows."""

SITE = {
    "datasets/sales/dataset.yaml": """\
dataset: sales
title: Sales
topic: moderation
description: Made up.
grain: One sale.
date_column: day
legal_basis: [DSA Art. 40(4)]
provenance: {publisher: Nobody, licence: CC0-1.0}
citation: Nobody (2026). Sales.
columns:
  id: {type: VARCHAR, meaning: Identifier.}
  trader: {type: VARCHAR, meaning: Trader.}
  country: {type: VARCHAR, meaning: Member State.}
  price: {type: DOUBLE, meaning: Price.}
  note: {type: VARCHAR, meaning: Note.}
  day: {type: DATE, meaning: Day.}
""",
    "access_policies/sales.yaml": """\
dataset: sales
legal_basis: DSA Art. 40(4)
rules:
  - for: {tier: vetted, grant: required}
    access: rows
    rows: country IN project.member_states
    columns: {id: pseudonym, trader: pseudonym, note: hide}
    embargo: {column: day, days: 14}
    download: {formats: [parquet, csv, arrow], max_rows: 100000, review: none}
    because: A reason that is long enough to be read.
""",
    "datasets/vault/dataset.yaml": """\
dataset: vault
title: Vault
topic: traders
description: Made up.
grain: One secret.
legal_basis: [DSA Art. 30]
provenance: {publisher: Nobody, licence: CC0-1.0}
citation: Nobody (2026). Vault.
columns:
  secret: {type: VARCHAR, meaning: A secret.}
""",
    "access_policies/vault.yaml": """\
dataset: vault
legal_basis: DSA Art. 30
rules:
  - for: {tier: steward}
    access: codebook
    because: Nobody is given this dataset; the steward knows of it.
""",
    "queries/moderation/sales_by_country.sql": """\
/*---
title: Sales by country
question: How many sales are there in each country?
why: To know.
reading: Each row is a country.
datasets: [sales]
tiers: [vetted]
---*/
SELECT country, count(*) AS sales, max(price) AS highest
FROM sales
GROUP BY country
ORDER BY country
""",
}


def _raw(folder: Path) -> tuple[Path, Path]:
    """Write the raw files. Visible: rows of DE and FR before June, their country, price and day."""
    sales, vault = folder / "sales.parquet", folder / "vault.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"""
            COPY (
              SELECT '{MARK}id' || i AS id, '{MARK}tr' || i % 40 AS trader,
                     CASE WHEN i % 5 = 0 THEN '{MARK}LU' WHEN i % 2 = 0 THEN 'DE' ELSE 'FR' END AS country,
                     CASE WHEN i % 5 = 0 OR i >= 900 THEN {HIDDEN_PRICE} ELSE i END AS price,
                     '{MARK}note' || i AS note,
                     CASE WHEN i >= 900 THEN DATE '2026-06-10' ELSE DATE '2026-04-01' + (i % 50)::INT END AS day
              FROM range(1000) t(i)
            ) TO '{sales}' (FORMAT parquet)""")
        connection.execute(
            f"COPY (SELECT '{MARK}vault' || i AS secret FROM range(9) t(i)) TO '{vault}' (FORMAT parquet)"
        )
    return sales, vault


@contextmanager
def a_portal_that_hides(folder: Path) -> Iterator[Services]:
    """Build site, home, people and releases; ada may query sales in project p1, eve is of another project."""
    site = write_site(folder / "site", **SITE)
    services = build_services(Settings(site=site, home=folder / "home", warm_sandboxes=1, threads=1), lambda: NOW)
    try:
        _fill(services, folder)
        yield services
    finally:
        services.sandbox.close()


def _fill(services: Services, folder: Path) -> None:
    audit = Audit(None, NOW)
    for person in (Person(ADA, "Ada", Tier.VETTED), Person(EVE, "Eve", Tier.VETTED)):
        services.registry.add_person(person, audit=audit)
    for project, member, states in ((PROJECT, ADA, ("DE", "FR")), (OTHERS, EVE, ("PL",))):
        services.registry.add_project(
            Project(project, "Title", "Purpose", date(2026, 1, 1), date(2026, 12, 31), frozenset({member}), states),
            audit=audit,
        )
    services.registry.give_grant(a_grant(dataset=SALES, project=PROJECT), audit=audit)
    for name, source in zip((SALES, VAULT), _raw(folder), strict=True):
        publish(
            services.site.datasets[name], [source], folder / "home" / "releases", services.keys.platform,
            services.clock, synthetic=True,
        )  # fmt: skip
