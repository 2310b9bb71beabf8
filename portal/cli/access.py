"""`portal access`: the decision for each dataset, with reasons and next steps."""

import click

from portal.cli.context import with_services
from portal.cli.printing import json_option, show
from portal.cli.values import DATASET, asker_options
from portal.desk.access import decide_for
from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.errors import Fault, NotFoundError
from portal.ids import DatasetName
from portal.policy.explain import explain


@click.command
@click.argument("dataset", required=False, type=DATASET)
@asker_options
@json_option
@with_services
def access(services: Services, dataset: DatasetName | None, *, asker: Asker) -> None:
    """Say what is open to somebody, why, and what would open more; of DATASET, or of each."""
    decisions = decide_for(services, asker, [dataset] if dataset else services.site.datasets)
    if not decisions:
        raise NotFoundError(
            Fault("NO_SUCH_DATASET", f"There is no dataset {dataset!r}.", fix="Leave it out to see all.")
        )
    records = [
        {"dataset": name, "access": decision.access.word, "words": explain(decision)}
        for name, decision in decisions.items()
    ]
    text = "\n".join(
        line
        for name, decision in decisions.items()
        for line in (f"{name}: {decision.access.word}", *(f"  {words}" for words in explain(decision)))
    )
    show(records, text)
