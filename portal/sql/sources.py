"""The FROM of a block: a protected dataset, or a plain selection of its rows, and declared joins.

Joined are public tables by a dimension, and one other protected dataset by an entity that both share.

A plain selection, `SELECT columns FROM dataset WHERE atoms` in a WITH or in parentheses, is read as if it stood in
place: its conditions become the block's.
"""

from collections.abc import Iterator
from dataclasses import replace

from sqlglot import exp

from portal.ids import DatasetName
from portal.sql.blocks import EntityJoin, PublicJoin
from portal.sql.conditions import read_conditions
from portal.sql.places import fold
from portal.sql.reading import common_table, is_base_table
from portal.sql.subject import Reading, Source, Subject, bare

_SELECTION = frozenset({"expressions", "from_", "where"})
_JOINED = frozenset({"this", "alias"})
_SECOND = "Aggregate first, and join the cells: WITH c AS (SELECT ... GROUP BY ...) SELECT ... FROM c JOIN ..."


def is_selection(select: exp.Expr) -> bool:
    """Whether a query is a plain selection of columns and rows from one thing."""
    if not isinstance(select, exp.Select) or not _has_only(select, _SELECTION) or select.args.get("from_") is None:
        return False
    return all(isinstance(_unaliased(item), exp.Column) or _is_star(item) for item in select.expressions)


def items_of(select: exp.Select) -> list[exp.Expr]:
    """Return what stands in the FROM and JOINs of a SELECT."""
    from_ = select.args.get("from_")
    return [*([from_.this] if from_ is not None else ()), *(join.this for join in select.args.get("joins") or ())]


def selection_behind(item: exp.Expr) -> exp.Select | None:
    """Return the query that a FROM item stands for, if it is a plain selection."""
    if not _has_only(item, _JOINED):
        return None
    member = common_table(item) if isinstance(item, exp.Table) else item
    query = member.this if isinstance(member, (exp.CTE, exp.Subquery)) else None
    return query if query is not None and is_selection(query) else None


Joins = tuple[PublicJoin | EntityJoin, ...]


def subject_of(reading: Reading, select: exp.Select) -> tuple[Subject, Joins] | None:
    """Return what a SELECT over a protected dataset is about; None, with the reasons, where its FROM does not fit."""
    found = {id(item): _source(reading, item) for item in items_of(select)}
    own = [(item, source) for item in items_of(select) if (source := found[id(item)]) is not None]
    if not own or not _may_stand_together(reading, own):
        return None
    source, second = own[0][1], own[1][1].dataset if own[1:] else None
    alone = Subject(reading, source.dataset, (source,), second)
    public = [_public(alone, item) for item in items_of(select) if found[id(item)] is None]
    if None in public:
        return None
    others = (*map(_as_second, (each for _, each in own[1:])), *(each for each in public if each is not None))
    subject = replace(alone, sources=(source, *others))
    joins = [_join(subject, join) for join in select.args.get("joins") or ()]
    if None in joins:
        return None
    tables = [each.dataset for each in others]
    if len(set(tables)) != len(tables) or sorted(join.dataset for join in joins if join) != sorted(tables):
        subject.refuse(select, "P_JOIN", "Each table is joined once, by its own ON.", _declared(subject))
        return None
    return subject, tuple(join for join in joins if join)


def _may_stand_together(reading: Reading, own: list[tuple[exp.Expr, Source]]) -> bool:
    """Whether protected datasets may be joined: two at most, by an entity that the policies of both declare."""
    first = own[0][1].dataset
    for number, (item, source) in enumerate(own[1:]):
        both = f"{first} and {source.dataset}"
        if source.dataset == first:
            message, fix = f"{first} cannot be joined with itself.", _SECOND
        elif number > 0:
            message, fix = "Two datasets that are open for statistics only are joined at most, never three.", _SECOND
        elif not any(True for _ in _shared_entities(reading, first, source.dataset)):
            message, fix = f"{both} are open for statistics only, and their policies declare no entity to join on.", ""
        else:
            continue
        reading.refuse(item, source.dataset, "P_JOIN", message, fix or _SECOND)
        return False
    return True


def _shared_entities(reading: Reading, one: DatasetName, other: DatasetName) -> Iterator[tuple[str, str]]:
    """Yield the pairs of columns that both policies declare to be one entity."""
    rules = {name: reading.protected[fold(name)].disclosure for name in (one, other)}
    for own, target in rules[one].entity_joins.items():
        dataset, _, column = target.partition(".")
        is_mutual = dataset == other and rules[other].entity_joins.get(column) == f"{one}.{own}"
        if is_mutual and own in rules[one].entities and column in rules[other].entities:
            yield own, column


def _as_second(source: Source) -> Source:
    """Return what a second dataset offers, under the names that its columns have in the block."""
    before = f"{source.dataset}."
    columns = {visible: before + column for visible, column in source.columns.items()}
    atoms = tuple(replace(atom, column=before + atom.column) for atom in source.atoms)
    return Source(source.alias, source.dataset, columns, atoms)


