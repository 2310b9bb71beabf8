"""A researcher's text in, one read-only statement out, or a refusal that says where and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sqlglot import exp
from sqlglot.errors import ParseError
from sqlglot.tokenizer_core import Token

from portal.errors import Fault, StatementRefusal
from portal.ids import DatasetName
from portal.sql.dialect import DIALECT, mark_functions, unmark
from portal.sql.lexing import tokens_of
from portal.sql.places import Words, fault_at, fold, start_of
from portal.sql.plan import ParameterValue

_UNREADABLE = Words(
    code="SQL_SYNTAX",
    message="The statement cannot be read as one DuckDB SELECT at this place.",
    rule="sql.syntax",
    fix="Check the words just before this place; write it in plainer SQL if it is right.",
)
_PIVOT = Words(
    code="SQL_PIVOT",
    message="A PIVOT whose columns come from the data cannot be checked before it runs.",
    rule="sql.pivot",
    fix="Name the columns: FROM t PIVOT (sum(v) FOR c IN ('x', 'y')), or write sum(v) FILTER (...).",
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """One statement that reads, as a tree, with the tables outside of it that it names and the parameters it needs.

    `datasets` are folded to lower case. The tree's nodes know their place in `text`; copy the tree before changing it.
    `values` are those that were given for the parameters. They run beside the text, but for what stands in the keys and
    conditions of a block: that is made of values, which must be given and keep the rules of a literal.
    """

    text: str
    tree: exp.Expr
    datasets: tuple[DatasetName, ...]
    parameters: tuple[str, ...]
    values: Mapping[str, ParameterValue] = field(default_factory=dict)


def parse(text: str, values: Mapping[str, ParameterValue] = MappingProxyType({})) -> Parsed:
    """Read a statement, with the values that are given for its parameters.

    Raises:
        StatementRefusal: The text is too long or too deep, is not SQL, or is not exactly one SELECT-like statement.
    """
    tree = _tree(text, tokens_of(text))
    return replace(parsed_from(text, tree), values=values)


def parsed_from(text: str, tree: exp.Expr) -> Parsed:
    """Return a tree, whose nodes have their places in the text, with the tables and parameters that it names."""
    names = dict.fromkeys(fold(table.name) for table in tree.find_all(exp.Table) if is_base_table(table))
    parameters = dict.fromkeys(str(node.this) for node in tree.find_all(exp.Placeholder))
    return Parsed(text, tree, tuple(DatasetName(name) for name in names), tuple(parameters))


def is_base_table(table: exp.Table) -> bool:
    """Whether the table is one outside of the statement: neither a function nor a common table expression."""
    return isinstance(table.this, exp.Identifier) and common_table(table) is None


def is_qualified(table: exp.Table) -> bool:
    """Whether the table is named with a schema or a database."""
    return table.args.get("db") is not None or table.args.get("catalog") is not None


def common_table(table: exp.Table) -> exp.CTE | None:
    """Return the common table expression that the table's name means where it stands, if there is one.

    A WITH is seen by the query that carries it and by its own later members; a member sees itself if it is recursive.
    """
    node: exp.Expr = table
    while node.parent is not None and not is_qualified(table):
        inside, node = node, node.parent
        found = _named(_members_seen(node, inside), table)
        if found is not None:
            return found
    return None


def _members_seen(node: exp.Expr, inside: exp.Expr) -> Sequence[exp.CTE]:
    """Return the members of a WITH that the part `inside` of the node sees."""
    if isinstance(node, exp.With):
        return node.expressions[: (inside.index or 0) + (1 if node.recursive else 0)]
    with_ = node.args.get("with_")
    return with_.expressions if isinstance(with_, exp.With) and inside is not with_ else ()


def _named(members: Sequence[exp.CTE], table: exp.Table) -> exp.CTE | None:
    return next((cte for cte in reversed(members) if fold(cte.alias) == fold(table.name)), None)


def _tree(text: str, tokens: list[Token]) -> exp.Expr:
    mark_functions(tokens)
    try:
        [tree] = DIALECT.parser().parse(tokens, text)
    except ParseError as error:
        place = error.errors[0] if error.errors else {}
        raise StatementRefusal(unreadable(text, _offset(text, place.get("line"), place.get("col")))) from None
    except Exception:  # noqa: BLE001 - sqlglot answers some malformed texts with errors of any kind
        raise StatementRefusal(unreadable(text, 0)) from None
    if isinstance(tree, exp.Pivot) and not tree.args.get("unpivot"):
        raise StatementRefusal(fault_at(text, start_of(tree), _PIVOT))
    if not isinstance(tree, (exp.Query, exp.Values, exp.Pivot)):
        raise StatementRefusal(unreadable(text, start_of(tree)))
    unmark(tree)
    return tree


def _offset(text: str, line: int | None, column: int | None) -> int:
    """Return the offset of sqlglot's line and column, which name a token's last character."""
    lines = text.split("\n")
    return sum(len(one) + 1 for one in lines[: (line or 1) - 1]) + max((column or 1) - 1, 0)


def unreadable(text: str, start: int) -> Fault:
    """Return the fault of a text that stops making sense at an offset."""
    return fault_at(text, start, _UNREADABLE)
