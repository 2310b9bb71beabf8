"""Writes small sites as the files that stewards would write."""

from pathlib import Path

DATASET = """\
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
  country: {type: VARCHAR, meaning: Member State.}
  price: {type: DOUBLE, meaning: Price.}
  day: {type: DATE, meaning: Day.}
"""
POLICY = """\
dataset: sales
legal_basis: DSA Art. 40(4)
rules:
  - for: {tier: vetted, grant: required}
    access: rows
    rows: country IN project.member_states
    columns: {id: hide}
    because: A reason that is long enough to be read.
"""
QUERY = """\
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
"""


def write_site(folder: Path, **files: str) -> Path:
    """Write the small site; a keyword replaces or adds a file, `__` standing for `/` and the suffix coming with it."""
    content = {
        "datasets/sales/dataset.yaml": DATASET,
        "access_policies/sales.yaml": POLICY,
        "queries/moderation/sales_by_country.sql": QUERY,
    } | {name.replace("__", "/"): text for name, text in files.items()}
    for name, text in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
