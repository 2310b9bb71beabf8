"""The second opinion: DuckDB's own reading of a text, held against an allowlist of its own, and against another text.

DuckDB is asked to parse only, in an instance that holds nothing. Two differently built parsers must agree on what a
statement is: what was checked is then what runs, and what runs is what was asked.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from portal.errors import Fault, StatementRefusal
from portal.sql.functions import FUNCTIONS, SERIES
from portal.sql.places import fold
from portal.sql.plan import StatementParser

Tree = Mapping[str, Any]

_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE"})
_RELATIONS = frozenset({"BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST", "PIVOT", "TABLE_FUNCTION"})
_MODIFIERS = frozenset({"ORDER_MODIFIER", "LIMIT_MODIFIER", "DISTINCT_MODIFIER"})
_DIRECTIONS = frozenset({"ASCENDING", "DESCENDING", "ORDER_DEFAULT"})
_WITHOUT_CLASS = _QUERIES | _RELATIONS | _MODIFIERS | _DIRECTIONS
_CLASSES = frozenset(
    """BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION LAMBDA LAMBDA_REF OPERATOR PARAMETER
    POSITIONAL_REFERENCE STAR SUBQUERY TYPE WINDOW""".split()
)
_OPERATORS = frozenset(
    "!~~ !~~* % & && * ** + - -> ->> / // << <-> <@ >> @ @> ^ ^@ | || ~ ~~ ~~* ~~~ !__postfix".split()
)
_WRITTEN_BY_PARSER = frozenset({"count_star", "unpivot_list", "json_extract", "array_slice"})
_TABLE_FUNCTIONS = SERIES | {"unnest"}
_MUST_BE_EMPTY = ("at_clause", "export_state", "catalog_name", "schema_name")

_PLACES = frozenset({"query_location", "query_location_length"})
_SPELLING = _PLACES | {"is_operator", "syntax_type", "is_implicit", "qualified_name"}
_FOLDED = frozenset({"function_name", "type_name", "table_name", "schema", "catalog"})
_SYNONYMS: Mapping[str, str] = MappingProxyType(
    {
        **{
            "**": "pow",
            "^": "pow",
            "power": "pow",
            "@": "abs",
            "^@": "starts_with",
            "strpos": "position",
            "percentile_cont": "quantile_cont",
        },
        "percentile_disc": "quantile_disc",
        **{"text": "varchar", "string": "varchar", "char": "varchar", "bpchar": "varchar"},
        **{"int": "integer", "int4": "integer", "signed": "integer", "int8": "bigint", "long": "bigint"},
        **{"int2": "smallint", "short": "smallint", "int1": "tinyint", "int128": "hugeint", "float4": "real"},
        **{"float": "real", "float8": "double", "numeric": "decimal", "bool": "boolean", "logical": "boolean"},
        **{
            "datetime": "timestamp",
            "timestamp_us": "timestamp",
            "bytea": "blob",
            "varbinary": "blob",
            "binary": "blob",
        },
        **{"timestamptz": "timestamp with time zone"},
    }
)
_LAST_BY_DEFAULT: Mapping[str, str] = MappingProxyType({"NULLS LAST": "ORDER_DEFAULT", "ASCENDING": "ORDER_DEFAULT"})
_SPAN = re.compile(r"\s*(-?[0-9.]+)\s*([a-z]+?)s?\s*", re.IGNORECASE)


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
        fix="Write it in plainer SQL: parentheses around operators, CAST(x AS type), CASE, and an alias for each column.",
    )


def unseen(tree: Tree, tables: Collection[str]) -> Iterator[str]:
    """Yield what in DuckDB's tree is not allowed; nothing, if all is."""
    statements = tree.get("statements", ())
    if tree.get("error") or len(statements) != 1:
        yield "not one query"
        return
    nodes = list(_dicts(statements[0]))
    members = {fold(n["key"]) for n in nodes if "key" in n and "value" in n}
    members |= {fold(n["cte_name"]) for n in nodes if "cte_name" in n}
    named = {fold(n["table_name"]) for n in nodes if n.get("type") == "BASE_TABLE"}
    if named - members != set(tables):
        yield "tables"
    for node in nodes:
        yield from _unseen_in(node)


def _dicts(root: Any) -> Iterator[Tree]:  # noqa: ANN401 - any JSON value
    pending = [root]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            yield value
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


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


def same(left: Any, right: Any, *, spelling: bool) -> bool:  # noqa: ANN401 - any JSON values
    """Whether DuckDB reads two texts alike: to the letter, or (`spelling` false) up to ways of writing the same."""
    pending = [(left, right)]
    while pending:
        one, other = pending.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            one, other = (_exact(one), _exact(other)) if spelling else (_plain(one), _plain(other))
            if one.keys() != other.keys():
                return False
            pending.extend((one[key], other[key]) for key in one)
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            pending.extend(zip(one, other, strict=True))
        elif one != other:
            return False
    return True


