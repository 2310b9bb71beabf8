"""Every name of a statement, resolved against the schemas that the asker may see, and against nothing else.

The reading follows DuckDB: a select item's alias may be used anywhere in its SELECT; a subquery in FROM sees the tables
before it; `a.b.c` is a table's column's field or a column's field's field; a table's name is its whole row. It reads
broadly: a statement that it lets pass may still fail in DuckDB, but it reads no dataset column that is not reported.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import chain

from sqlglot import exp

from portal.errors import Fault
from portal.ids import DatasetName
from portal.sql.reading import Parsed, common_table
from portal.sql.places import fault_at, fold, start_of
from portal.sql.plan import ColumnUse, TableSchema

_VIRTUAL = frozenset({"rowid", "filename", "file_row_number", "file_index"})
_ANY_NAME = "*"
"""Among the columns of a relation: it may have others, whose names only DuckDB knows."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What a FROM item or a query offers: an alias, and column names with the dataset column behind each, if one is."""

    alias: str
    columns: Mapping[str, ColumnUse | None]

    def has(self, name: str) -> bool:
        """Whether the column is there, or may be."""
        return name in self.columns or _ANY_NAME in self.columns


@dataclass(frozen=True, slots=True)
class Scope:
    """The relations and select aliases that an expression sees, and the scope around it."""

    relations: tuple[Relation, ...] = ()
    aliases: frozenset[str] = frozenset()
    merged: frozenset[str] = frozenset()
    outer: "Scope | None" = None

    def chain(self) -> Iterator["Scope"]:
        """Yield this scope and those around it, from the inside out."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer


_EMPTY = Scope()


@dataclass(slots=True)
class Names:
    """What resolving found."""

    parsed: Parsed
    tables: Mapping[str, TableSchema]
    uses: set[ColumnUse] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def use(self, relation: Relation, name: str) -> None:
        """Report the dataset column behind the name; all of the relation's, where the name is not sure."""
        found = [relation.columns[name]] if name in relation.columns else list(relation.columns.values())
        self.uses.update(use for use in found if use is not None)

    def use_all(self, relations: Iterable[Relation]) -> None:
        """Report every dataset column of the relations."""
        self.uses.update(use for relation in relations for use in relation.columns.values() if use is not None)

    def fault(self, node: exp.Expr, *, code: str, message: str, rule: str, fix: str) -> None:
        """Add a fault at the node's place."""
        start = start_of(node)
        self.faults.append(fault_at(self.parsed.text, start, code=code, message=message, rule=rule, fix=fix))


def resolve(parsed: Parsed, tables: Mapping[DatasetName, TableSchema]) -> Names:
    """Resolve every name of the statement; the result holds the columns that it reads and the faults."""
    names = Names(parsed, {fold(name): schema for name, schema in tables.items()})
    _query(names, parsed.tree, _EMPTY)
    return names


def _query(names: Names, query: exp.Expr, outer: Scope) -> Mapping[str, ColumnUse | None]:
    """Resolve a query within its surroundings and return its columns."""
    with_ = query.args.get("with_")
    for cte in with_.expressions if with_ else ():
        if not with_.recursive:
            _query(names, cte.this, outer)
        else:
            _query(names, cte.this, outer)
    if isinstance(query, exp.Subquery):
        return _subquery(names, query, outer)
    if isinstance(query, exp.SetOperation):
        return _set_operation(names, query, outer)
    if isinstance(query, exp.Select):
        return _select(names, query, outer)
    if isinstance(query, exp.Values):
        return _values(names, query, outer)
    if isinstance(query, exp.Pivot):
        relation = _relation(names, query.this, outer)
        names.use_all([relation])
        return {_ANY_NAME: None}
    return {}


def _subquery(names: Names, query: exp.Subquery, outer: Scope) -> Mapping[str, ColumnUse | None]:
    columns = _query(names, query.this, outer)
    scope = Scope((Relation("", columns),), outer=outer)
    _modifiers(names, query, scope)
    return columns


def _set_operation(names: Names, query: exp.SetOperation, outer: Scope) -> Mapping[str, ColumnUse | None]:
    left = _query(names, query.this, outer)
    right = _query(names, query.expression, outer)
    columns = {**right, **left} if query.args.get("by_name") else left
    _modifiers(names, query, Scope((Relation("", columns),), outer=outer))
    return columns


