"""A statement over released cells in place of the blocks that it asks for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sqlglot import exp

from portal.sql.blocks import Block, EntityJoin, PublicJoin
from portal.sql.dialect import write
from portal.sql.places import fold, line_and_column, start_of
from portal.sql.plan import StatementParser
from portal.sql.protected import Draft

_GONE = ("joins", "group", "having")


def put_cells(drafts: Sequence[Draft], inlined: Iterable[exp.CTE], parser: StatementParser) -> tuple[Block, ...]:
    """Let the tree that the drafts are of read their released relations instead, in place; return the blocks.

    Every item keeps the name that DuckDB gives it. One question that is asked twice is one block.
    """
    named = {id(item): (item, name) for draft in drafts for item, name in _named_items(draft, parser)}
    for item, name in named.values():
        if name:
            _name(item, name)
    blocks: dict[Block, Block] = {}
    for draft in drafts:
        block = _block(draft)
        question = replace(block, line=0, column=0)
        blocks.setdefault(question, replace(block, relation=f"{draft.mark}cells{len(blocks) + 1}"))
        _put(draft, blocks[question].relation)
    for member in inlined:
        _leave_out(member)
    return tuple(blocks.values())


def _block(draft: Draft) -> Block:
    line, column = line_and_column(draft.subject.reading.text, start_of(draft.select))
    return Block(
        relation="",
        dataset=draft.subject.dataset,
        groupings=tuple(draft.groupings),
        aggregates=tuple(draft.aggregates),
        atoms=draft.atoms,
        joins=tuple(join for join in draft.joins if isinstance(join, PublicJoin)),
        line=line,
        column=column,
        entity_join=next((join for join in draft.joins if isinstance(join, EntityJoin)), None),
        remainder=draft.remainder,
    )


def _named_items(draft: Draft, parser: StatementParser) -> Iterator[tuple[exp.Expr, str | None]]:
    """Yield the block's items with their names, and so the items of queries around that hold the block."""
    put = {id(node) for node, _ in draft.spots}
    for item in draft.select.expressions:
        if not item.alias and any(id(node) in put or isinstance(node, exp.Query) for node in item.walk()):
            yield item, _name_of(draft, item) or _name_in_duckdb(item, parser)
    node: exp.Expr = draft.select
    while node.parent is not None:
        if node.arg_key == "expressions" and isinstance(node.parent, exp.Select) and not isinstance(node, exp.Alias):
            yield node, _name_in_duckdb(node, parser)
        node = node.parent


def _name_of(draft: Draft, item: exp.Expr) -> str | None:
    """Return the name of an item that is a column: the dataset's spelling, not the statement's."""
    column = draft.subject.find(item)
    if column is None:
        return None
    spelled = column.rpartition(".")[2]
    return spelled if fold(spelled) == fold(item.name) else item.name


def _name_in_duckdb(item: exp.Expr, parser: StatementParser) -> str | None:
    text = parser.normalise(f"SELECT {write(item)}")
    return text.removeprefix("SELECT ") if text else None


def _name(item: exp.Expr, name: str) -> None:
    place = exp.Alias(alias=exp.to_identifier(name, quoted=True))
    item.replace(place)
    place.set("this", item)


def _put(draft: Draft, relation: str) -> None:
    select, having = draft.select, draft.select.args.get("having")
    if not draft.aggregates and select.args.get("group") is None:
        select.set("distinct", None)
    for node, name in draft.spots:
        node.replace(exp.column(name, table=relation))
    select.set("from_", exp.From(this=exp.to_table(relation)))
    for slot in _GONE:
        select.set(slot, None)
    select.set("where", exp.Where(this=having.this) if having is not None else None)


def _leave_out(member: exp.CTE) -> None:
    with_ = member.parent
    member.pop()
    if with_ is not None and not with_.expressions and with_.parent is not None:
        with_.parent.set("with_", None)
