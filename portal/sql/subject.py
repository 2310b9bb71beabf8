"""What a block is about: one protected dataset or two, with the rules of their use, and the public tables joined."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from sqlglot import exp

from portal.errors import Fault
from portal.ids import DatasetName
from portal.policy.model import DimensionUse, Disclosure
from portal.sql.blocks import Atom
from portal.sql.lexing import MAX_BYTES
from portal.sql.places import Words, fault_at, fold, start_of
from portal.sql.plan import ParameterValue, Protected, TableSchema

_DIGITS = 38
"""As many as DuckDB's longest whole number has."""
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
        "P_PARAMETER": "aggregates.parameters",
    }
)
"""Every code of the block grammar, with its rule."""


@dataclass(slots=True)
class Reading:
    """One reading of a statement for its blocks; table names are folded. It gathers what is refused.

    `parameters` are the values of the statement's `$name`s, of which a block needs those in its keys and conditions.
    `marks` are the places, line and column, of names that no table has and a block gives a meaning.
    """

    text: str
    tables: Mapping[str, TableSchema]
    protected: Mapping[str, Protected]
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    marks: set[tuple[int, int]] = field(default_factory=set)

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
    """A protected dataset as one block sees it, and a second where two are joined on an entity.

    Block columns are named `column`, or `dataset.column` if public or of the second dataset.
    """

    reading: Reading
    dataset: DatasetName
    sources: tuple[Source, ...]
    second: DatasetName | None = None

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

    def plain(self, node: exp.Expr) -> exp.Expr:
        """Return the node, or for a parameter its value as a literal; a block holds nothing but values."""
        node = bare(node)
        if not isinstance(node, exp.Placeholder):
            return node
        name = str(node.this)
        if name not in self.reading.parameters:
            message = f"${name} needs its value here: what {self.dataset} is asked for is checked before it is asked."
            self.refuse(node, "P_PARAMETER", message, f"Give a value for {name}, or write the value itself.")
            return node
        value = self.reading.parameters[name]
        if not _can_be_written(value):
            message = f"The value of ${name} is not one that a statement could hold."
            self.refuse(node, "P_PARAMETER", message, "Give a shorter text or a smaller number.")
            return node
        return _literal(value)

    def is_public(self, column: str) -> bool:
        """Whether a block column is of a public table."""
        return self._owner(column) is None

    def type_of(self, column: str) -> str:
        """Return the DuckDB type of a block column."""
        dataset, dot, name = column.partition(".")
        owner = self._owner(column)
        return (owner.schema if owner else self.reading.tables[fold(dataset)]).columns[name if dot else column]

    def rules_of(self, column: str) -> Disclosure | None:
        """Return the rules that a block column is under; none, if it is public."""
        owner = self._owner(column)
        return owner.disclosure if owner else None

    def use_of(self, column: str) -> DimensionUse | None:
        """Return how a block column may be grouped and filtered, if it may; a public one by its values."""
        rules = self.rules_of(column)
        return rules.dimensions.get(own_name(column)) if rules else DimensionUse(equal=True)

    def tells_values(self, column: str) -> bool:
        """Whether the values of a block column are told apart, and not only the cells of a grid that they lie in."""
        use = self.use_of(column)
        return use is not None and (bool(use.equal) or (use.period == "day" and self.type_of(column) == "DATE"))

    def kind_of(self, column: str) -> str:
        """Return in words what a block column is to the policy."""
        rules, name = self.rules_of(column), own_name(column)
        if rules is None:
            return "a public column"
        kinds: dict[str, Collection[str]] = {
            "an entity": rules.entities,
            "a measure": rules.measures,
            "a dimension": rules.dimensions,
        }
        return next((kind for kind, columns in kinds.items() if name in columns), "hidden")

    def dimensions(self) -> str:
        """Return the names of its dimensions, for a sentence."""
        return ", ".join(self._columns(lambda rules: rules.dimensions)) or "none"

    def measures(self) -> str:
        """Return the names of its measures, for a sentence."""
        return ", ".join(self._columns(lambda rules: rules.measures)) or "none"

    def countable(self) -> str:
        """Return the names of the columns whose distinct values are counted, for a sentence."""
        told = filter(self.tells_values, self._columns(lambda rules: rules.dimensions))
        return ", ".join([*self._columns(lambda rules: rules.entities), *told])

    def protected(self) -> Iterator[tuple[str, Disclosure]]:
        """Yield the rules of each dataset, with what stands before the block columns of it."""
        yield "", self.reading.protected[fold(self.dataset)].disclosure
        if self.second is not None:
            yield f"{self.second}.", self.reading.protected[fold(self.second)].disclosure

    def _columns(self, chosen: Callable[[Disclosure], Iterable[str]]) -> list[str]:
        return [f"{before}{name}" for before, rules in self.protected() for name in chosen(rules)]

    def _owner(self, column: str) -> Protected | None:
        dataset, dot, _ = column.partition(".")
        if not dot:
            return self.reading.protected[fold(self.dataset)]
        return self.reading.protected[fold(dataset)] if dataset == self.second else None


def own_name(column: str) -> str:
    """Return the name of a block column in its own dataset."""
    return column.rpartition(".")[2]


def whole_number(node: exp.Expr) -> int | None:
    """Return the number that a literal of digits is; None for whatever else the node is."""
    is_whole = isinstance(node, exp.Literal) and not node.is_string and node.name.isdecimal()
    return int(node.name) if is_whole and len(node.name) <= _DIGITS else None


def _can_be_written(value: ParameterValue) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_BYTES and "\0" not in value and value == value.encode(errors="replace").decode()
    return not isinstance(value, int) or abs(value) < 10**_DIGITS


def _literal(value: ParameterValue) -> exp.Expr:
    """Return a value as the literal that would be written for it."""
    if value is None:
        return exp.Null()
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, int | float):
        number = exp.Literal.number(repr(abs(value)))
        return exp.Neg(this=number) if value < 0 else number
    if isinstance(value, str):
        return exp.Literal.string(value)
    kind = exp.DType.TIMESTAMP if isinstance(value, datetime) else exp.DType.DATE
    return exp.Cast(this=exp.Literal.string(value.isoformat()), to=exp.DataType(this=kind))


def bare(node: exp.Expr) -> exp.Expr:
    """Return the node without parentheses around it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node
