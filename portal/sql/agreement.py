"""Whether two texts are one statement to DuckDB, and whether its answers have the same column names.

sqlglot and DuckDB are built differently. When DuckDB reads what sqlglot wrote as it reads what the researcher wrote,
both understood the same: what was checked is what runs, and what runs is what was asked.
"""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from portal.sql.places import fold

Tree = Mapping[str, Any]
"""A node of `json_serialize_sql`, or the whole of it."""

_PLACES = frozenset({"query_location", "query_location_length"})
_SPELLING = _PLACES | {"is_operator", "syntax_type", "is_implicit", "qualified_name"}
_FOLDED = frozenset({"function_name", "type_name", "table_name", "schema", "catalog"})
_ONE_MEANING = (
    ("abs", "@"),
    ("pow", "power", "**", "^"),
    ("position", "strpos"),
    ("quantile_cont", "percentile_cont"),
    ("quantile_disc", "percentile_disc"),
    ("starts_with", "^@"),
    ("bigint", "int8", "long"),
    ("blob", "bytea", "binary", "varbinary"),
    ("boolean", "bool", "logical"),
    ("decimal", "numeric"),
    ("double", "float8"),
    ("hugeint", "int128"),
    ("integer", "int", "int4", "signed"),
    ("real", "float", "float4"),
    ("smallint", "int2", "short"),
    ("timestamp", "datetime", "timestamp_us"),
    ("timestamp with time zone", "timestamptz"),
    ("tinyint", "int1"),
    ("varchar", "text", "string", "char", "bpchar"),
)
"""Functions and types that DuckDB knows by several names."""
_SYNONYMS: Mapping[str, str] = MappingProxyType({name: names[0] for names in _ONE_MEANING for name in names[1:]})
_BY_DEFAULT: Mapping[str, str] = MappingProxyType({"NULLS LAST": "ORDER_DEFAULT", "ASCENDING": "ORDER_DEFAULT"})
_SPAN = re.compile(r"\s*(-?[0-9.]+)\s*([a-z]+?)s?\s*", re.IGNORECASE)


def nodes_of(root: Any) -> Iterator[Tree]:  # noqa: ANN401 - any JSON value
    """Yield every node of a tree."""
    pending = [root]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            yield value
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


def same(one: Tree, other: Tree) -> bool:
    """Whether DuckDB reads two texts alike, up to ways of writing the same."""
    pending: list[tuple[Any, Any]] = [(one, other)]
    while pending:
        left, right = pending.pop()
        if isinstance(left, dict) and isinstance(right, dict):
            if not _alike(left, right):
                left, right = _plain(left), _plain(right)
            if left.keys() != right.keys():
                return False
            pending.extend((left[key], right[key]) for key in left if key not in _PLACES)
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
            pending.extend(zip(left, right, strict=True))
        elif left != right:
            return False
    return True


def same_names(one: Tree, other: Tree) -> bool:
    """Whether two texts that read alike also name their columns alike: a column without alias is named by its text."""
    return _unnamed(one) == _unnamed(other)


def _unnamed(tree: Tree) -> list[Any]:
    lists = (node["select_list"] for node in nodes_of(tree) if "select_list" in node)
    return [_without_places(item) for items in lists for item in items if not item["alias"]]


def _without_places(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {key: _without_places(item) for key, item in value.items() if key not in _PLACES}
    return [_without_places(item) for item in value] if isinstance(value, list) else value


def _alike(left: Tree, right: Tree) -> bool:
    """Whether two nodes agree in all that is not a node below them, so that no rule of writing is needed."""
    if left.keys() != right.keys() or str(left.get("function_name", "")).startswith("to_"):
        return False
    return all(
        left[key] == right[key] or isinstance(left[key], (dict, list)) for key in left if key not in _PLACES
    ) and left.get("column_names") == right.get("column_names")


def _plain(node: Tree) -> Tree:
    """Return the node without what is only a way of writing it."""
    for rule in _SAME_MEANING:
        node = rule(node)
    return {key: _word(key, value) for key, value in node.items() if key not in _SPELLING}


def _word(key: str, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if key in _FOLDED and isinstance(value, str):
        return _SYNONYMS.get(fold(value), fold(value))
    if key == "column_names":
        return [fold(name) for name in value]
    if key in ("null_order", "type") and isinstance(value, str):
        return _BY_DEFAULT.get(value, value)
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


def _number(node: Tree) -> Tree:
    """`1_000` is `1000`, and `.5` is `0.5`."""
    if node.get("kind") not in ("INTEGER", "DECIMAL", "FLOAT", "DOUBLE", "NUMERIC"):
        return node
    text = node["text"].replace("_", "")
    return {**node, "text": f"0{text}" if text.startswith(".") else text}


def _array(node: Tree) -> Tree:
    """`ARRAY[1, 2]` is `[1, 2]`."""
    if node.get("type") != "ARRAY_CONSTRUCTOR":
        return node
    arguments = [{"name": "", "expression": child} for child in node["children"]]
    return {**_EMPTY_CALL, "alias": node["alias"], "function_name": "list_value", "arguments": arguments}


def _values(node: Tree) -> Tree:
    """`(SELECT * FROM (VALUES (1))) AS valueslist` is how DuckDB, and `_values` how sqlglot, writes `(VALUES (1))`."""
    if node.get("type") != "SUBQUERY" or node["alias"] not in ("valueslist", "_values") or node["column_name_alias"]:
        return node
    query = node["subquery"]["node"]
    kept = {key for key, value in query.items() if value and key not in ("type", "aggregate_handling", "cte_map")}
    is_list = kept == {"select_list", "from_table"} and query["from_table"]["type"] == "EXPRESSION_LIST"
    is_all = is_list and [item["class"] for item in query["select_list"]] == ["STAR"]
    return query["from_table"] if is_all and not query["cte_map"]["map"] else node


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
_SAME_MEANING = (_unary_plus, _cross_join, _null_test, _number, _array, _values, _interval)


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
