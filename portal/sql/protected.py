"""Every SELECT of a statement that reads a protected dataset, as a block of the closed grammar, or refused.

A block's keys and figures are released. HAVING, ORDER BY and LIMIT, and whatever its items make of keys and figures,
are computed from the released values.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sqlglot import exp

from portal.sql.blocks import Aggregate, Atom, Grouping
from portal.sql.conditions import read_conditions
from portal.sql.figures import is_aggregate, read_figure
from portal.sql.groups import read_group, read_key
from portal.sql.places import fold, line_and_column, start_of
from portal.sql.reading import common_table, is_base_table
from portal.sql.sources import Joins, is_selection, items_of, subject_of
from portal.sql.subject import Reading, Subject, bare, whole_number

MAX_BLOCKS = 32
"""Each costs a pass over its dataset."""
REMAINDER = "is_remainder"
"""What a block calls the mark of the row over all groups that are withheld; where it is named, there may be one."""

_PARTS = frozenset({"with_", "distinct", "expressions", "from_", "joins", "where", "group", "having", "order", "limit",
                    "offset"})  # fmt: skip
_CELLS_FIRST = (
    "Take the cells first, and do this in a second step: WITH c AS (SELECT ... GROUP BY ...) SELECT ... FROM c."
)
_LATER: Mapping[type[exp.Expr], str] = MappingProxyType(
    {
        exp.Window: "A window runs over released cells, not where they are made.",
        exp.Lambda: "A lambda runs over released cells, not where they are made.",
        exp.Comprehension: "A comprehension runs over released cells, not where they are made.",
        exp.Dot: "A call or field behind a dot cannot stand where cells are made.",
        exp.PositionalColumn: "A column is named, not numbered, where cells are made.",
        exp.Explode: "A list is unnested after the cells are released.",
        exp.Unnest: "A list is unnested after the cells are released.",
        exp.Columns: "Columns are named one by one where cells are made.",
    }
)
_PARTS_LATER: Mapping[str, str] = MappingProxyType(
    {
        "qualify": "QUALIFY chooses among rows before cells are released.",
        "windows": "A window runs over released cells, not where they are made.",
        "sample": "Cells are made of all rows, never of a sample.",
        "laterals": "Cells are made of one dataset, and not of what is computed for each row.",
    }
)


@dataclass(slots=True)
class Draft:
    """A SELECT that reads as a block. `spots` are the nodes in whose place the named released columns will stand.

    `mark` begins every made-up name; nothing in the statement is named so.
    """

    select: exp.Select
    subject: Subject
    joins: Joins
    atoms: tuple[Atom, ...]
    mark: str
    groupings: list[Grouping] = field(default_factory=list)
    aggregates: list[Aggregate] = field(default_factory=list)
    spots: list[tuple[exp.Expr, str]] = field(default_factory=list)
    remainder: str | None = None

    @property
    def aliases(self) -> frozenset[str]:
        """The names that its items are given, folded."""
        return frozenset(fold(item.alias) for item in self.select.expressions if item.alias)

    def group_by(self, key: Grouping) -> None:
        """Add a key, unless it is there."""
        if self.name_of(key) is None:
            self.groupings.append(replace(key, name=f"{self.mark}key{len(self.groupings) + 1}"))

    def name_of(self, key: Grouping) -> str | None:
        """Return the released column of a key, if it is one of the block's."""
        return next((each.name for each in self.groupings if replace(each, name="") == key), None)

    def figure(self, figure: Aggregate) -> str:
        """Return the released column of a figure, added where it is new."""
        for each in self.aggregates:
            if replace(each, name="") == figure:
                return each.name
        self.aggregates.append(replace(figure, name=f"{self.mark}value{len(self.aggregates) + 1}"))
        return self.aggregates[-1].name

    def is_remainder(self, node: exp.Expr) -> bool:
        """Whether a node is the mark of the remainder; a column or another alias of this name is meant before it."""
        if not _is_called_remainder(node) or self.subject.find(node) is not None:
            return False
        named = (item for item in self.select.expressions if fold(item.alias) == REMAINDER)
        return all(_is_called_remainder(bare(item.this)) for item in named)