def _exact(node: Tree) -> Tree:
    return {key: value for key, value in node.items() if key not in _PLACES}


def _plain(node: Tree) -> Tree:
    """Return the node without what is only a way of writing it."""
    for rule in _SAME_MEANING:
        node = rule(node)
    plain = {key: _word(key, value) for key, value in node.items() if key not in _SPELLING}
    literal = plain.get("literal")
    if isinstance(literal, dict) and literal.get("kind") in ("INTEGER", "DECIMAL", "FLOAT", "NUMERIC"):
        text = literal["text"].replace("_", "")
        plain["literal"] = {**literal, "text": f"0{text}" if text.startswith(".") else text}
    return plain


def _word(key: str, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if key in _FOLDED and isinstance(value, str):
        return _SYNONYMS.get(fold(value), fold(value))
    if key == "column_names":
        return [fold(name) for name in value]
    if key in ("null_order", "type") and isinstance(value, str):
        return _LAST_BY_DEFAULT.get(value, value)
    return value


def _unary_plus(node: Tree) -> Tree:
    while node.get("function_name") == "+" and len(node["arguments"]) == 1:
        node = {**node["arguments"][0]["expression"], "alias": node["alias"]}
    return node


def _null_test(node: Tree) -> Tree:
    """`NOT x IS NULL` is `x IS NOT NULL`."""
    if node.get("type") == "OPERATOR_NOT" and node["children"][0].get("type") == "OPERATOR_IS_NULL":
        return {**node, "type": "OPERATOR_IS_NOT_NULL", "children": node["children"][0]["children"]}
    return node


def _cross_join(node: Tree) -> Tree:
    """`a, b` is `a JOIN b ON TRUE`."""
    if node.get("type") == "JOIN" and node.get("join_type") == "INNER":
        condition = node.get("condition") or {}
        if condition.get("literal", {}).get("kind") == "BOOLEAN" and condition["literal"].get("text") == "true":
            return {**node, "condition": None, "ref_type": "CROSS"}
    return node


def _interval(node: Tree) -> Tree:
    """`INTERVAL '2 days'`, `INTERVAL 2 DAY` and `INTERVAL '2' DAYS` are one."""
    if node.get("class") == "CAST" and fold(node["type_expr"].get("type_name", "")) == "interval":
        span = _SPAN.fullmatch(node["child"].get("literal", {}).get("text", ""))
    elif node.get("class") == "FUNCTION" and node["function_name"].startswith("to_") and len(node["arguments"]) == 1:
        text = _only_literal(node["arguments"][0]["expression"])
        span = _SPAN.fullmatch(f"{text} {node['function_name'].removeprefix('to_')}") if text else None
    else:
        return node
    return {"interval": [span[1], fold(span[2])], "alias": node["alias"]} if span else node


def _array(node: Tree) -> Tree:
    """`ARRAY[1, 2]` is `[1, 2]`."""
    if node.get("type") != "ARRAY_CONSTRUCTOR":
        return node
    arguments = [{"name": "", "expression": child} for child in node["children"]]
    return {**_EMPTY_CALL, "alias": node["alias"], "function_name": "list_value", "arguments": arguments}


def _values(node: Tree) -> Tree:
    """`(SELECT * FROM (VALUES (1))) AS valueslist` is DuckDB's way of writing `(VALUES (1))`."""
    if node.get("type") != "SUBQUERY" or node.get("alias") != "valueslist":
        return node
    query = node["subquery"]["node"]
    kept = {key for key, value in query.items() if value and key not in ("type", "aggregate_handling", "cte_map")}
    is_list = kept == {"select_list", "from_table"} and query["from_table"]["type"] == "EXPRESSION_LIST"
    is_all = is_list and [item["class"] for item in query["select_list"]] == ["STAR"]
    return {**query["from_table"], "alias": node["alias"]} if is_all and not query["cte_map"]["map"] else node


_EMPTY_CALL: Tree = MappingProxyType(
    {
        "class": "FUNCTION",
        "type": "FUNCTION",
        "schema": "",
        "filter": None,
        "order_bys": {"type": "ORDER_MODIFIER", "orders": []},
        "distinct": False,
        "export_state": False,
        "catalog": "",
    }
)
_SAME_MEANING = (_unary_plus, _cross_join, _null_test, _array, _values, _interval)


def _only_literal(node: Tree) -> str:
    """Return the literal under the casts that DuckDB puts around an interval's number."""
    while "literal" not in node:
        if node.get("class") == "CAST":
            node = node["child"]
        elif node.get("function_name") == "trunc":
            node = node["arguments"][0]["expression"]
        else:
            return ""
    return str(node["literal"].get("text", ""))
