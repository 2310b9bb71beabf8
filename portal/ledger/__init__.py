"""The ledger remembers: who did what, when and under which decision, in a chain that no edit can mend."""