def _modifiers(names: Names, query: exp.Expr, scope: Scope) -> None:
    for slot in ("order", "limit", "offset"):
        _expressions(names, query.args.get(slot), scope)


def _values(names: Names, query: exp.Values, outer: Scope) -> Mapping[str, ColumnUse | None]:
    for row in query.expressions:
        _expressions(names, row, outer)
    width = len(query.expressions[0].expressions) if query.expressions else 0
    return {f"col{position}": None for position in range(width)}


def _select(names: Names, select: exp.Select, outer: Scope) -> Mapping[str, ColumnUse | None]:
    scope = Scope(outer=outer)
    from_ = select.args.get("from_")
    if from_ is not None:
        scope = _joined(names, scope, from_.this)
    for lateral in select.args.get("laterals") or ():
        scope = _joined(names, scope, lateral)
    for join in select.args.get("joins") or ():
        scope = _join(names, scope, join)
    aliases = frozenset(fold(item.alias) for item in select.expressions if item.alias)
    scope = Scope(scope.relations, aliases, scope.merged, outer)
    for slot, value in select.args.items():
        if slot not in ("from_", "joins", "laterals", "with_"):
            for node in value if isinstance(value, list) else (value,):
                if isinstance(node, exp.Expr):
                    _expressions(names, node, scope)
    return _output(names, select, scope)


def _join(names: Names, scope: Scope, join: exp.Join) -> Scope:
    before = scope
    scope = _joined(names, scope, join.this)
    right = scope.relations[len(before.relations) :]
    using = join.args.get("using") or ()
    for column in using:
        key = fold(column.name)
        sides = [[relation for relation in side if relation.has(key)] for side in (before.relations, right)]
        for relation in chain.from_iterable(sides):
            names.use(relation, key)
        if not all(sides):
            _unknown_column(names, column, key, right if sides[0] else before.relations)
    merged = {fold(column.name) for column in using}
    if join.method == "NATURAL":
        merged |= set(chain.from_iterable(r.columns for r in before.relations)) & set(
            chain.from_iterable(r.columns for r in right)
        )
        for key in merged:
            for relation in scope.relations:
                if key in relation.columns:
                    names.use(relation, key)
    scope = Scope(scope.relations, scope.aliases, scope.merged | merged, scope.outer)
    _expressions(names, join.args.get("on"), scope)
    if join.kind in ("SEMI", "ANTI"):
        return Scope(before.relations, scope.aliases, scope.merged, scope.outer)
    return scope


def _joined(names: Names, scope: Scope, item: exp.Expr) -> Scope:
    """Return the scope with one more FROM item in it, and whatever is joined to that item."""
    if isinstance(item, exp.Paren):
        return _joined(names, scope, item.this)
    if isinstance(item, exp.Subquery) and not isinstance(item.this, exp.Query):
        scope = _joined(names, scope, item.this)
    else:
        relation = _relation(names, item, scope)
        scope = Scope((*scope.relations, relation), scope.aliases, scope.merged, scope.outer)
    for join in item.args.get("joins") or ():
        scope = _join(names, scope, join)
    return scope