def read_drafts(reading: Reading, tree: exp.Expr) -> tuple[list[Draft], list[exp.CTE]]:
    """Return the blocks of a tree in the order of the text, and the members of WITH that they take the place of.

    Whatever reads a protected dataset and is no block is refused, in `reading.faults`.
    """
    readers: dict[int, list[exp.Expr]] = defaultdict(list)
    pending: list[tuple[exp.Expr, str]] = []
    for table in tree.find_all(exp.Table):
        member = common_table(table)
        if member is not None:
            readers[id(member)].append(table)
        elif is_base_table(table) and fold(table.name) in reading.protected:
            pending.append((table, reading.protected[fold(table.name)].schema.name))
    selects: dict[int, tuple[exp.Select, str]] = {}
    inlined: dict[int, exp.CTE] = {}
    while pending:
        item, dataset = pending.pop()
        select = item.parent.parent if isinstance(item.parent, (exp.From, exp.Join)) else None
        if not isinstance(select, exp.Select):
            _no_rows(reading, item, dataset)
            continue
        items = _items_for(select, readers) if is_selection(select) else []
        pending += [(each, dataset) for each in items]
        if not items:
            selects[id(select)] = (select, dataset)
        elif isinstance(select.parent, exp.CTE):
            inlined[id(select.parent)] = select.parent
    return _in_order(reading, selects.values()), list(inlined.values())


def _items_for(selection: exp.Select, readers: Mapping[int, list[exp.Expr]]) -> list[exp.Expr]:
    """Return the FROM items that stand for a plain selection."""
    parent = selection.parent
    if isinstance(parent, exp.CTE):
        return readers.get(id(parent), [])
    return [parent] if isinstance(parent, exp.Subquery) and isinstance(parent.parent, (exp.From, exp.Join)) else []


def _in_order(reading: Reading, selects: Iterable[tuple[exp.Select, str]]) -> list[Draft]:
    ordered = sorted(selects, key=lambda each: start_of(each[0]))
    if len(ordered) > MAX_BLOCKS:
        select, dataset = ordered[MAX_BLOCKS]
        message = f"One statement takes cells in at most {MAX_BLOCKS} places."
        reading.refuse(select, dataset, "P_STEP", message, "Ask for more groups at once, with GROUP BY, or in parts.")
        return []
    mark = _unused(reading.text)
    drafts = [_read(reading, select, dataset, mark) for select, dataset in ordered]
    return [draft for draft in drafts if draft is not None]


def _unused(text: str) -> str:
    mark = "_"
    while any(f"{mark}{word}" in fold(text) for word in ("cells", "key", "value", "remainder")):
        mark += "_"
    return mark


def _no_rows(reading: Reading, node: exp.Expr, dataset: str) -> None:
    message = f"{dataset} is open for statistics only: it answers in figures for groups, never in rows."
    fix = (
        f"Write SELECT dimension, count(*) FROM {dataset} GROUP BY dimension, with nothing done to the dataset in FROM."  # noqa: S608 - words
    )
    reading.refuse(node, dataset, "P_ROWS", message, fix)


def _read(reading: Reading, select: exp.Select, dataset: str, mark: str) -> Draft | None:
    before = len(reading.faults)
    found = subject_of(reading, select)
    if found is None:
        if len(reading.faults) == before:
            _no_rows(reading, items_of(select)[0], dataset)
        return None
    subject, joins = found
    where = select.args.get("where")
    selected = [atom for source in subject.sources for atom in source.atoms]
    atoms = (*selected, *(read_conditions(subject, where.this) if where is not None else ()))
    draft = Draft(select, subject, joins, tuple(dict.fromkeys(atoms)), mark)
    _check_parts(draft)
    _check_aliases(draft)
    if _read_groups(draft):
        for part in (*select.expressions, *(select.args.get(slot) for slot in ("having", "order"))):
            if part is not None:
                _read_expression(draft, part.this if isinstance(part, exp.Alias) else part)
    if not draft.groupings and not draft.aggregates and len(reading.faults) == before:
        _no_rows(reading, items_of(select)[0], dataset)
    return draft


