"""A small dataset with one column for each step of a recipe, and its sources."""

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from portal.catalogue.dataset import Dataset
from portal.catalogue.release import Manifest
from portal.publishing.publish import publish
from portal.publishing.recipe import REJECTED, compile_recipe

KEY = b"0123456789abcdef0123456789abcdef"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

Row = Mapping[str, str]


def now() -> datetime:
    return NOW


def a_dataset(**changes: object) -> Dataset:
    content: dict[str, Any] = {
        "dataset": "removals",
        "title": "Removals",
        "topic": "moderation",
        "description": "Removed listings.",
        "grain": "one removal",
        "legal_basis": ["DSA Art. 17"],
        "provenance": {"publisher": "Test", "licence": "CC0"},
        "citation": "Test, 'Removals'",
        "columns": {
            "trader": {"type": "VARCHAR", "meaning": "The trader."},
            "day": {"type": "DATE", "meaning": "The day."},
            "category": {"type": "VARCHAR", "meaning": "Why.", "values": {"toys": "Toys", "drugs": "Drugs"}},
            "views": {"type": "BIGINT", "meaning": "Views before removal."},
        },
        "recipe": {"columns": {"trader": {"from": "seller_id", "pseudonymise": True}}},
        "layout": {"sort": ["category", "day"], "partition": {"day": "month"}},
    }
    return Dataset.model_validate(content | changes)


def a_row(number: int = 0, **changes: str) -> Row:
    row = {
        "seller_id": f"seller-{number:06d}",
        "day": f"2025-{number % 3 + 1:02d}-{number % 28 + 1:02d}",
        "category": ("toys", "drugs")[number % 2],
        "views": str(number * 7),
    }
    return row | changes


def write_csv(path: Path, rows: Sequence[Row]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def published(root: Path, *sources: Path, dataset: Dataset | None = None) -> Manifest:
    return publish(dataset or a_dataset(), sources, root, KEY, now, synthetic=True)


def applied(
    column: Mapping[str, object], derivation: Mapping[str, object], value: object, **hierarchies: object
) -> tuple[Any, str | None]:
    """Return what a recipe makes of one raw value, and why it is rejected."""
    recipe = {"columns": {"x": dict(derivation)}, "hierarchies": hierarchies}
    dataset = a_dataset(columns={"x": {"meaning": "x", **column}}, recipe=recipe, layout={})
    select = compile_recipe(dataset, "as_published", ["x"], KEY)
    with duckdb.connect() as connection:
        connection.execute("CREATE TEMP TABLE raw AS SELECT $value AS x", {"value": value})
        [(made, why)] = connection.execute(f'SELECT x, "{REJECTED}" FROM ({select})').fetchall()
    return made, f"{why['column']}: {why['rule']}" if why else None
