"""How a dataset is cited, in the forms of reference managers: CITATION.cff, BibTeX and CSL-JSON."""

import io
import re
from typing import Any

from ruamel.yaml import YAML

from portal.catalogue.metadata.described import Described, given

_SPECIAL = re.compile(r"([&%$#_{}])")


def citation_file(described: Described) -> str:
    """Return a CITATION.cff (Citation File Format 1.2.0)."""
    provenance, licences = described.dataset.provenance, [licence.name for licence in described.licences]
    content = given(
        {
            "cff-version": "1.2.0",
            "message": f"Please cite as: {described.citation}",
            "type": "dataset",
            "title": described.title,
            "abstract": described.description,
            "authors": [{"name": provenance.publisher}],
            "version": str(described.release) if described.release else None,
            "date-released": described.released_on,
            "doi": provenance.doi,
            "url": described.page,
            "license": licences[0] if len(licences) == 1 else licences,
            "keywords": [described.dataset.topic, "DSA"],
        }
    )
    text = io.StringIO()
    yaml = YAML(typ="rt")
    yaml.width = 110
    yaml.dump(content, text)
    return text.getvalue()


def bibtex(described: Described) -> str:
    """Return a BibTeX entry."""
    provenance = described.dataset.provenance
    fields = given(
        {
            "title": f"{{{_plain(described.title)}}}",
            "author": f"{{{_plain(provenance.publisher)}}}",
            "year": _year(described),
            "version": str(described.release) if described.release else None,
            "doi": provenance.doi,
            "url": described.page,
            "note": _plain(described.citation),
        }
    )
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@misc{{{described.dataset.name},\n{lines}}}\n"


def csl_json(described: Described) -> list[dict[str, Any]]:
    """Return an item of the Citation Style Language, which Zotero and pandoc read."""
    provenance, year = described.dataset.provenance, _year(described)
    return [
        given(
            {
                "id": described.dataset.name,
                "type": "dataset",
                "title": described.title,
                "author": [{"literal": provenance.publisher}],
                "publisher": provenance.publisher,
                "issued": {"date-parts": [[int(year)]]} if year else None,
                "version": str(described.release) if described.release else None,
                "DOI": provenance.doi,
                "URL": described.page,
                "note": described.citation,
            }
        )
    ]


def _year(described: Described) -> str | None:
    """Return the year that the steward's citation names, else that of the release."""
    named = re.search(r"\((\d{4})\)", described.dataset.citation)
    if named:
        return named[1]
    return str(described.released_on.year) if described.released_on else None


def _plain(text: str) -> str:
    """Escape what TeX would obey; a backslash or a brace that a steward wrote included."""
    return _SPECIAL.sub(r"\\\1", text.replace("\\", "/")).replace("~", r"\textasciitilde{}").replace("^", r"\^{}")