def _check_parts(draft: Draft) -> None:
    select = draft.select
    for slot, value in select.args.items():
        if value and slot not in _PARTS:
            place = value[0] if isinstance(value, list) else value
            message = _PARTS_LATER.get(slot, "This cannot stand where cells are made.")
            draft.subject.refuse(place if isinstance(place, exp.Expr) else select, "P_STEP", message, _CELLS_FIRST)
    distinct = select.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        draft.subject.refuse(distinct, "P_STEP", "DISTINCT ON chooses among rows.", _CELLS_FIRST)
    for slot in ("limit", "offset"):
        part = select.args.get(slot)
        if part is not None:
            _check_number(draft, slot, part)


def _check_number(draft: Draft, slot: str, part: exp.Expr) -> None:
    """LIMIT and OFFSET choose among released cells, so a parameter may stay; but its value must be a number of rows."""
    before = len(draft.subject.reading.faults)
    number = draft.subject.plain(part.expression)
    is_given = isinstance(part.expression, exp.Placeholder)
    fits = whole_number(number) is not None if is_given else isinstance(number, exp.Literal)
    if not fits and len(draft.subject.reading.faults) == before:
        message = f"{slot.upper()} takes a number here, whole and not below zero."
        draft.subject.refuse(part, "P_STEP", message, _CELLS_FIRST)


def _check_aliases(draft: Draft) -> None:
    """A select item's alias must not hide a column: it would then be read as the one or the other."""
    for item in draft.select.expressions:
        columns = [
            source.columns[name] for source in draft.subject.sources if (name := fold(item.alias)) in source.columns
        ]
        if item.alias and columns and draft.subject.find(bare(item.this)) not in columns:
            message = f'"{item.alias}" is a column of {draft.subject.dataset} or of a table joined to it.'
            draft.subject.refuse(item, "P_NAME", message, f"Choose another name, such as {item.alias}_.")


def _read_groups(draft: Draft) -> bool:
    """Read the keys; false where the SELECT asks for rows."""
    select, subject = draft.select, draft.subject
    items = [item.this if isinstance(item, exp.Alias) else item for item in select.expressions]
    group = select.args.get("group")
    endings = [select.args[slot] for slot in ("having", "order") if select.args.get(slot) is not None]
    if group is not None:
        members = [_meant(draft, member, items) for member in group.expressions]
        members += [item for item in items if group.args.get("all") and _is_key(subject, item)]
    elif any(map(_has_aggregate, [*items, *endings])):
        members = []
    elif select.args.get("distinct") is not None and not any(item.find(exp.Star) for item in items):
        members = items
    else:
        _no_rows(subject.reading, (items or items_of(select))[0], subject.dataset)
        return False
    keys = [read_group(subject, member) for member in members if not _is_mark(draft, member)]
    for key in keys:
        if key is not None:
            draft.group_by(key)
    return None not in keys


def _meant(draft: Draft, member: exp.Expr, items: list[exp.Expr]) -> exp.Expr:
    """Return the item that a member of GROUP BY means by its position or alias, or else the member itself."""
    member = bare(member)
    if 0 < (position := whole_number(member) or 0) <= len(items):
        return items[position - 1]
    if isinstance(member, exp.Column) and not member.table and draft.subject.find(member) is None:
        named = [item.this for item in draft.select.expressions if item.alias and fold(item.alias) == fold(member.name)]
        return named[0] if named else member
    return member


def _is_key(subject: Subject, item: exp.Expr) -> bool:
    """Whether GROUP BY ALL would group by the item: it reads a column, and no aggregate does."""
    return not _has_aggregate(item) and any(subject.find(node) is not None for node in _own_nodes(item))


