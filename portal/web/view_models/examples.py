"""A first statement to begin from, over a dataset that is open to the one who asks."""

from collections.abc import Sequence

from portal.desk.answers import CatalogueEntry
from portal.policy.decision import Permit
from portal.policy.model import Access, Disclosure


def example_for(entries: Sequence[CatalogueEntry]) -> str:
    """Return a statement that reads rows where some are open, else statistics; empty where there is nothing to read."""
    permits = [entry.decision for entry in entries if isinstance(entry.decision, Permit) and entry.release is not None]
    readable = [permit for permit in permits if permit.access >= Access.AGGREGATES]
    chosen = next(iter(sorted(readable, key=lambda permit: permit.access is not Access.ROWS)), None)
    if chosen is None:
        return ""
    rules = chosen.obligations.disclosure
    return _counting(chosen.dataset, rules) if rules else f"SELECT *\nFROM {chosen.dataset}\nLIMIT 10"


def _counting(dataset: str, rules: Disclosure) -> str:
    keys = [name for name, use in rules.dimensions.items() if use.equal]
    keys = keys or [f"date_trunc('{use.period}', {name})" for name, use in rules.dimensions.items() if use.period]
    if not keys:
        return f"SELECT count(*) AS n\nFROM {dataset}"
    return f"SELECT {keys[0]}, count(*) AS n\nFROM {dataset}\nGROUP BY ALL\nORDER BY n DESC"
