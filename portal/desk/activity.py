"""What was done: a person's own entries and receipts."""

from collections.abc import Mapping
from typing import Any

from portal.desk.access import identify, project_of
from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.errors import Fault, NotFoundError, PolicyRefusal
from portal.ids import PersonId, ReceiptId
from portal.ledger import Action, Entry
from portal.policy.model import Tier


def my_entries(services: Services, asker: Asker, limit: int = 200) -> tuple[Entry, ...]:
    """Return the asker's own ledger entries, newest first."""
    return services.ledger.search(actor=identify(services, asker.person).id, limit=limit)


def search_ledger(services: Services, reader: PersonId, **wanted: Any) -> tuple[Entry, ...]:  # noqa: ANN401 - as `Ledger.search`
    """Return what fits, newest first: of everybody to an auditor, which the ledger then knows; to others, their own.

    `wanted` is what `Ledger.search` takes. Raises `PolicyRefusal` where somebody else's entries are asked for.
    """
    person = identify(services, reader)
    if person.tier is Tier.AUDITOR:
        asked = {name: value for name, value in wanted.items() if value is not None}
        services.ledger.record(Action.LEDGER_READ, actor=person.id, details=asked)
        return services.ledger.search(**wanted)
    if wanted.get("actor") not in (None, person.id):
        raise PolicyRefusal(
            Fault("NOT_AN_AUDITOR", "Other people's entries are open to auditors only.", rule="ledger",
                  fix="Leave the person out to read your own, or ask an auditor."))  # fmt: skip
    return services.ledger.search(**{**wanted, "actor": person.id})


def my_entries_in_project(services: Services, asker: Asker, limit: int, before: int | None = None) -> tuple[Entry, ...]:
    """Return the asker's own entries of this project, newest first; `before` is the number of the last one known."""
    person, project = identify(services, asker.person), project_of(services, asker)
    return services.ledger.search(actor=person.id, project=project.id if project else None, before=before, limit=limit)


def my_receipt(services: Services, asker: Asker, receipt: ReceiptId) -> Mapping[str, Any]:
    """Return one of the asker's own receipts, as it was recorded."""
    entry = services.ledger.find_receipt(receipt)
    if entry is None or entry.actor != identify(services, asker.person).id:
        raise NotFoundError(Fault("NO_SUCH_RECEIPT", "You have no such receipt."))
    return entry.details


def record_sign_in(services: Services, asker: Asker, *, signed_in: bool) -> None:
    """Tell the ledger that somebody came or went."""
    action = Action.SIGNED_IN if signed_in else Action.SIGNED_OUT
    services.ledger.record(action, actor=identify(services, asker.person).id, subject=asker.person)