def _is_called_remainder(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and not node.table and fold(node.name) == REMAINDER


def _has_aggregate(node: exp.Expr) -> bool:
    return any(map(is_aggregate, _own_nodes(node)))


def _own_nodes(root: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the nodes of an expression, without what is below a query in it."""
    return root.walk(prune=lambda node: isinstance(node, exp.Query))


def _read_expression(draft: Draft, root: exp.Expr) -> None:
    """Find the keys and figures in an expression; whatever else it has is computed from released values."""
    pending = [root]
    while pending:
        node = pending.pop()
        key = read_key(draft.subject, node)
        released = draft.name_of(key) if key is not None else None
        if released is not None:
            draft.spots.append((node, released))
        elif _is_mark(draft, node):
            _read_remainder(draft, node)
        elif type(node) in _LATER:
            draft.subject.refuse(node, "P_STEP", _LATER[type(node)], _CELLS_FIRST)
        elif is_aggregate(node):
            figure = read_figure(draft.subject, node)
            if figure is not None:
                draft.spots.append((node, draft.figure(figure)))
        elif isinstance(node, (exp.Column, exp.Star)):
            _check_column(draft, node)
        elif isinstance(node, exp.Query):
            _check_query(draft, node)
        else:
            pending += reversed(list(node.iter_expressions()))


def _is_mark(draft: Draft, node: exp.Expr) -> bool:
    """Whether a node is the mark of the remainder, which is then known to mean something."""
    is_mark = draft.is_remainder(bare(node))
    if is_mark:
        reading = draft.subject.reading
        reading.marks.add(line_and_column(reading.text, start_of(bare(node))))
    return is_mark


def _read_remainder(draft: Draft, node: exp.Expr) -> None:
    draft.remainder = f"{draft.mark}remainder"
    draft.spots.append((node, draft.remainder))
    if not draft.groupings:
        message = f"{REMAINDER} tells the row over all withheld groups from the others, and here are no groups."
        draft.subject.refuse(node, "P_GROUP", message, f"Group by dimensions: {draft.subject.dimensions()}.")


def _check_column(draft: Draft, node: exp.Expr) -> None:
    """Refuse a column that is no key, and a whole row; another name is an item's alias, or of a query around."""
    subject, column = draft.subject, draft.subject.find(node)
    rows = {source.alias for source in subject.sources} - draft.aliases
    if isinstance(node, exp.Star) or isinstance(node.this, exp.Star) or (column is None and fold(node.name) in rows):
        _no_rows(subject.reading, node, subject.dataset)
    elif column is not None:
        message = f"{column} is {subject.kind_of(column)} in {subject.dataset}, and here neither grouped nor counted."
        fix = f"Group by it, if it is a dimension ({subject.dimensions()}), or put a figure in its place."
        subject.refuse(node, "P_GROUP", message, fix)


def _check_query(draft: Draft, query: exp.Expr) -> None:
    """A subquery among the items must stand on its own: what it names like a column of the block could be meant."""
    own = {name for source in draft.subject.sources for name in source.columns}
    aliases = {source.alias for source in draft.subject.sources}
    for column in query.find_all(exp.Column):
        inside = column.find_ancestor(exp.Select)
        seen = {fold(item.alias_or_name) for item in items_of(inside)} if inside is not None else set()
        outward = fold(column.table) in aliases - seen if column.table else fold(column.name) in own
        if outward and (inside is draft.select or not _reads_block(draft.subject.reading, inside)):
            message = "A subquery beside released cells cannot look at the rows that the cells are made of."
            fix = f"Put the name of its own table before {column.name}; or: {_CELLS_FIRST}"
            draft.subject.refuse(column, "P_STEP", message, fix)


def _reads_block(reading: Reading, select: exp.Select | None) -> bool:
    return select is not None and any(fold(item.name) in reading.protected for item in items_of(select))
