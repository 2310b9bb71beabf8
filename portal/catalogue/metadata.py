"""A dataset's description in the forms that other catalogues and tools read. Pure; never a value of the data."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from portal.catalogue.dataset import Column, Dataset

FIELD_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "VARCHAR": "string",
        "BOOLEAN": "boolean",
        "INTEGER": "integer",
        "BIGINT": "integer",
        "DOUBLE": "number",
        "DATE": "date",
        "TIMESTAMP": "datetime",
        "VARCHAR[]": "array",
    }
)
"""A column's type to the field type of Table Schema."""


def data_package(dataset: Dataset, release: int | None, *, synthetic: bool) -> dict[str, Any]:
    """Describe a dataset as a Data Package, version 2 (datapackage.org), with one tabular resource."""
    provenance = dataset.provenance
    return _set(
        {
            "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
            "name": dataset.name,
            "id": provenance.doi,
            "title": f"{dataset.title} (synthetic data)" if synthetic else dataset.title,
            "description": dataset.description,
            "homepage": provenance.url,
            "version": str(release) if release else None,
            "licenses": [{"title": provenance.licence}],
            "contributors": [{"title": provenance.publisher, "roles": ["publisher"]}],
            "sources": [{"title": provenance.publisher, "path": provenance.url}] if provenance.url else None,
            "resources": [
                {
                    "name": dataset.name,
                    "path": f"{dataset.name}.parquet",
                    "format": "parquet",
                    "mediatype": "application/vnd.apache.parquet",
                    "description": dataset.grain,
                    "schema": {"fields": [_field(name, column) for name, column in dataset.columns.items()]},
                }
            ],
        }
    )


def _field(name: str, column: Column) -> dict[str, Any]:
    return _set(
        {
            "name": name,
            "type": FIELD_TYPES[column.type],
            "description": column.meaning,
            "unit": column.unit,
            "categories": [{"value": value, "label": label} for value, label in (column.values or {}).items()] or None,
        }
    )


def _set(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
