"""Every name of a statement, resolved against the schemas that the asker may see, and against nothing else.

The reading follows DuckDB: a select item's alias may be used anywhere in its SELECT; a subquery in FROM sees the tables
before it; `a.b.c` is a table's column's field or a column's field's field; a table's name is its whole row. It reads
broadly: a statement that passes may still fail in DuckDB, but reads no dataset column that is not reported.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from sqlglot import exp

from portal.errors import Fault
from portal.ids import DatasetName
from portal.sql.places import Words, fault_at, fold, is_address, start_of
from portal.sql.plan import ColumnUse, TableSchema
from portal.sql.reading import Parsed, common_table, is_qualified
from portal.sql.scopes import (
    ANY_NAME,
    Columns,
    Findings,
    Relation,
    Scope,
    find_path,
    repeated_name,
    unknown_column,
    unknown_table,
)

_NOTHING = Scope()
_OUT_OF_PLACE = Words(
    code="SQL_CONSTRUCT",
    message="A name cannot stand at this place.",
    rule="sql.closed_world",
    fix="Leave it out, or write the same in plainer SQL.",
)


def resolve(parsed: Parsed, tables: Mapping[DatasetName, TableSchema]) -> Findings:
    """Resolve every name of the statement; the result holds the columns that it reads, and the faults."""
    findings = Findings(parsed.text, {fold(name): schema for name, schema in tables.items()})
    _query(findings, parsed.tree, _NOTHING)
    return findings


def faults_of_unread(parsed: Parsed, findings: Findings) -> Iterator[Fault]:
    """Yield the tables and columns that stand where resolving does not know to look, so that none goes unreported."""
    for node in parsed.tree.find_all(exp.Table, exp.Column):
        if id(node) not in findings.read:
            yield fault_at(parsed.text, start_of(node), _OUT_OF_PLACE)


def _query(findings: Findings, query: exp.Expr, outer: Scope) -> Columns:
    """Resolve a query within its surroundings and return its columns."""
    _members(findings, query, outer)
    reader = _QUERIES.get(type(query))
    return reader(findings, query, outer) if reader is not None else {ANY_NAME: None}


def _members(findings: Findings, query: exp.Expr, outer: Scope) -> None:
    with_ = query.args.get("with_")
    for cte in with_.expressions if isinstance(with_, exp.With) else ():
        _remember(findings, cte, {ANY_NAME: None})
        _remember(findings, cte, _query(findings, cte.this, outer))


def _remember(findings: Findings, cte: exp.CTE, columns: Columns) -> None:
    """Keep the columns of a common table expression; what is behind them was reported where they stand."""
    findings.members[id(cte)] = dict.fromkeys(_renamed(findings, cte.args["alias"], columns))


def _renamed(findings: Findings, alias: exp.Expr | None, columns: Columns) -> Columns:
    """Return the columns under the names that an alias list gives to the first of them."""
    given = [fold(column.name) for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
    if alias is None or not given:
        return columns
    rest = dict(list(columns.items())[len(given) :])
    for twice in (name for i, name in enumerate(given) if name in rest or name in given[:i]):
        repeated_name(findings, alias, twice)
    padded = [*columns.values(), *(None for _ in given)]
    return {**dict(zip(given, padded, strict=False)), **rest}


def _subquery(findings: Findings, query: exp.Expr, outer: Scope) -> Columns:
    columns = _query(findings, query.this, outer)
    _expressions(findings, _ending(query), Scope((Relation("", columns),), outer=outer))
    return columns


def _set_operation(findings: Findings, query: exp.Expr, outer: Scope) -> Columns:
    assert isinstance(query, exp.SetOperation)
    left = _query(findings, query.this, outer)
    if isinstance(query.parent, exp.CTE):  # where it is recursive, the second part sees the columns of the first
        _remember(findings, query.parent, left)
    right = _query(findings, query.expression, outer)
    columns = {**right, **left} if query.args.get("by_name") else left
    _expressions(findings, _ending(query), Scope((Relation("", columns),), outer=outer))
    return columns


def _ending(query: exp.Expr) -> Iterator[exp.Expr]:
    return (query.args[slot] for slot in ("order", "limit", "offset") if query.args.get(slot) is not None)


def _values(findings: Findings, query: exp.Expr, outer: Scope) -> Columns:
    assert isinstance(query, exp.Values)
    columns: Columns = {f"col{position}": None for position in range(len(query.expressions[0].expressions))}
    _expressions(findings, query.expressions, outer)
    _expressions(findings, _ending(query), Scope((Relation("", columns),), outer=outer))
    return columns


def _pivot(findings: Findings, query: exp.Expr, outer: Scope) -> Columns:
    """A statement `UNPIVOT t ON a, b`."""
    return _pivoted(findings, query, _relation(findings, query.this, outer).columns, outer)


def _pivoted(findings: Findings, pivot: exp.Expr, columns: Columns, outer: Scope) -> Columns:
    """PIVOT and UNPIVOT read every column and name new ones."""
    findings.use_all([Relation("", columns)])
    inside = [child for child in pivot.iter_expressions() if child.arg_key not in ("this", "with_", "alias")]
    _expressions(findings, inside, Scope((Relation("", {**columns, ANY_NAME: None}),), outer=outer))
    return {ANY_NAME: None}


def _select(findings: Findings, select: exp.Expr, outer: Scope) -> Columns:
    assert isinstance(select, exp.Select)
    scope = Scope(outer=outer)
    from_ = select.args.get("from_")
    for item in (*([from_.this] if from_ is not None else ()), *(select.args.get("laterals") or ())):
        scope = _joined(findings, scope, item)
    for join in select.args.get("joins") or ():
        scope = _join(findings, scope, join)
    aliases = frozenset(fold(item.alias) for item in select.expressions if item.alias)
    scope = Scope(scope.relations, aliases, scope.merged, outer)
    for slot, value in select.args.items():
        if slot not in ("from_", "joins", "laterals", "with_"):
            parts = value if isinstance(value, list) else [value]
            _expressions(findings, (part for part in parts if isinstance(part, exp.Expr)), scope)
    return _output(select, scope)


def _output(select: exp.Select, scope: Scope) -> Columns:
    """Return the columns that a SELECT yields, `ANY_NAME` among them where DuckDB alone knows a name."""
    names: list[str] = []
    for item in select.expressions:
        star = item.this if isinstance(item, exp.Column) else item
        if item.alias:
            names.append(fold(item.alias))
        elif isinstance(star, exp.Star):
            names += _starred(star, fold(item.table) if isinstance(item, exp.Column) else "", scope)
        else:
            names.append(fold(item.name) if isinstance(item, exp.Column) else ANY_NAME)
    return dict.fromkeys(names)


def _starred(star: exp.Expr, table: str, scope: Scope) -> list[str]:
    relations = [relation for relation in scope.relations if not table or relation.alias == table]
    gone = {fold(column.name) for column in star.args.get("except_") or ()}
    renamed = {fold(pair.this.name): fold(pair.alias) for pair in star.args.get("rename") or () if pair.alias}
    names = [renamed.get(name, name) for relation in relations for name in relation.columns if name not in gone]
    return names if relations else [ANY_NAME]


def _joined(findings: Findings, scope: Scope, item: exp.Expr) -> Scope:
    """Return the scope with one more FROM item in it, and whatever is joined to that item."""
    if isinstance(item, (exp.Paren, exp.Subquery)) and not isinstance(item.this, (exp.Query, exp.Values)):
        scope = _joined(findings, scope, item.this)
    else:
        scope = Scope((*scope.relations, _relation(findings, item, scope)), scope.aliases, scope.merged, scope.outer)
    for join in item.args.get("joins") or ():
        scope = _join(findings, scope, join)
    return scope


def _join(findings: Findings, before: Scope, join: exp.Join) -> Scope:
    both = _joined(findings, before, join.this)
    right = both.relations[len(before.relations) :]
    merged = [fold(column.name) for column in join.args.get("using") or ()]
    for column, name in zip(join.args.get("using") or (), merged, strict=True):
        for side in (before.relations, right):
            if not any(relation.has(name) for relation in side):
                unknown_column(findings, column, name, side)
    if join.method == "NATURAL":
        merged = [name for name in _names(before.relations) if name in set(_names(right))]
    for relation in both.relations:
        for name in merged:
            if relation.has(name):
                findings.use(relation, name)
    both = Scope(both.relations, both.aliases, both.merged | frozenset(merged), both.outer)
    if join.args.get("on") is not None:
        _expressions(findings, [join.args["on"]], both)
    return Scope(before.relations, both.aliases, both.merged, both.outer) if join.kind in ("SEMI", "ANTI") else both


def _names(relations: Iterable[Relation]) -> list[str]:
    return [name for relation in relations for name in relation.columns if name != ANY_NAME]


def _relation(findings: Findings, item: exp.Expr, scope: Scope) -> Relation:
    """Return what a FROM item offers; it may look at the items before it."""
    if isinstance(item, exp.Table):
        columns = _table(findings, item, scope)
    elif isinstance(item, (exp.Query, exp.Values)):
        columns = _query(findings, item, scope)
    elif isinstance(item, exp.Lateral):
        columns = _relation(findings, item.this, scope).columns
    else:
        _expressions(findings, item.expressions, scope)
        columns = {ANY_NAME: None}
    for pivot in item.args.get("pivots") or ():
        columns = _pivoted(findings, pivot, columns, scope)
        item = pivot if pivot.args.get("alias") else item
    return Relation(fold(item.alias_or_name), _renamed(findings, item.args.get("alias"), columns))


def _table(findings: Findings, table: exp.Table, scope: Scope) -> Columns:
    findings.read.add(id(table))
    if not isinstance(table.this, exp.Identifier):
        _expressions(findings, [table.this], scope)
        return {fold(table.this.name): None, ANY_NAME: None}
    cte = common_table(table)
    if cte is not None:
        return findings.members[id(cte)]
    schema = findings.tables.get(fold(table.name))
    if schema is None or is_qualified(table):
        if not is_qualified(table) and not is_address(table.name):  # those two are faults of the grammar already
            unknown_table(findings, table)
        return {ANY_NAME: None}
    return {fold(column): ColumnUse(schema.name, column) for column in schema.columns}


_Pending = tuple[exp.Expr, frozenset[str]]
"""A node that is still to be read, and the variables of the lambdas around it."""


def _expressions(findings: Findings, roots: Iterable[exp.Expr], scope: Scope) -> None:
    """Resolve every name under the nodes; a query inside is resolved in the scope around it."""
    pending: list[_Pending] = [(root, frozenset()) for root in roots]
    while pending:
        node, bound = pending.pop()
        if isinstance(node, (exp.Query, exp.Values)):
            _query(findings, node, scope)
        else:
            pending += _READERS.get(type(node), _children)(findings, node, scope, bound)


def _children(_findings: Findings, node: exp.Expr, _scope: Scope, bound: frozenset[str]) -> Iterable[_Pending]:
    return [(child, bound) for child in node.iter_expressions()]


def _column(findings: Findings, node: exp.Expr, scope: Scope, bound: frozenset[str]) -> Iterable[_Pending]:
    assert isinstance(node, exp.Column)
    findings.read.add(id(node))
    parts = [fold(part.name) for part in node.parts if isinstance(part, exp.Identifier)]
    if parts[0] not in bound:
        find_path(findings, node, parts, scope)
    return [(node.this, bound)] if isinstance(node.this, exp.Star) else []


def _star(findings: Findings, node: exp.Expr, scope: Scope, bound: frozenset[str]) -> Iterable[_Pending]:
    if isinstance(node.parent, exp.Anonymous):  # count(*) reads rows, no column
        return []
    if not isinstance(node.parent, exp.Column):
        findings.use_all(scope.relations)
    items = (item for slot in ("except_", "replace", "rename") for item in node.args.get(slot) or ())
    return [(item.this if isinstance(item, exp.Alias) else item, bound) for item in items]


def _columns(findings: Findings, node: exp.Expr, scope: Scope, bound: frozenset[str]) -> Iterable[_Pending]:
    findings.use_all(scope.relations)
    return _children(findings, node, scope, bound)


def _lambda(_findings: Findings, node: exp.Expr, _scope: Scope, bound: frozenset[str]) -> Iterable[_Pending]:
    return [(node.this, bound | {fold(parameter.name) for parameter in node.expressions})]


def _comprehension(_findings: Findings, node: exp.Expr, _scope: Scope, bound: frozenset[str]) -> Iterable[_Pending]:
    variables = bound | {fold(part.name) for part in node.args["expression"].find_all(exp.Identifier)}
    inside = [node.args[slot] for slot in ("this", "condition") if node.args.get(slot) is not None]
    return [(node.args["iterator"], bound), *((part, variables) for part in inside)]


def _pair(_findings: Findings, node: exp.Expr, _scope: Scope, bound: frozenset[str]) -> Iterable[_Pending]:
    """`{'key': value}` and `name := value`: only the value is an expression."""
    return [(node.expression, bound)]


def _dot(findings: Findings, node: exp.Expr, scope: Scope, bound: frozenset[str]) -> Iterable[_Pending]:
    """`a.b` over what is not a plain column: a lambda's variable, `a.f(...)`, `(...).field`."""
    if isinstance(node.this, exp.Identifier) and fold(node.this.name) not in bound:
        field = [fold(node.expression.name)] if isinstance(node.expression, exp.Identifier) else []
        find_path(findings, node, [fold(node.this.name), *field], scope)
    return _children(findings, node, scope, bound)


_QUERIES: Mapping[type[exp.Expr], Callable[[Findings, exp.Expr, Scope], Columns]] = MappingProxyType(
    {
        exp.Select: _select,
        exp.Subquery: _subquery,
        exp.Union: _set_operation,
        exp.Except: _set_operation,
        exp.Intersect: _set_operation,
        exp.Values: _values,
        exp.Pivot: _pivot,
    }
)
_Reader = Callable[[Findings, exp.Expr, Scope, frozenset[str]], Iterable[_Pending]]
_READERS: Mapping[type[exp.Expr], _Reader] = MappingProxyType(
    {
        exp.Column: _column,
        exp.Star: _star,
        exp.Columns: _columns,
        exp.Lambda: _lambda,
        exp.Comprehension: _comprehension,
        exp.PropertyEQ: _pair,
        exp.Kwarg: _pair,
        exp.Dot: _dot,
    }
)
