"""Small tables of quasi-identifiers and sensitive values, and what is measured of them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb

from portal.catalogue.dataset import Dataset
from portal.policy.masks import literal
from portal.publishing.risk.classes import Classes, find_classes

COLUMNS = {
    "region": {"type": "VARCHAR", "meaning": "Region.", "role": "quasi_identifier"},
    "age": {"type": "INTEGER", "meaning": "Age.", "role": "quasi_identifier"},
    "illness": {"type": "VARCHAR", "meaning": "Illness.", "role": "sensitive"},
    "income": {"type": "INTEGER", "meaning": "Income.", "role": "sensitive"},
    "person": {"type": "VARCHAR", "meaning": "Person.", "role": "identifier"},
}
Row = tuple[str | None, int | None, str | None, int | None, str | None]


def a_dataset(**changes: Any) -> Dataset:
    content = {
        "dataset": "visits",
        "title": "Visits",
        "topic": "moderation",
        "description": "Made up.",
        "grain": "one visit",
        "legal_basis": ["DSA Art. 17"],
        "provenance": {"publisher": "Test", "licence": "CC0"},
        "citation": "Test.",
        "columns": COLUMNS,
    }
    return Dataset.model_validate(content | changes)


@contextmanager
def classes_of(rows: Iterable[Row], dataset: Dataset | None = None) -> Iterator[Classes]:
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE published (region VARCHAR, age INTEGER, illness VARCHAR, income INTEGER, person VARCHAR)"
        )
        listed = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
        connection.execute(f"INSERT INTO published VALUES {listed}")
        yield find_classes(dataset or a_dataset(), connection)


def rows_of(*groups: tuple[int, str, int, str, int]) -> Sequence[Row]:
    """Return rows without a person: how many, then region, age, illness and income."""
    return [(region, age, illness, income, None) for n, region, age, illness, income in groups for _ in range(n)]