def _source(reading: Reading, item: exp.Expr) -> Source | None:
    """Return what a FROM item offers of a protected dataset; None where it reads none as it is."""
    if isinstance(item, exp.Table) and is_base_table(item):
        protected = reading.protected.get(fold(item.name))
        if protected is None or not _has_only(item, _JOINED):
            return None
        columns = {fold(column): column for column in protected.schema.columns}
        return Source(fold(item.alias_or_name), protected.schema.name, _given(item, columns))
    query = selection_behind(item)
    inner = _source(reading, query.args["from_"].this) if query is not None else None
    if query is None or inner is None:
        return None
    subject = Subject(reading, inner.dataset, (inner,))
    where = query.args.get("where")
    atoms = read_conditions(subject, where.this) if where is not None else ()
    columns = dict(_selected(query, subject, inner))
    member = common_table(item) if isinstance(item, exp.Table) else None
    columns = _given(member, columns) if member is not None else columns
    return Source(fold(item.alias_or_name), inner.dataset, _given(item, columns), (*inner.atoms, *atoms))


def _selected(query: exp.Select, subject: Subject, inner: Source) -> Iterator[tuple[str, str]]:
    for item in query.expressions:
        if _is_star(item):
            yield from inner.columns.items()
        elif (column := subject.find(_unaliased(item))) is not None:
            yield fold(item.alias_or_name), column


def _given(item: exp.Expr, columns: dict[str, str]) -> dict[str, str]:
    """Return the columns under the names that an alias list gives to the first of them."""
    alias = item.args.get("alias")
    given = [fold(column.name) for column in alias.columns] if isinstance(alias, exp.TableAlias) else []
    names = [*given, *list(columns)[len(given) :]]
    return dict(zip(names, columns.values(), strict=False))


def _public(subject: Subject, item: exp.Expr) -> Source | None:
    """Return what a declared public table offers, or refuse the item."""
    declared = {fold(target.partition(".")[0]) for _, target in _public_joins(subject)}
    name = fold(item.name) if isinstance(item, exp.Table) and is_base_table(item) and _has_only(item, _JOINED) else ""
    schema = subject.reading.tables.get(name)
    if schema is None or name not in declared:
        message = f"{subject.dataset} may be joined only with the public tables that its policy declares."
        subject.refuse(item, "P_JOIN", message, f"{_declared(subject)} {_SECOND}")
        return None
    columns = {fold(column): f"{schema.name}.{column}" for column in schema.columns}
    return Source(fold(item.alias_or_name), schema.name, _given(item, columns))


def _public_joins(subject: Subject) -> Iterator[tuple[str, str]]:
    for before, rules in subject.protected():
        yield from ((before + own, target) for own, target in rules.public_joins.items())


def _entity_joins(subject: Subject) -> Iterator[tuple[str, str]]:
    if subject.second is not None:
        for own, column in _shared_entities(subject.reading, subject.dataset, subject.second):
            yield own, f"{subject.second}.{column}"


def _join(subject: Subject, join: exp.Join) -> PublicJoin | EntityJoin | None:
    """Return the declared join that an inner equi-join is, or refuse it."""
    if join.kind not in ("", "INNER") or join.side or join.method:
        kind = " ".join(word for word in (join.method, join.side, join.kind) if word)
        message = f"A join of {subject.dataset} is an inner join on a declared key; this one is {kind}."
        subject.refuse(join, "P_JOIN", message, _declared(subject))
        return None
    pair = _pair(subject, join)
    for kind_of_join, declared in ((EntityJoin, _entity_joins(subject)), (PublicJoin, _public_joins(subject))):
        for own, target in declared:
            dataset, _, column = target.partition(".")
            if {own, target} == pair and (kind_of_join is EntityJoin or subject.tells_values(own)):
                return kind_of_join(own, DatasetName(dataset), column)
    message = f"{subject.dataset} is joined by one equality between a dimension or entity and a declared key."
    subject.refuse(join, "P_JOIN", message, _declared(subject))
    return None


def _pair(subject: Subject, join: exp.Join) -> set[str | None]:
    """Return the two block columns that a join equates; empty, if it is not an equality of two columns."""
    using, on = list(join.args.get("using") or ()), join.args.get("on")
    on = bare(on) if isinstance(on, exp.Expr) else None
    if isinstance(on, exp.EQ):
        return {subject.find(on.this), subject.find(on.expression)}
    if len(using) != 1 or on is not None:
        return set()
    name = exp.column(using[0].name)
    return {replace(subject, sources=(source,)).find(name) for source in subject.sources} - {None}


def _declared(subject: Subject) -> str:
    joins = [*_entity_joins(subject), *_public_joins(subject)]
    pairs = ", ".join(f"JOIN {target.partition('.')[0]} ON {own} = {target}" for own, target in joins)
    return f"Its policy allows: {pairs}." if pairs else "Its policy declares no join."


def _unaliased(item: exp.Expr) -> exp.Expr:
    return item.this if isinstance(item, exp.Alias) else item


def _is_star(item: exp.Expr) -> bool:
    return isinstance(item, exp.Star) and not any(item.args.values())


def _has_only(node: exp.Expr, slots: frozenset[str]) -> bool:
    return all(not value or slot in slots for slot, value in node.args.items())
