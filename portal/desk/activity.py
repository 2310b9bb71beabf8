"""What was done: a person's own entries and receipts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.desk.access import identify
from portal.desk.answers import Asker
from portal.desk.services import Services
from portal.errors import Fault, NotFoundError
from portal.ids import ReceiptId
from portal.ledger import Action, Entry

LOOKED_THROUGH = 500
"""Entries of the ledger among which earlier statements are sought."""


def my_entries(services: Services, asker: Asker, limit: int = 200) -> tuple[Entry, ...]:
    """Return the asker's own ledger entries, newest first."""
    return services.ledger.search(actor=identify(services, asker.person).id, limit=limit)


@dataclass(frozen=True, slots=True)
class PastStatement:
    """A statement as it was last asked; `refused` where no answer came of it."""

    text: str
    at: datetime
    refused: bool


def my_statements(services: Services, asker: Asker, limit: int = 50) -> tuple[PastStatement, ...]:
    """Return the asker's own statements, each once, newest first."""
    past: dict[str, PastStatement] = {}
    for entry in my_entries(services, asker, LOOKED_THROUGH):
        text = entry.details.get("statement")
        if isinstance(text, str) and text.strip():
            past.setdefault(text, PastStatement(text, entry.at, entry.action is not Action.STATEMENT_RAN))
    return tuple(past.values())[:limit]


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
