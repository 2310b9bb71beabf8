"""The ledger remembers: who did what, when and under which decision, in a chain that no edit can mend."""

from portal.ledger.checkpoints import Checkpoint
from portal.ledger.entries import Action, Entry, Event, Head
from portal.ledger.ledger import Ledger
from portal.ledger.verification import LedgerFault, faults_of_export

__all__ = ["Action", "Checkpoint", "Entry", "Event", "Head", "Ledger", "LedgerFault", "faults_of_export"]
