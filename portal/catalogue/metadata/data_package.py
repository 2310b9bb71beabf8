"""Data Package, version 2 (datapackage.org), with one tabular resource."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from portal.catalogue.dataset import Column
from portal.catalogue.metadata.described import Described, given

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


def data_package(described: Described) -> dict[str, Any]:
    """Describe a dataset as a Data Package."""
    dataset, provenance = described.dataset, described.dataset.provenance
    return given(
        {
            "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
            "name": dataset.name,
            "id": provenance.doi,
            "title": described.title,
            "description": dataset.description,
            "homepage": described.page,
            "version": str(described.release) if described.release else None,
            "created": described.released_at.isoformat() if described.released_at else None,
            "keywords": [dataset.topic, "DSA"],
            "licenses": [
                *({"name": licence.name, "path": licence.url} for licence in described.licences),
                *([] if described.licences else [{"title": provenance.licence, "path": described.page}]),
            ],
            "contributors": [{"title": provenance.publisher, "roles": ["publisher"]}],
            "sources": [{"title": provenance.publisher, "path": provenance.url}] if provenance.url else None,
            "resources": [
                {
                    "name": dataset.name,
                    "path": f"{dataset.name}.parquet",
                    "format": "parquet",
                    "mediatype": "application/vnd.apache.parquet",
                    "description": dataset.grain,
                    "schema": {
                        "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
                        "fields": [_field(name, column) for name, column in dataset.columns.items()],
                    },
                }
            ],
        }
    )


def _field(name: str, column: Column) -> dict[str, Any]:
    return given(
        {
            "name": name,
            "type": FIELD_TYPES[column.type],
            "description": column.meaning,
            "unit": column.unit,
            "categories": [{"value": value, "label": label} for value, label in (column.values or {}).items()],
        }
    )
