"""DCAT-AP 3 as JSON-LD, for the catalogues of public bodies (data.europa.eu among them)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from portal.catalogue.metadata.described import ACCESS_TERMS, Described, given

_AUTHORITY = "http://publications.europa.eu/resource/authority"
_DSA = "http://data.europa.eu/eli/reg/2022/2065/oj"
_THEMES: Mapping[str, str] = MappingProxyType({"moderation": "JUST", "complaints": "JUST", "traders": "ECON"})
_THEME = "TECH"
_CONTEXT: Mapping[str, Any] = MappingProxyType(
    {
        "adms": "http://www.w3.org/ns/adms#",
        "dcat": "http://www.w3.org/ns/dcat#",
        "dcatap": "http://data.europa.eu/r5r/",
        "dct": "http://purl.org/dc/terms/",
        "foaf": "http://xmlns.com/foaf/0.1/",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "vcard": "http://www.w3.org/2006/vcard/ns#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
    }
)


def dcat(described: Described) -> dict[str, Any]:
    """Describe a dataset, its one distribution and the service that answers from it."""
    dataset, provenance = described.dataset, described.dataset.provenance
    return {
        "@context": dict(_CONTEXT),
        **given(
            {
                "@id": described.api,
                "@type": "dcat:Dataset",
                "dct:title": _english(described.title),
                "dct:description": _english(described.description),
                "dct:identifier": provenance.doi or dataset.name,
                "dcat:version": str(described.release) if described.release else None,
                "dct:issued": _day(described),
                "dct:modified": _day(described),
                "dct:publisher": _publisher(described),
                "dcat:contactPoint": {
                    "@type": "vcard:Kind",
                    "vcard:fn": f"Data steward of {dataset.name}",
                    "vcard:hasURL": {"@id": described.page},
                },
                "dcat:keyword": [_english(word) for word in _keywords(described)],
                "dcat:theme": {"@id": f"{_AUTHORITY}/data-theme/{_THEMES.get(dataset.topic, _THEME)}"},
                "dct:language": {"@id": f"{_AUTHORITY}/language/ENG"},
                "dct:accessRights": {"@id": f"{_AUTHORITY}/access-right/RESTRICTED", "@type": "dct:RightsStatement"},
                "dct:provenance": {"@type": "dct:ProvenanceStatement", "rdfs:label": _english(provenance.publisher)},
                "dct:source": {"@id": provenance.url} if provenance.url else None,
                "dcatap:applicableLegislation": {"@id": _DSA, "@type": "http://data.europa.eu/eli/ontology#LegalResource"},
                "dcat:landingPage": {"@id": described.page, "@type": "foaf:Document"},
                "adms:versionNotes": [_english(f"{each.date}: {each.note}") for each in dataset.changes],
                "dcat:distribution": _distribution(described),
            }
        ),
    }  # fmt: skip


def _distribution(described: Described) -> dict[str, Any]:
    return given(
        {
            "@id": f"{described.api}#parquet",
            "@type": "dcat:Distribution",
            "dct:title": _english("Download as Parquet"),
            "dct:description": _english(ACCESS_TERMS),
            "dcat:accessURL": {"@id": described.page},
            "dct:format": {"@id": f"{_AUTHORITY}/file-type/PARQUET", "@type": "dct:MediaTypeOrExtent"},
            "dcat:mediaType": {
                "@id": "https://www.iana.org/assignments/media-types/application/vnd.apache.parquet",
                "@type": "dct:MediaType",
            },
            "dct:license": _licence(described),
            "dct:rights": {
                "@type": "dct:RightsStatement",
                "rdfs:label": _english(described.dataset.provenance.licence),
            },
            "dcat:accessService": {
                "@id": f"{described.address}/api/v1",
                "@type": "dcat:DataService",
                "dct:title": _english("Research portal API"),
                "dcat:endpointURL": {"@id": f"{described.address}/api/v1"},
                "dcat:endpointDescription": {"@id": f"{described.address}/api/v1/openapi.json"},
                "dcat:servesDataset": {"@id": described.api},
            },
        }
    )


def _licence(described: Described) -> dict[str, Any] | None:
    """Return the first licence: a distribution may have one, and `dct:rights` has the steward's own words."""
    first = next(iter(described.licences), None)
    return {"@id": first.url, "@type": "dct:LicenseDocument"} if first else None


def _publisher(described: Described) -> dict[str, Any]:
    origin = described.dataset.provenance
    return given(
        {
            "@type": "foaf:Agent",
            "foaf:name": _english(origin.publisher),
            "foaf:homepage": {"@id": origin.url} if origin.url else None,
        }
    )


def _keywords(described: Described) -> tuple[str, ...]:
    return (described.dataset.topic, "DSA", *(("synthetic data",) if described.synthetic else ()))


def _day(described: Described) -> dict[str, str] | None:
    day = described.released_on
    return {"@value": day.isoformat(), "@type": "xsd:date"} if day else None


def _english(text: str) -> dict[str, str]:
    return {"@value": text, "@language": "en"}
