"""The closed world: which kinds of node a statement may hold, with which arguments, and how functions may be called.

A node class, an argument slot or a function that is not listed is refused, so what a later sqlglot learns to read stays
refused until someone has looked at it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType

from sqlglot import exp

from portal.errors import Fault
from portal.sql.calls import faults_of_call, faults_of_function
from portal.sql.places import fault_at, fold, start_of
from portal.sql.reading import Parsed, common_table

_BINARY = "this expression"

NODES: Mapping[type[exp.Expr], frozenset[str]] = MappingProxyType(
    {
        node: frozenset(slots.split())
        for node, slots in {
            # Queries
            exp.Select: "with_ distinct expressions from_ joins laterals where group having windows qualify sample order"
            " limit offset",
            exp.Subquery: "with_ this alias joins pivots sample order limit offset",
            exp.Union: "with_ this expression distinct by_name order limit offset",
            exp.Except: "with_ this expression distinct by_name order limit offset",
            exp.Intersect: "with_ this expression distinct by_name order limit offset",
            exp.Values: "with_ expressions alias order limit offset",
            exp.With: "expressions recursive",
            exp.CTE: "this alias materialized key_expressions",
            exp.From: "this",
            exp.Table: "this alias joins pivots sample",
            exp.TableAlias: "this columns",
            exp.Join: "this on using side kind method",
            exp.Lateral: "this alias",
            exp.Unnest: "expressions alias offset",
            exp.Pivot: "this alias expressions fields using group columns unpivot include_nulls default_on_null into"
            " pivot_column_naming value_columns_first identify_pivot_strings prefixed_pivot_columns with_",
            exp.PivotAlias: "this alias",
            exp.UnpivotColumns: "this expressions",
            exp.TableSample: "method size percent seed",
            exp.Where: "this",
            exp.Group: "expressions all",
            exp.GroupingSets: "expressions",
            exp.Rollup: "expressions",
            exp.Cube: "expressions",
            exp.Having: "this",
            exp.Qualify: "this",
            exp.Order: "this expressions",
            exp.Ordered: "this desc nulls_first",
            exp.Limit: "expression limit_options",
            exp.LimitOptions: "percent rows",
            exp.Offset: "expression",
            exp.Distinct: "expressions on",
            exp.Star: "except_ replace rename",
            exp.Columns: "this",
            exp.PositionalColumn: "this",
            # Names and literals
            exp.Column: "this table db catalog",
            exp.Identifier: "this quoted",
            exp.Alias: "this alias",
            exp.Aliases: "this expressions",
            exp.Var: "this",
            exp.Dot: _BINARY,
            exp.Placeholder: "this",
            exp.Literal: "this is_string",
            exp.RawString: "this",
            exp.ByteString: "this",
            exp.Boolean: "this",
            exp.Null: "",
            exp.Interval: "this unit",
            exp.IntervalSpan: _BINARY,
            # Operators
            **dict.fromkeys(
                (
                    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Pow),
                    *(exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseLeftShift, exp.BitwiseRightShift),
                    *(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Is),
                    *(exp.And, exp.Or, exp.SimilarTo, exp.RegexpLike, exp.Glob, exp.StartsWith, exp.Escape),
                    *(exp.JSONExtract, exp.JSONExtractScalar, exp.Collate, exp.ArrayOverlaps, exp.ArrayContainsAll),
                ),
                _BINARY,
            ),
            exp.Like: "this expression negate",
            exp.ILike: "this expression negate",
            exp.DPipe: "this expression safe",
            exp.Not: "this",
            exp.Neg: "this",
            exp.BitwiseNot: "this",
            exp.Abs: "this",
            exp.Paren: "this",
            exp.Tuple: "expressions",
            exp.Between: "this low high",
            exp.In: "this expressions query field",
            exp.Exists: "this",
            exp.Any: "this",
            exp.All: "this",
            exp.Case: "this ifs default",
            exp.If: "this true false",
            exp.AtTimeZone: "this zone",
            # Casts and types
            exp.Cast: "this to",
            exp.TryCast: "this to safe",
            exp.Try: "this",
            exp.DataType: "this expressions nested values",
            exp.DataTypeParam: "this",
            exp.ColumnDef: "this kind",
            # Lists, structs, maps, lambdas
            exp.Array: "expressions value_constructor",
            exp.Struct: "expressions",
            exp.Map: "keys values",
            exp.ToMap: "this",
            exp.Bracket: "this expressions",
            exp.Slice: "this expression step",
            exp.PropertyEQ: _BINARY,
            exp.Kwarg: _BINARY,
            exp.Lambda: "this expressions",
            exp.Comprehension: "this expression iterator condition",
            exp.Explode: "this expressions",
            # Functions
            exp.Anonymous: "this expressions",
            exp.Extract: _BINARY,
            exp.Substring: "this start length",
            exp.Trim: "this expression position",
            exp.StrPosition: "this substr",
            exp.Overlay: "this expression from_ for_",
            exp.Replace: "this expression replacement",
            exp.CurrentDate: "",
            exp.CurrentTime: "",
            exp.CurrentTimestamp: "",
            exp.Localtime: "",
            exp.Localtimestamp: "",
            exp.Filter: _BINARY,
            exp.WithinGroup: _BINARY,
            exp.PercentileCont: "this",
            exp.PercentileDisc: "this",
            exp.IgnoreNulls: "this",
            exp.RespectNulls: "this",
            exp.Window: "this alias partition_by order spec over",
            exp.WindowSpec: "kind start start_side end end_side exclude",
        }.items()
    }
)
"""Every node class that may occur, with the argument slots that may be filled."""


def faults_of_grammar(parsed: Parsed, tables: Collection[str]) -> Iterator[Fault]:
    """Yield what in the statement is outside the closed world; `tables` are the folded names of the datasets."""
    for node in parsed.tree.walk():
        slots = NODES.get(type(node))
        if slots is None:
            yield faults_of_function(parsed.text, node) if isinstance(node, exp.Func) else _construct(parsed.text, node)
            continue
        for slot, value in node.args.items():
            if value not in (None, False, [], "") and slot not in slots and type(node) is not exp.Table:
                yield _construct(parsed.text, value if isinstance(value, exp.Expr) else node, slot)
        yield from _CHECKS.get(type(node), _nothing)(parsed, node, tables)


def _nothing(_parsed: Parsed, _node: exp.Expr, _tables: Collection[str]) -> Iterator[Fault]:
    return iter(())


def _construct(text: str, node: exp.Expr, slot: str = "") -> Fault:
    word = slot.strip("_") or type(node).__name__
    if isinstance(node, (exp.DML, exp.DDL, exp.Command, exp.Copy)) and not isinstance(node, exp.Query):
        return fault_at(
            text,
            start_of(node),
            code="SQL_READ_ONLY",
            message=f"{type(node).__name__.upper()} changes data; a statement only reads.",
            rule="sql.read_only",
            fix="Write a SELECT in its place.",
        )
    return fault_at(
        text,
        start_of(node),
        code="SQL_CONSTRUCT",
        message=f"This part of the statement ({word}) is not among the constructs that the portal runs.",
        rule="sql.closed_world",
        fix="Leave it out, or write the same in plainer SQL.",
    )


def _table(parsed: Parsed, node: exp.Expr, tables: Collection[str]) -> Iterator[Fault]:
    assert isinstance(node, exp.Table)
    if not isinstance(node.this, exp.Identifier):
        if not (isinstance(node.this, exp.Anonymous) and fold(str(node.this.this)) in ("range", "generate_series")):
            yield fault_at(
                parsed.text,
                start_of(node),
                code="SQL_TABLE_FUNCTION",
                message="A function cannot stand in place of a table.",
                rule="sql.table_functions",
                fix="Name a dataset; unnest(...), and range(...) with small literal bounds, are the exceptions.",
            )
    elif node.args.get("db") or node.args.get("catalog"):
        yield fault_at(
            parsed.text,
            start_of(node),
            code="SQL_QUALIFIED_NAME",
            message="A table is named without schema or database.",
            rule="sql.tables",
            fix=f"Write {node.name}.",
        )
    elif any(mark in node.name for mark in "./\\:*?"):
        yield fault_at(
            parsed.text,
            start_of(node),
            code="SQL_FILE_NAME",
            message="A file or address cannot stand in place of a table.",
            rule="sql.files",
            fix="Name a dataset of the catalogue.",
        )
    for slot, value in node.args.items():
        if value not in (None, False, [], "") and slot not in NODES[exp.Table] | {"db", "catalog"}:
            yield _construct(parsed.text, node, slot)
    alias = node.args.get("alias")
    if fold(node.name) not in tables or fold(node.alias) != fold(node.name):
        yield from _taken(parsed, alias, tables)


def _taken(parsed: Parsed, node: exp.Expr | None, tables: Collection[str]) -> Iterator[Fault]:
    name = node.this if isinstance(node, exp.TableAlias) else None
    if isinstance(name, exp.Identifier) and fold(name.name) in tables:
        yield fault_at(
            parsed.text,
            start_of(name),
            code="SQL_NAME_TAKEN",
            message=f'"{name.name}" is the name of a dataset and cannot be given to something else.',
            rule="sql.names",
            fix="Choose another name.",
        )


def _aliased(parsed: Parsed, node: exp.Expr, tables: Collection[str]) -> Iterator[Fault]:
    yield from _taken(parsed, node.args.get("alias"), tables)


def _cte(parsed: Parsed, node: exp.Expr, tables: Collection[str]) -> Iterator[Fault]:
    yield from _taken(parsed, node.args.get("alias"), tables)
    assert isinstance(node, exp.CTE)
    step = node.this.expression if isinstance(node.this, exp.SetOperation) else None
    inside = [table for table in step.find_all(exp.Table) if common_table(table) is node] if step is not None else []
    if inside and not node.this.args.get("distinct") and not _ends(node.this.expression):
        yield fault_at(
            parsed.text,
            start_of(inside[0]),
            code="SQL_ENDLESS_RECURSION",
            message="This recursion has no condition that ends it.",
            rule="sql.recursion",
            fix="Add a WHERE to the part that repeats, such as WHERE n < 100, or use UNION instead of UNION ALL.",
        )


def _ends(step: exp.Expr) -> bool:
    """Whether the repeated part has anything that could make it run dry."""
    return any(True for _ in step.find_all(exp.Where, exp.Join, exp.Having, exp.Qualify, exp.Limit))


def _type(parsed: Parsed, node: exp.Expr, _tables: Collection[str]) -> Iterator[Fault]:
    if node.this is exp.DType.USERDEFINED or not isinstance(node.this, (exp.DType, exp.Interval)):
        yield fault_at(
            parsed.text,
            start_of(node),
            code="SQL_TYPE",
            message="There is no such type.",
            rule="sql.types",
            fix="Use one of DuckDB's own types, such as INTEGER, DOUBLE, VARCHAR, DATE or TIMESTAMP.",
        )


def _call(parsed: Parsed, node: exp.Expr, _tables: Collection[str]) -> Iterator[Fault]:
    assert isinstance(node, exp.Anonymous)
    return faults_of_call(parsed.text, node)


_Check = Callable[[Parsed, exp.Expr, Collection[str]], Iterator[Fault]]
_CHECKS: Mapping[type[exp.Expr], _Check] = MappingProxyType(
    {
        exp.Table: _table,
        exp.CTE: _cte,
        exp.Subquery: _aliased,
        exp.Lateral: _aliased,
        exp.Unnest: _aliased,
        exp.Values: _aliased,
        exp.Pivot: _aliased,
        exp.DataType: _type,
        exp.Anonymous: _call,
    }
)
