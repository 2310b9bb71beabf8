"""How an answer is cited, and the manifest that travels with it: enough to repeat the question anywhere."""

from typing import Any

import portal
from portal.catalogue.metadata.described import cited
from portal.desk.answers import Answer
from portal.desk.services import Services
from portal.workspaces.export import FACTS, MANIFEST_KEY

ERRATUM_FACTS = {"id", "title", "description", "columns", "since", "until"}


def citations(services: Services, answer: Answer) -> tuple[str, ...]:
    """Return one citation for each dataset: release, day of access and the fingerprint of the question.

    After the Research Data Alliance's recommendation on citing dynamic data: cite the query and the version.
    """
    return tuple(
        f"{cited(services.site.datasets[source.dataset], source.release, synthetic=source.synthetic)}. "
        f"Accessed {answer.receipt.at:%Y-%m-%d}. Query {answer.receipt.fingerprint[:12]}."
        for source in answer.receipt.sources
    )


def manifest_of(services: Services, answer: Answer) -> dict[str, Any]:
    """Return what a file says of itself, JSON-able."""
    return {
        "portal": portal.__version__,
        FACTS: _facts(services, answer),
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


def _facts(services: Services, answer: Answer) -> dict[str, str]:
    """Return what must be known of a file, as plain texts; datasets stand in the order of the receipt."""
    sources = answer.receipt.sources
    told = {
        "dataset": (source.dataset for source in sources),
        "release": (str(source.release) for source in sources),
        "policy": (source.policy for source in sources),
        "licence": (services.site.datasets[source.dataset].provenance.licence for source in sources),
        "citation": citations(services, answer),
        "errata": (f"{name}/{erratum.id}: {erratum.title}" for name, erratum in answer.errata),
        "synthetic": ("yes" if source.synthetic else "no" for source in sources),
        "receipt": (answer.receipt.id,),
    }
    return {f"{MANIFEST_KEY}.{name}": "; ".join(texts) for name, texts in told.items()}
