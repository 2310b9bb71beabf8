"""The names that a statement gives to tables. None may be the name of another dataset: who reads it would be misled."""

from collections.abc import Collection, Iterator

from sqlglot import exp

from portal.errors import Fault
from portal.ids import DatasetName
from portal.sql.places import Words, fault_at, fold, start_of
from portal.sql.reading import Parsed

_TAKEN = Words(
    code="SQL_NAME_TAKEN",
    message="This name is given to a table, and it is the name of another dataset.",
    rule="sql.names",
    fix="Choose another name for it.",
)


def labels_of(parsed: Parsed) -> tuple[DatasetName, ...]:
    """Return the names, folded, that the statement gives to tables, beside their own."""
    return tuple(dict.fromkeys(name for name, _ in _labels(parsed)))


def faults_of_labels(parsed: Parsed, datasets: Collection[str]) -> Iterator[Fault]:
    """Yield a fault for each name that is one of these datasets, which are folded and all open to the asker."""
    for name, node in _labels(parsed):
        if name in datasets:
            yield fault_at(parsed.text, start_of(node), _TAKEN)


def _labels(parsed: Parsed) -> Iterator[tuple[DatasetName, exp.Expr]]:
    for alias in parsed.tree.find_all(exp.TableAlias):
        own = fold(alias.parent.name) if isinstance(alias.parent, exp.Table) else ""
        name = fold(alias.name)
        if name and name != own:
            yield DatasetName(name), alias
