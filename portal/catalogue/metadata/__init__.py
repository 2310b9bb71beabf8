"""A dataset's description in the forms that other catalogues and tools read. Pure; never a value of the data.

Each form is a function of what is described; `FORMS` is the table of them, by the end of the file's name.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from portal.catalogue.metadata.citing import bibtex, citation_file, csl_json
from portal.catalogue.metadata.croissant import croissant
from portal.catalogue.metadata.data_package import data_package
from portal.catalogue.metadata.dcat import dcat
from portal.catalogue.metadata.ddi import ddi_codebook
from portal.catalogue.metadata.described import Described
from portal.catalogue.metadata.schema_org import schema_org


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a description: its name in words, its media type, and what makes it (a text, or values of JSON)."""

    title: str
    media_type: str
    make: Callable[[Described], str | dict[str, Any] | list[Any]]

    def text(self, described: Described) -> str:
        """Return the description as the text of a file."""
        made = self.make(described)
        return made if isinstance(made, str) else json.dumps(made, indent=2, ensure_ascii=False) + "\n"


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "croissant.json": Form("Croissant 1.1", "application/ld+json", croissant),
        "datapackage.json": Form("Data Package 2", "application/json", data_package),
        "dcat.jsonld": Form("DCAT-AP 3", "application/ld+json", dcat),
        "schema-org.jsonld": Form("schema.org", "application/ld+json", schema_org),
        "ddi.xml": Form("DDI-Codebook 2.5", "application/xml", ddi_codebook),
        "cff": Form("CITATION.cff", "application/yaml", citation_file),
        "bib": Form("BibTeX", "application/x-bibtex", bibtex),
        "csl.json": Form("CSL-JSON", "application/vnd.citationstyles.csl+json", csl_json),
    }
)
"""Every form, by the end of its file's name: `metadata.<end>`."""

__all__ = ["FORMS", "Described", "Form"]
