"""A small portal in a folder: three kinds of access, hidden things to look for, and the real services over it.

Its researchers are `vera` (vetted, project `goods`), `rita` (registered, no project) and `oscar` (vetted, member of
nothing). `goods` holds grants for `sales` and `traders`, and none for `salaries`.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from support.databases import is_postgresql, url_of

from portal.clock import Clock, system_clock
from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.ids import DatasetName, PersonId, ProjectId
from portal.policy.model import Tier
from portal.policy.people import Grant, Person, Project
from portal.publishing.publish import publish
from portal.registry import Audit
from portal.settings import Settings
from portal.wiring import build_services

VERA, RITA, OSCAR = PersonId("vera"), PersonId("rita"), PersonId("oscar")
GOODS = ProjectId("goods")
VETTED, REGISTERED = Asker(VERA, GOODS), Asker(RITA, None)

HIDDEN = ("concealed-id", "Hidden Trading", "raw-seller", "Atlantis", "payroll-secret")
"""Texts of the sources that no researcher may meet: a hidden column, a raw name, a filtered row, a closed table."""

SALES = "SELECT country, price, day FROM sales ORDER BY day"
"""Three rows for `vera`; the fourth is of a country that her project does not study."""

_DATASET = """\
dataset: {name}
title: {title}
topic: traders
description: Made up.
grain: One row.
legal_basis: [DSA Art. 40(4)]
provenance: {{publisher: Nobody, licence: CC0-1.0}}
citation: Nobody (2026). {title}.
columns:
{columns}"""
_SALES = """\
  id: {type: VARCHAR, meaning: Identifier., role: identifier}
  seller: {type: VARCHAR, meaning: Seller., role: identifier}
  country: {type: VARCHAR, meaning: Member State.}
  price: {type: DOUBLE, meaning: Price., unit: EUR}
  day: {type: DATE, meaning: Day.}
errata:
  - {id: prices_rounded, title: Prices were rounded, description: Prices of January are rounded., columns: [price]}
"""
_HOLIDAYS = """\
  day: {type: DATE, meaning: Day.}
  name: {type: VARCHAR, meaning: Name.}
"""
_TRADERS = """\
  trader: {type: VARCHAR, meaning: Trader., role: identifier}
  country: {type: VARCHAR, meaning: Member State., values: {DE: Germany, FR: France, IT: Italy}}
  online: {type: BOOLEAN, meaning: Whether it sells online.}
  fee: {type: DOUBLE, meaning: Fee., unit: EUR}
  day: {type: DATE, meaning: Day.}
date_column: day
"""
_SALARIES = """\
  person: {type: VARCHAR, meaning: Person., role: identifier}
  pay: {type: INTEGER, meaning: Pay.}
"""
_DATASETS: Mapping[str, str] = {"sales": _SALES, "holidays": _HOLIDAYS, "traders": _TRADERS, "salaries": _SALARIES}
_POLICY = """\
dataset: {name}
legal_basis: DSA Art. 40(4)
rules:
{rules}"""
_BECAUSE = "because: A reason that is long enough to be read."
_RULES: Mapping[str, str] = {
    "sales": f"""\
  - for: {{tier: vetted, grant: required}}
    access: rows
    rows: country IN project.member_states
    columns: {{id: hide, seller: pseudonym}}
    download: {{formats: [parquet, csv], max_rows: 2}}
    limits: {{rows_per_week: 40, seconds: 20, memory: 500MB, result_rows: 10}}
    {_BECAUSE}
""",
    "holidays": f"""\
  - for: {{tier: vetted}}
    access: rows
    download: {{formats: [parquet, csv, arrow]}}
    {_BECAUSE}
  - for: {{tier: registered}}
    access: rows
    {_BECAUSE}
""",
    "traders": f"""\
  - for: {{tier: vetted, grant: required}}
    access: aggregates
    disclosure:
      entities: {{trader: 10}}
      dimensions: {{country: equal, online: equal, day: {{range: month}}}}
      measures: {{fee: {{round: 10}}}}
    {_BECAUSE}
""",
    "salaries": f"""\
  - for: {{tier: vetted, grant: required}}
    access: rows
    {_BECAUSE}
