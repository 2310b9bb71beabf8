"""What a block is about: a protected dataset with the rules of its use, and the public tables joined to it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sqlglot import exp

from portal.errors import Fault
from portal.ids import DatasetName
from portal.policy.model import DimensionUse, Disclosure
from portal.sql.blocks import Atom
from portal.sql.places import Words, fault_at, fold, start_of
from portal.sql.plan import Protected, TableSchema

_RULES: Mapping[str, str] = MappingProxyType(
    {
        "P_ROWS": "aggregates.no_rows",
        "P_AGG": "aggregates.functions",
        "P_AGGARG": "aggregates.columns_only",
        "P_GROUP": "aggregates.groups",
        "P_FILTER": "aggregates.conditions",
        "P_JOIN": "aggregates.joins",
        "P_NAME": "aggregates.names",
        "P_STEP": "aggregates.second_step",
    }
)
"""Every code of the block grammar, with its rule."""


@dataclass(slots=True)
class Reading:
    """One reading of a statement for its blocks; table names are folded. It gathers what is refused."""

    text: str
    tables: Mapping[str, TableSchema]
    protected: Mapping[str, Protected]
    faults: list[Fault] = field(default_factory=list)

    def refuse(self, node: exp.Expr, dataset: str, code: str, message: str, fix: str) -> None:
        """Add a fault at the node's place."""
        words = Words(code=code, message=message, rule=_RULES[code], fix=fix)
        self.faults.append(replace(fault_at(self.text, start_of(node), words), dataset=dataset))


@dataclass(frozen=True, slots=True)
class Source:
    """What one FROM item of a block offers under its alias: visible names, folded, and the block columns behind them.

    `atoms` are the conditions of the selections that lie between it and the dataset.
    """

    alias: str
    dataset: DatasetName
    columns: Mapping[str, str]
    atoms: tuple[Atom, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """A protected dataset as one block sees it. Block columns are named `column`, or `dataset.column` if public."""

    reading: Reading
    dataset: DatasetName
    sources: tuple[Source, ...]

    @property
    def disclosure(self) -> Disclosure:
        """The rules of its use."""
        return self.reading.protected[fold(self.dataset)].disclosure

    def refuse(self, node: exp.Expr, code: str, message: str, fix: str) -> None:
        """Add a fault at the node's place."""
        self.reading.refuse(node, self.dataset, code, message, fix)

    def find(self, node: exp.Expr) -> str | None:
        """Return the block column that a node names; None for whatever else it is."""
        if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star) or node.args.get("db"):
            return None
        name, table = fold(node.name), fold(node.table)
        seen = (source for source in self.sources if table in ("", source.alias))
        return next((source.columns[name] for source in seen if name in source.columns), None)

    def type_of(self, column: str) -> str:
        """Return the DuckDB type of a block column."""
        dataset, dot, name = column.partition(".")
        if dot:
            return self.reading.tables[fold(dataset)].columns[name]
        return self.reading.protected[fold(self.dataset)].schema.columns[column]

    def use_of(self, column: str) -> DimensionUse | None:
        """Return how a block column may be grouped and filtered, if it may; a public one by its values."""
        return DimensionUse(equal=True) if "." in column else self.disclosure.dimensions.get(column)

    def kind_of(self, column: str) -> str:
        """Return in words what a block column is to the policy."""
        rules = self.disclosure
        kinds: dict[str, Collection[str]] = {
            "an entity": rules.entities,
            "a measure": rules.measures,
            "a dimension": rules.dimensions,
        }
        own = next((kind for kind, columns in kinds.items() if column in columns), "hidden")
        return "a public column" if "." in column else own

    def dimensions(self) -> str:
        """Return the names of its dimensions, for a sentence."""
        return ", ".join(self.disclosure.dimensions) or "none"

    def measures(self) -> str:
        """Return the names of its measures, for a sentence."""
        return ", ".join(self.disclosure.measures) or "none"


def bare(node: exp.Expr) -> exp.Expr:
    """Return the node without parentheses around it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node