def _relation(names: Names, item: exp.Expr, scope: Scope) -> Relation:
    """Return what a FROM item offers; it may look at the items before it."""
    columns: Mapping[str, ColumnUse | None]
    if isinstance(item, exp.Table):
        columns = _table(names, item, scope)
    elif isinstance(item, (exp.Query, exp.Values)):
        columns = _query(names, item, scope)
    elif isinstance(item, exp.Lateral):
        columns = _relation(names, item.this, scope).columns
    else:
        _expressions(names, item, scope)
        columns = {_ANY_NAME: None}
    for pivot in item.args.get("pivots") or ():
        names.use_all([Relation("", columns)])
        columns = {_ANY_NAME: None}
        item = pivot if pivot.args.get("alias") else item
    alias = item.args.get("alias")
    given = [fold(column.name) for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
    if given:
        rest = list(columns.items())[len(given) :]
        uses = [*columns.values(), *(None for _ in given)]
        columns = {**dict(zip(given, uses, strict=False)), **dict(rest)}
    return Relation(fold(item.alias_or_name), columns)


def _table(names: Names, table: exp.Table, scope: Scope) -> Mapping[str, ColumnUse | None]:
    if not isinstance(table.this, exp.Identifier):
        _expressions(names, table.this, scope)
        return {fold(table.this.name): None, _ANY_NAME: None}
    cte = None if table.args.get("db") else common_table(table)
    if cte is not None:
        return _cte_columns(names, cte, table)
    schema = None if table.args.get("db") else names.tables.get(fold(table.name))
    if schema is None:
        _unknown_table(names, table)
        return {_ANY_NAME: None}
    return {fold(column): ColumnUse(schema.name, column) for column in schema.columns}


def _cte_columns(names: Names, cte: exp.CTE, table: exp.Table) -> Mapping[str, ColumnUse | None]:
    """Return the columns of a common table expression; its own faults were reported where it stands."""
    given = [fold(column.name) for column in cte.args["alias"].columns] if cte.args.get("alias") else []
    if given:
        return dict.fromkeys(given)
    inside = any(parent is cte for parent in _parents(table))
    query = cte.this.this if inside and isinstance(cte.this, exp.SetOperation) else cte.this
    if inside and any(found is table for found in query.find_all(exp.Table)):
        return {_ANY_NAME: None}
    silent = Names(names.parsed, names.tables)
    return dict.fromkeys(_query(silent, query, _EMPTY))


def _parents(node: exp.Expr) -> Iterator[exp.Expr]:
    while node.parent is not None:
        node = node.parent
        yield node


def _output(names: Names, select: exp.Select, scope: Scope) -> Mapping[str, ColumnUse | None]:
    """Return the columns that a SELECT yields; `_ANY_NAME` among them where DuckDB alone knows a name."""
    columns: dict[str, ColumnUse | None] = {}
    for item in select.expressions:
        if item.alias:
            columns[fold(item.alias)] = None
        elif isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
            star = item if isinstance(item, exp.Star) else item.this
            table = fold(item.table) if isinstance(item, exp.Column) else ""
            columns |= _starred(star, [r for r in scope.relations if not table or r.alias == table])
        elif isinstance(item, exp.Column):
            columns[fold(item.name)] = None
        else:
            columns[_ANY_NAME] = None
    return dict.fromkeys(columns)


def _starred(star: exp.Expr, relations: Iterable[Relation]) -> dict[str, ColumnUse | None]:
    found = list(relations)
    if not found:
        return {_ANY_NAME: None}
    gone = {fold(column.name) for column in star.args.get("except_") or ()}
    renamed = {fold(pair.this.name): fold(pair.alias) for pair in star.args.get("rename") or ()}
    keys = [key for relation in found for key in relation.columns if key not in gone]
    return {renamed.get(key, key): None for key in keys}


def _expressions(names: Names, root: exp.Expr | None, scope: Scope, bound: frozenset[str] = frozenset()) -> None:
    """Resolve every name under a node; a query inside is resolved in the scope around it."""
    if root is None:
        return
    if isinstance(root, (exp.Query, exp.Values)):
        _query(names, root, scope)
    elif isinstance(root, exp.Column):
        _column(names, root, scope, bound)
    elif isinstance(root, exp.Star):
        _star(names, root, scope, bound)
    elif isinstance(root, exp.Columns):
        names.use_all(scope.relations)
        _children(names, root, scope, bound)
    elif isinstance(root, exp.Lambda):
        _children(names, root, scope, bound | {fold(parameter.name) for parameter in root.expressions})
    elif isinstance(root, exp.Comprehension):
        variables = {fold(node.name) for node in root.args["expression"].find_all(exp.Identifier)}
        _expressions(names, root.args.get("iterator"), scope, bound)
        for slot in ("this", "condition"):
            _expressions(names, root.args.get(slot), scope, bound | variables)
    elif isinstance(root, (exp.PropertyEQ, exp.Kwarg)):
        _expressions(names, root.expression, scope, bound)
    elif isinstance(root, exp.Dot) and isinstance(root.this, exp.Identifier):
        if fold(root.this.name) not in bound:
            _path(names, root, [fold(root.this.name), *_field(root.expression)], scope)
        _expressions(names, root.expression, scope, bound)
    else:
        _children(names, root, scope, bound)


def _field(node: exp.Expr) -> list[str]:
    return [fold(node.name)] if isinstance(node, exp.Identifier) else []


def _children(names: Names, root: exp.Expr, scope: Scope, bound: frozenset[str]) -> None:
    for child in root.iter_expressions():
        _expressions(names, child, scope, bound)


def _star(names: Names, star: exp.Star, scope: Scope, bound: frozenset[str]) -> None:
    if isinstance(star.parent, exp.Anonymous):  # count(*) reads rows, no column
        return
    names.use_all(scope.relations)
    for child in star.iter_expressions():
        _expressions(names, child, scope, bound)


def _column(names: Names, column: exp.Column, scope: Scope, bound: frozenset[str]) -> None:
    if isinstance(column.this, exp.Star):
        alias = fold(column.table)
        found = [r for s in scope.chain() for r in s.relations if r.alias == alias]
        if found:
            names.use_all(found[:1])
        else:
            _path(names, column, [alias], scope)
        for child in column.this.iter_expressions():
            _expressions(names, child, scope, bound)
        return
    parts = [fold(part.name) for part in column.parts]
    if parts[0] not in bound:
        _path(names, column, parts, scope)


def _path(names: Names, node: exp.Expr, parts: list[str], scope: Scope) -> None:
    """Resolve `a`, `a.b`, `a.b.c`: a table and its column, a column and its fields, or a whole row."""
    first = parts[0]
    for level in scope.chain():
        tables = [relation for relation in level.relations if relation.alias == first]
        if len(parts) > 1 and tables:
            if tables[0].has(parts[1]):
                names.use(tables[0], parts[1])
                return
            if not any(first in relation.columns for relation in level.relations):
                _unknown_column(names, node, parts[1], tables)
                return
        owners = [relation for relation in level.relations if first in relation.columns]
        if len(owners) > 1 and first not in level.merged and first not in level.aliases:
            _ambiguous(names, node, first, owners)
        for relation in owners:
            names.use(relation, first)
        if owners:
            return
        if first in level.aliases:
            return
        if tables:
            names.use_all(tables)
            return
        unsure = [relation for relation in level.relations if _ANY_NAME in relation.columns]
        if unsure:
            return
    _unknown_column(names, node, first, [relation for level in scope.chain() for relation in level.relations])


def _unknown_table(names: Names, table: exp.Table) -> None:
    """The same words for a table that does not exist and for one that is not granted."""
    near = get_close_matches(fold(table.name), names.tables, n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    names.fault(
        table,
        code="SQL_UNKNOWN_TABLE",
        message=f'There is no table "{table.name}" that this project may read.',
        rule="sql.tables",
        fix=f"{hint}Name a dataset of the catalogue that is granted to the project, without schema or path.",
    )


def _unknown_column(names: Names, node: exp.Expr, name: str, relations: Iterable[Relation]) -> None:
    known = sorted({key for relation in relations for key in relation.columns} - {_ANY_NAME})
    near = get_close_matches(name, known, n=3)
    if name in _VIRTUAL:
        names.fault(
            node,
            code="SQL_VIRTUAL_COLUMN",
            message=f'"{name}" is a column of the storage, not of the data.',
            rule="sql.columns",
            fix="Use row_number() OVER (ORDER BY ...) to number rows.",
        )
        return
    names.fault(
        node,
        code="SQL_UNKNOWN_COLUMN",
        message=f'There is no column "{name}" here.',
        rule="sql.columns",
        fix=f"Did you mean {' or '.join(near)}?"
        if near
        else f"The columns here are {', '.join(known[:30]) or 'none'}.",
    )


def _ambiguous(names: Names, node: exp.Expr, name: str, owners: Iterable[Relation]) -> None:
    names.fault(
        node,
        code="SQL_AMBIGUOUS_COLUMN",
        message=f'"{name}" is a column of more than one table here.',
        rule="sql.columns",
        fix=f"Write {' or '.join(f'{owner.alias}.{name}' for owner in owners if owner.alias)}.",
    )