""",
}
_QUERY = """\
/*---
title: Sales by country
question: How many sales are there in each country?
why: To know.
reading: Each row is a country.
datasets: [sales]
tiers: [vetted]
parameters:
  least: {type: number, label: Least price, default: 0}
---*/
SELECT country, count(*) AS sales
FROM sales
WHERE price >= $least
GROUP BY country
ORDER BY country
"""


def _traders() -> Sequence[Sequence[object]]:
    """Return rows with too few traders in March and April, and one in Italy who pays nearly all of its fees."""
    crowds, countries, payer = {1: 40, 2: 40, 3: 6, 4: 6, 5: 40}, ("DE", "FR", "IT"), (1, 2)
    return [
        (
            f"Hidden Trading {number} of {month}",
            countries[number % len(countries)],
            number % 2 == 0,
            99_999 if (month, number) == payer else 10,
            f"2026-0{month}-10",
        )
        for month, crowd in crowds.items()
        for number in range(crowd)
    ]


_ROWS: Mapping[str, Sequence[Sequence[object]]] = {
    "sales": [
        ("concealed-id-1", "raw-seller-1", "DE", 10.5, "2026-01-01"),
        ("concealed-id-2", "raw-seller-1", "FR", 20.0, "2026-01-02"),
        ("concealed-id-3", "raw-seller-2", "DE", "", "2026-01-03"),
        ("concealed-id-4", "raw-seller-3", "Atlantis", 99.25, "2026-01-04"),
    ],
    "holidays": [("2026-01-01", "New Year, the first"), ("2026-05-01", "Labour Day")],
    "traders": _traders(),
    "salaries": [("payroll-secret", 1)],
}


def write_portal(folder: Path, clock: Clock = system_clock) -> Settings:
    """Write site and home of the small portal, published and peopled; `folder/site` and `folder/home` hold them."""
    settings = Settings(
        site=_write_site(folder / "site"),
        home=folder / "home",
        sandboxes=2,
        warm_sandboxes=1,
        database_url=url_of(folder) if is_postgresql(folder) else None,
    )
    with services_of(settings, clock) as services:
        for name, dataset in services.site.datasets.items():
            source = _write_source(folder / "sources", name, tuple(dataset.columns))
            root, key = services.releases.root, services.keys.platform
            publish(dataset, [source], root, key, clock, synthetic=name != "holidays")
        _admit_people(services)
    return settings


@contextmanager
def services_of(settings: Settings, clock: Clock = system_clock) -> Iterator[Services]:
    """Give the real services over a home, and end what they started."""
    services = build_services(settings, clock)
    try:
        yield services
    finally:
        services.sandbox.close()
        services.ledger.engine.dispose()


@contextmanager
def a_portal(folder: Path, clock: Clock = system_clock) -> Iterator[Services]:
    """Give the small portal, ready to be asked."""
    with services_of(write_portal(folder, clock), clock) as services:
        yield services


def a_token(services: Services, person: PersonId = VERA, project: ProjectId = GOODS) -> str:
    """Return the secret of a new token, good for a day."""
    now = services.clock()
    _, secret = services.registry.issue_token(person, project, "test", now + timedelta(days=1), audit=Audit(None, now))
    return secret


def hidden_in(text: str | bytes) -> list[str]:
    """Return the hidden texts that stand in a body, a page or a message."""
    body = text if isinstance(text, bytes) else text.encode()
    return [hidden for hidden in HIDDEN if hidden.encode() in body]


def _write_site(folder: Path) -> Path:
    files = {"queries/traders/sales_by_country.sql": _QUERY}
    for name, columns in _DATASETS.items():
        files[f"datasets/{name}/dataset.yaml"] = _DATASET.format(name=name, title=name.title(), columns=columns)
        files[f"access_policies/{name}.yaml"] = _POLICY.format(name=name, rules=_RULES[name])
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def _write_source(folder: Path, name: str, header: Sequence[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *_ROWS[name]])
    return path


def _admit_people(services: Services) -> None:
    now = services.clock()
    audit, today = Audit(None, now), now.date()
    starts, ends = today - timedelta(days=30), today + timedelta(days=300)
    for person, tier in ((VERA, Tier.VETTED), (RITA, Tier.REGISTERED), (OSCAR, Tier.VETTED)):
        services.registry.add_person(Person(person, person.title(), tier), audit=audit)
    goods = Project(GOODS, "Goods", "To know.", starts, ends, frozenset({VERA}), ("DE", "FR"))
    services.registry.add_project(goods, audit=audit)
    for name in ("sales", "traders"):
        services.registry.give_grant(Grant(DatasetName(name), GOODS, starts, ends), audit=audit)
