"""Croissant 1.1 (mlcommons.org/croissant/1.1): schema.org with the columns, their types and their admitted values.

The data is behind an access policy, so the file has an address to ask at and no checksum: a live dataset.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from portal.catalogue.dataset import Column, Role
from portal.catalogue.metadata.described import Described, given
from portal.catalogue.metadata.schema_org import described_to_all

_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "VARCHAR": "sc:Text",
        "VARCHAR[]": "sc:Text",
        "BOOLEAN": "sc:Boolean",
        "INTEGER": "cr:Int32",
        "BIGINT": "cr:Int64",
        "DOUBLE": "cr:Float64",
        "DATE": "sc:Date",
        "TIMESTAMP": "sc:DateTime",
    }
)
_TERMS = (
    "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileProperty",
    "fileObject", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5",
    "parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate",
    "separator", "source", "subField", "transform",
)  # fmt: skip
_CONTEXT: Mapping[str, Any] = MappingProxyType(
    {
        "@language": "en",
        "@vocab": "https://schema.org/",
        "sc": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "dct": "http://purl.org/dc/terms/",
        **{term: f"cr:{term}" for term in _TERMS},
        "conformsTo": "dct:conformsTo",
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "description": {"@container": "@language"},
        "examples": {"@id": "cr:examples", "@type": "@json"},
        "name": {"@container": "@language"},
    }
)
_FILE, _ROWS = "rows.parquet", "rows"


def croissant(described: Described) -> dict[str, Any]:
    """Describe a dataset in Croissant, with the responsible-AI notes that its codebook holds."""
    columns = described.dataset.columns
    about_people = [name for name, column in columns.items() if column.role is not Role.PLAIN]
    return {
        "@context": dict(_CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        **described_to_all(described),
        "citeAs": described.citation,
        "isLiveDataset": True,
        **given(
            {
                "rai:dataLimitations": [f"{each.title}: {each.description}" for each in described.dataset.errata],
                "rai:personalSensitiveInformation": about_people,
            }
        ),
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": _FILE,
                "name": f"{described.dataset.name}.parquet",
                "description": "What the access policy opens, as a download of the portal.",
                "contentUrl": described.page,
                "encodingFormat": "application/vnd.apache.parquet",
            }
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": _ROWS,
                "name": described.dataset.name,
                "description": described.dataset.grain,
                "field": [_field(name, column) for name, column in columns.items()],
            },
            *(_values(name, column.values) for name, column in columns.items() if column.values),
        ],
    }


def _field(name: str, column: Column) -> dict[str, Any]:
    unit = f" Unit: {column.unit}." if column.unit else ""
    return {
        "@type": "cr:Field",
        "@id": f"{_ROWS}/{name}",
        "name": name,
        "description": f"{column.meaning}{unit}",
        "dataType": _TYPES[column.type],
        **({"isArray": True, "arrayShape": "-1"} if column.type.endswith("[]") else {}),
        "source": {"fileObject": {"@id": _FILE}, "extract": {"column": name}},
        **({"references": {"field": {"@id": f"{name}/value"}}} if column.values else {}),
    }


def _values(name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Return a column's admitted values as a record set of their own."""
    fields = {"value": "The value.", "label": "What it means."}
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": f"{name}_values",
        "description": f"Values of {name}.",
        "dataType": "sc:Enumeration",
        "key": {"@id": f"{name}/value"},
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{field}",
                "name": field,
                "description": words,
                "dataType": "sc:Text",
            }
            for field, words in fields.items()
        ],
        "data": [{f"{name}/value": value, f"{name}/label": label} for value, label in values.items()],
    }
