"""Whether what was handed out once would be handed out again, as it was."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from portal.desk.access import decide_for
from portal.desk.answers import Asker, Receipt, SourceUse
from portal.desk.services import Services
from portal.errors import Fault, PolicyRefusal
from portal.ids import DatasetName
from portal.policy.decision import Decision, Obligations, Permit
from portal.policy.explain import disclosure_in_words, obligation_in_words
from portal.policy.model import Access


def changed_since(
    services: Services, asker: Asker, sources: Iterable[SourceUse], at: datetime
) -> tuple[DatasetName, ...]:
    """Return the datasets of an answer of that moment that are closed today, or would be shown otherwise than it did.

    How they are shown is decided as of the answer's own day, so that an embargo that moves on changes nothing.
    """
    uses = {source.dataset: source for source in sources}
    today = decide_for(services, asker, uses)
    then = decide_for(replace(services, clock=lambda: at), asker, uses)
    return tuple(
        name for name, use in uses.items() if not (_is_open(today.get(name)) and _is_shown_as(use, then.get(name)))
    )


def refuse_ended(services: Services, receipt: Receipt, started: datetime) -> None:
    """Refuse an answer whose access ended, or became another, while the statement ran.

    Raises `SignInError` or `PolicyRefusal`.
    """
    asker = Asker(receipt.person, receipt.project)
    if changed := changed_since(services, asker, receipt.sources, started):
        raise PolicyRefusal(
            Fault(
                "ACCESS_ENDED",
                f"Your access to {', '.join(sorted(changed))} ended or changed while the statement ran.",
                rule="standing",
                fix="See what is open to you now, and ask again.",
            )
        )


def duties_in_words(obligations: Obligations) -> tuple[str, ...]:
    """Return what was done to rows, columns and cells, as a receipt has it."""
    return (
        *(f"rows: {rule.words}" for rule in obligations.rows),
        *(f"{name}: {obligation_in_words(duty)}" for name, duty in obligations.columns.items() if not duty.show),
        *(disclosure_in_words(obligations.disclosure) if obligations.disclosure else ()),
    )


def _is_open(decision: Decision | None) -> bool:
    return decision is not None and decision.access >= Access.AGGREGATES


def _is_shown_as(use: SourceUse, decision: Decision | None) -> bool:
    if not isinstance(decision, Permit):
        return False
    return (decision.obligations.policy, duties_in_words(decision.obligations)) == (use.policy, use.obligations)
