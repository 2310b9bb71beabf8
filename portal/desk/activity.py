"""What was done: a person's own entries and receipts."""

from collections.abc import Mapping
from typing import Any

from portal.desk.access import identify, project_of
from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.errors import Fault, NotFoundError
from portal.ids import ReceiptId
from portal.ledger import Action, Entry


def my_entries(services: Services, asker: Asker, limit: int = 200) -> tuple[Entry, ...]:
    """Return the asker's own ledger entries, newest first."""
    return services.ledger.search(actor=identify(services, asker.person).id, limit=limit)


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
