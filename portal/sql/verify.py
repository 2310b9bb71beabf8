"""The second opinion: DuckDB's own reading of a text, held against an allowlist of its own.

DuckDB is asked to parse only, in an instance that holds nothing. Whatever of its tree was never looked at is refused.
"""

from collections.abc import Collection, Iterator

from portal.errors import Fault, StatementRefusal
from portal.sql.agreement import Tree, nodes_of
from portal.sql.functions import FUNCTIONS, SERIES
from portal.sql.places import fold
from portal.sql.plan import StatementParser

_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"})
_RELATIONS = frozenset({"BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST", "PIVOT", "TABLE_FUNCTION"})
_MODIFIERS = frozenset({"ORDER_MODIFIER", "LIMIT_MODIFIER", "DISTINCT_MODIFIER"})
_DIRECTIONS = frozenset({"ASCENDING", "DESCENDING", "ORDER_DEFAULT"})
_WITHOUT_CLASS = _QUERIES | _RELATIONS | _MODIFIERS | _DIRECTIONS
_EXPRESSIONS = """
    BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION LAMBDA LAMBDA_REF OPERATOR PARAMETER
    POSITIONAL_REFERENCE STAR SUBQUERY TYPE WINDOW"""
_CLASSES = frozenset(_EXPRESSIONS.split())
_SIGNS = "+ - * / // % ** ^ @ & | ~ << >> || && @> <@ <-> ^@ -> ->> ~~ !~~ ~~* !~~* ~~~ !__postfix"
_OPERATORS = frozenset(_SIGNS.split())
_WRITTEN_BY_PARSER = frozenset({"count_star", "unpivot_list", "json_extract", "array_slice"})
_TABLE_FUNCTIONS = SERIES | {"unnest"}
_MUST_BE_EMPTY = ("at_clause", "export_state", "catalog_name", "schema_name")


def verify(sql: str, tables: Collection[str], parser: StatementParser) -> None:
    """Check that DuckDB reads the text as one query over exactly these tables, of allowed nodes and functions only.

    Raises:
        StatementRefusal: It does not.
    """
    if any(True for _ in unseen(parser.serialise(sql), tables)):
        raise StatementRefusal(unverified())


def unverified() -> Fault:
    """Return the fault of a statement on which the two readings differ, or that holds what was never looked at."""
    return Fault(
        code="SQL_UNVERIFIED",
        message="The portal could not make sure that DuckDB reads this statement the way the portal does.",
        rule="sql.second_opinion",
        fix="Write it in plainer SQL: parentheses around operators, CAST(x AS type), an alias for each column.",
    )


def unseen(tree: Tree, tables: Collection[str]) -> Iterator[str]:
    """Yield what in DuckDB's tree is not allowed; nothing, if all is."""
    statements = tree.get("statements", ())
    if tree.get("error") or len(statements) != 1:
        yield "not one query"
        return
    nodes = list(nodes_of(statements[0]))
    members = {fold(n["key"]) for n in nodes if _is_member(n)}
    members |= {fold(n["cte_name"]) for n in nodes if "cte_name" in n}
    named = {fold(n["table_name"]) for n in nodes if n.get("type") == "BASE_TABLE"}
    if named - members != set(tables):
        yield "tables"
    for node in nodes:
        yield from _unseen_in(node)


def _is_member(node: Tree) -> bool:
    """Whether the node is an entry of a WITH."""
    return isinstance(node.get("value"), dict) and "query_node" in node["value"]


def _unseen_in(node: Tree) -> Iterator[str]:
    kind = node.get("type")
    if "class" in node:
        if node["class"] not in _CLASSES:
            yield str(node["class"])
    elif isinstance(kind, str) and kind not in _WITHOUT_CLASS:
        yield kind
    if any(node.get(slot) for slot in _MUST_BE_EMPTY):
        yield "slot"
    if node.get("class") in ("FUNCTION", "WINDOW") and not _is_known(fold(node.get("function_name", ""))):
        yield "function"
    if kind == "TABLE_FUNCTION" and fold(node["function"]["function_name"]) not in _TABLE_FUNCTIONS:
        yield "table function"


def _is_known(name: str) -> bool:
    return name in FUNCTIONS or name in _OPERATORS or name in _WRITTEN_BY_PARSER
