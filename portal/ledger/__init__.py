"""The ledger remembers: who did what, when and under which decision, in a chain that no edit can mend."""

from portal.ledger.entries import Action, Checkpoint, Entry, Event
from portal.ledger.ledger import Ledger
from portal.ledger.verification import LedgerFault

__all__ = ["Action", "Checkpoint", "Entry", "Event", "Ledger", "LedgerFault"]
