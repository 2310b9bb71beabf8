"""What the SQL editor may propose: only what is open to the one who asks."""

from collections.abc import Iterable
from typing import Any

from portal.desk.answers import CatalogueEntry
from portal.policy.decision import Permit
from portal.policy.model import Access
from portal.policy.uses import FREELY, ColumnUses, uses_of
from portal.sql.functions import describe_functions
from portal.workspaces.plan import governed_schema

MOST_VALUES = 400
"""As many values of one column as are worth sending to a browser at every change."""


def words_for(entries: Iterable[CatalogueEntry]) -> dict[str, Any]:
    """Return datasets with the columns that may be used, the values of their codebook, and the functions, for JSON."""
    permits = [(entry, entry.decision) for entry in entries if isinstance(entry.decision, Permit)]
    return {
        "datasets": [_dataset(entry, permit) for entry, permit in permits if permit.access >= Access.AGGREGATES],
        "functions": [{"name": name, "kind": each.kind} for each in describe_functions() for name in each.names],
    }


def _dataset(entry: CatalogueEntry, permit: Permit) -> dict[str, Any]:
    columns = governed_schema(entry.dataset, permit.obligations).columns
    uses = {use.column: use for use in uses_of(permit.obligations) if use != ColumnUses(use.column)}
    return {
        "name": entry.dataset.name,
        "title": entry.dataset.title,
        "columns": [
            {
                "name": name,
                "type": kind.lower(),
                "meaning": entry.dataset.columns[name].meaning,
                "values": _values(entry, name) if _is_shown(uses[name], permit) else {},
            }
            for name, kind in columns.items()
            if name in uses
        ],
    }


def _is_shown(use: ColumnUses, permit: Permit) -> bool:
    """Whether a column holds its values as the codebook has them: unmasked, and open to conditions."""
    return bool(use.filter) and (use.output == FREELY or permit.access is Access.AGGREGATES)


def _values(entry: CatalogueEntry, column: str) -> dict[str, str]:
    values = entry.dataset.columns[column].values or {}
    return dict(list(values.items())[:MOST_VALUES])
