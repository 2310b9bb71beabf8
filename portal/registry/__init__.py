"""The registry: people, projects, grants, tokens and downloads; no change without an entry in the ledger."""
