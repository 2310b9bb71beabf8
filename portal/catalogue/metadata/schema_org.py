"""schema.org: what search engines and, below it, Croissant read."""

from typing import Any

from portal.catalogue.metadata.described import ACCESS_TERMS, Described, given


def schema_org(described: Described) -> dict[str, Any]:
    """Describe a dataset as JSON-LD of schema.org, for search engines of data."""
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        **described_to_all(described),
        "conditionsOfAccess": ACCESS_TERMS,
        "isAccessibleForFree": True,
        "variableMeasured": [
            given(
                {
                    "@type": "PropertyValue",
                    "name": name,
                    "description": column.meaning,
                    "unitText": column.unit,
                }
            )
            for name, column in described.dataset.columns.items()
        ],
    }


def described_to_all(described: Described) -> dict[str, Any]:
    """Return the properties that schema.org and Croissant share."""
    provenance = described.dataset.provenance
    organisation = given({"@type": "Organization", "name": provenance.publisher, "url": provenance.url})
    return given(
        {
            "name": described.title,
            "description": described.description,
            "url": described.page,
            "identifier": described.doi or described.api,
            "version": f"{described.release}.0.0" if described.release else None,
            "datePublished": described.released_on.isoformat() if described.released_on else None,
            "license": [licence.url for licence in described.licences] or provenance.licence,
            "creator": organisation,
            "publisher": organisation,
            "keywords": [described.dataset.topic, "DSA", *(["synthetic data"] if described.synthetic else [])],
            "inLanguage": "en",
        }
    )
