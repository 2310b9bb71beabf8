"""How an answer is cited, and the manifest that travels with it: enough to repeat the question anywhere."""

from typing import Any

import portal
from portal.desk.answers import Answer
from portal.desk.services import Services

ERRATUM_FACTS = {"id", "title", "description", "columns", "since", "until"}


def citations(services: Services, answer: Answer) -> tuple[str, ...]:
    """Return one citation for each dataset: release, day of access and the fingerprint of the question.

    After the Research Data Alliance's recommendation on citing dynamic data: cite the query and the version.
    """
    return tuple(
        f"{services.site.datasets[source.dataset].citation.rstrip('. ')}. Release {source.release}"
        f"{' (synthetic data)' if source.synthetic else ''}. Accessed {answer.receipt.at:%Y-%m-%d}. "
        f"Query {answer.receipt.fingerprint[:12]}."
        for source in answer.receipt.sources
    )


def manifest_of(services: Services, answer: Answer) -> dict[str, Any]:
    """Return what a file says of itself, JSON-able."""
    return {
        "portal": portal.__version__,
        "receipt": answer.receipt.as_record(),
        "synthetic": any(source.synthetic for source in answer.receipt.sources),
        "licences": {
            source.dataset: services.site.datasets[source.dataset].provenance.licence
            for source in answer.receipt.sources
        },
        "citations": citations(services, answer),
        "errata": [
            {"dataset": name, **erratum.model_dump(mode="json", include=ERRATUM_FACTS)}
            for name, erratum in answer.errata
        ],
    }
