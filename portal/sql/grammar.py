"""The closed world: which kinds of node a statement may hold, with which arguments, and how functions may be called.

A node class, an argument slot or a function that is not listed is refused, so what a later sqlglot learns to read stays
refused until someone has looked at it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType

from sqlglot import exp

from portal.errors import Fault
from portal.sql.calls import faults_of_call, faults_of_function
from portal.sql.functions import SERIES
from portal.sql.nodes import NODES
from portal.sql.places import Words, fault_at, fold, is_address, start_of
from portal.sql.reading import Parsed, common_table, is_qualified

_TABLE_FUNCTION = Words(
    code="SQL_TABLE_FUNCTION",
    message="A function cannot stand in place of a table.",
    rule="sql.table_functions",
    fix="Name a dataset; unnest(...), and range(...) with small literal bounds, are the exceptions.",
)
_QUALIFIED = Words(
    code="SQL_QUALIFIED_NAME",
    message="A table is named without schema or database.",
    rule="sql.tables",
    fix="Write the dataset's name alone.",
)
_FILE = Words(
    code="SQL_FILE_NAME",
    message="A file or address cannot stand in place of a table.",
    rule="sql.files",
    fix="Name a dataset of the catalogue.",
)
_TAKEN = Words(
    code="SQL_NAME_TAKEN",
    message="The name of a dataset cannot be given to something else.",
    rule="sql.names",
    fix="Choose another name.",
)
_ENDLESS = Words(
    code="SQL_ENDLESS_RECURSION",
    message="This recursion has no condition that ends it.",
    rule="sql.recursion",
    fix="Add a WHERE to the part that repeats, such as WHERE n < 100, or use UNION instead of UNION ALL.",
)
_TYPE = Words(
    code="SQL_TYPE",
    message="There is no such type.",
    rule="sql.types",
    fix="Use one of DuckDB's own types, such as INTEGER, DOUBLE, VARCHAR, DATE or TIMESTAMP.",
)
_WRITES = Words(
    code="SQL_READ_ONLY",
    message="This part of the statement changes something; a statement only reads.",
    rule="sql.read_only",
    fix="Write a SELECT in its place.",
)


def faults_of_grammar(parsed: Parsed, tables: Collection[str]) -> Iterator[Fault]:
    """Yield what in the statement is outside the closed world; `tables` are the folded names of the datasets."""
    for node in parsed.tree.walk():
        if type(node) not in NODES:
            if not _is_table_function(node.parent):  # a function in place of a table is that table's fault
                yield _unlisted(parsed.text, node)
            continue
        for slot, value in node.args.items():
            if value not in (None, False, [], "") and slot not in NODES[type(node)]:
                yield _construct(parsed.text, value if isinstance(value, exp.Expr) else node, slot)
        yield from (fault_at(parsed.text, start_of(place), words) for place, words in _misuses(node, tables))
        if isinstance(node, exp.Anonymous) and not _is_table_function(node.parent):
            yield from faults_of_call(parsed.text, node)


def _unlisted(text: str, node: exp.Expr) -> Fault:
    if isinstance(node, exp.Func):
        return faults_of_function(text, node)
    if isinstance(node, (exp.DML, exp.DDL, exp.Command, exp.Copy)):
        return fault_at(text, start_of(node), _WRITES)
    return _construct(text, node, type(node).__name__)


def _construct(text: str, node: exp.Expr, what: str) -> Fault:
    words = Words(
        code="SQL_CONSTRUCT",
        message=f"This part of the statement ({what.strip('_')}) is not among the constructs that the portal runs.",
        rule="sql.closed_world",
        fix="Leave it out, or write the same in plainer SQL.",
    )
    return fault_at(text, start_of(node), words)


_Misuse = tuple[exp.Expr, Words]


def _misuses(node: exp.Expr, tables: Collection[str]) -> Iterator[_Misuse]:
    check = _CHECKS.get(type(node))
    return check(node, tables) if check is not None else iter(())


def _table(node: exp.Expr, tables: Collection[str]) -> Iterator[_Misuse]:
    assert isinstance(node, exp.Table)
    if not isinstance(node.this, exp.Identifier):
        if _is_table_function(node):
            yield node, _TABLE_FUNCTION
    elif is_qualified(node):
        yield node, _QUALIFIED
    elif is_address(node.name):
        yield node, _FILE
    if fold(node.name) not in tables or fold(node.alias) != fold(node.name):
        yield from _alias(node, tables)


def _is_table_function(node: exp.Expr | None) -> bool:
    """Whether the FROM item is a function other than unnest, or a series, which is checked as a call."""
    if not isinstance(node, (exp.Table, exp.Lateral)):
        return False
    if isinstance(node.this, (exp.Identifier, exp.Query, exp.Unnest, exp.Explode)):
        return False
    return not (isinstance(node.this, exp.Anonymous) and fold(str(node.this.this)) in SERIES)


def _lateral(node: exp.Expr, tables: Collection[str]) -> Iterator[_Misuse]:
    if _is_table_function(node):
        yield node, _TABLE_FUNCTION
    yield from _alias(node, tables)


def _alias(node: exp.Expr, tables: Collection[str]) -> Iterator[_Misuse]:
    alias = node.args.get("alias")
    if isinstance(alias, exp.TableAlias) and fold(alias.name) in tables:
        yield alias, _TAKEN


def _member(node: exp.Expr, tables: Collection[str]) -> Iterator[_Misuse]:
    yield from _alias(node, tables)
    query = node.this
    if isinstance(query, exp.Union) and not query.args.get("distinct"):
        again = [table for table in query.expression.find_all(exp.Table) if common_table(table) is node]
        ends = query.expression.find(exp.Where, exp.Join, exp.Having, exp.Qualify, exp.Limit)
        if again and ends is None:
            yield again[0], _ENDLESS


def _type(node: exp.Expr, _tables: Collection[str]) -> Iterator[_Misuse]:
    if node.this is exp.DType.USERDEFINED or not isinstance(node.this, (exp.DType, exp.Interval)):
        yield node, _TYPE


_CHECKS: Mapping[type[exp.Expr], Callable[[exp.Expr, Collection[str]], Iterator[_Misuse]]] = MappingProxyType(
    {
        exp.Table: _table,
        exp.CTE: _member,
        exp.Subquery: _alias,
        exp.Lateral: _lateral,
        exp.Unnest: _alias,
        exp.Values: _alias,
        exp.Pivot: _alias,
        exp.DataType: _type,
    }
)
