"""Blocks as trusted SQL over base cells, generated from checked values only. Text out; nothing runs here.

A block asks only of which base cells it is made. Names that the generated text makes up begin with an underscore or
`#`, which no dataset and no column does.
"""
# ruff: noqa: S608 - this text is never a researcher's: it is generated from policy, codebook and checked blocks

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from portal.disclosure.making import SIDES
from portal.disclosure.subject import KEYS, Asked, Pair
from portal.policy.masks import literal, quote
from portal.sql.blocks import Aggregate, Atom, Block, Grouping, PublicJoin, Value

BASE = "_base"
"""The relation of base cells that `regions_query` and `view_query` read."""


def view_query(subject: Asked) -> str:
    """Return SQL over base cells with the `#position` of each that the bounds in force let be seen, in order."""
    return f'SELECT "#position" FROM {BASE} WHERE {_in_view(subject)} ORDER BY "#position"'


def regions_query(block: Block, subject: Asked) -> str:
    """Return SQL over base cells with a row for each group, and one about the block, where `dropped` is not NULL.

    A group has its key `k{i}`, and as lists of positions the `region` that it is made of; for aggregate j `r{j}`,
    where the figure has its values, `o{j}`, what its filter leaves out, and for distinct values `w{j}`, which tells
    those of `r{j}` apart. `dropped` has for each condition, and for those that may say the same, what they alone leave
    out.
    """
    columns = ", ".join(['"#position" AS cell', *map(quote, subject.dimensions)])
    atoms, partners = _names("a", block.atoms), _names("p", block.joins)
    aggregates, keys = block.aggregates, _keys(block)
    told = [j for j, each in enumerate(aggregates) if counts_values(each, subject)]
    ranked = [f"dense_rank() OVER (ORDER BY c{j}) AS w{j}" for j in told]
    order = {j: f" ORDER BY w{j}, cell" for j in told}
    has = [f"FILTER (f{j} AND c{j} IS NOT NULL)" for j in range(len(aggregates))]
    lists = [f"list(cell{order.get(j, '')}) {has[j]} AS r{j}" for j in range(len(aggregates))]
    lists += [f"list(cell) FILTER (NOT f{j}) AS o{j}" for j in range(len(aggregates))]
    lists += [f"list(w{j}{order[j]}) {has[j]} AS w{j}" for j in told]
    alone = [f"list(cell) FILTER (NOT {_all(left)} AND {_all(rest)})" for left, rest in _left_out(block, subject)]
    grouped = f"GROUP BY {', '.join(keys)}" if keys else ""
    return f"""WITH _own AS (SELECT {columns} FROM {BASE} WHERE {_in_view(subject)}), {_marked(block, subject)},
      _kept AS (SELECT {", ".join(["*", *ranked])} FROM _marked WHERE {_all([*atoms, *partners])})
      SELECT {", ".join([*keys, "list(cell) AS region", *lists])} FROM _kept {grouped}
      UNION ALL BY NAME SELECT CAST([{", ".join(alone)}] AS BIGINT[][]) AS dropped FROM _marked GROUP BY ()"""


def unmatched_query(block: Block, pair: Pair) -> str:
    """Return SQL over the sides of a pair with what its join leaves out, a row for each case and type of entity.

    Of one side, these are the rows that meet every condition on it and find no partner in the other: once among all
    its rows, once among those that meet the conditions on them. `left_out` counts the entities with such a row,
    `gone` those of them that have no other among the rows that meet the conditions.
    """
    sides = ", ".join(f"_all{i} AS ({_side(block, pair, i, met=False)}), _met{i} AS ({_side(block, pair, i, met=True)})"
                      for i in range(len(SIDES)))  # fmt: skip
    cases = [
        f"""SELECT '{kind}{other}' AS among, {literal(entity)} AS entity, count(*) FILTER (dropped) AS left_out,
          count(*) FILTER (dropped AND NOT kept) AS gone
        FROM (SELECT {quote(entity)}, bool_or(NOT partner) AS dropped, bool_or(partner) AS kept
          FROM (SELECT {quote(entity)}, _its.shared IS NOT NULL AS partner FROM _met{mine}
            LEFT JOIN (SELECT DISTINCT "#shared" AS shared FROM {kind}{other}) AS _its ON "#shared" = _its.shared)
          GROUP BY {quote(entity)})"""
        for mine, other in ((0, 1), (1, 0))
        for kind in ("_all", "_met")
        for entity in pair.sides[mine].entities
    ]
    return f"WITH {sides} {' UNION ALL '.join(cases)}"


def repeats_query(join: PublicJoin) -> str:
    """Return SQL over a public table with a row for a key that is there more than once."""
    key = quote(join.column)
    return f"SELECT 1 FROM {quote(join.dataset)} WHERE {key} IS NOT NULL GROUP BY {key} HAVING count(*) > 1 LIMIT 1"


def counts_values(aggregate: Aggregate, subject: Asked) -> bool:
    """Say whether an aggregate counts the distinct values of a dimension, not of an entity."""
    return aggregate.function == "count_distinct" and aggregate.column not in subject.entities


def _side(block: Block, pair: Pair, place: int, *, met: bool) -> str:
    """The rows of one side that the bounds in force let be seen; or those of them that meet the conditions on it."""
    side = pair.sides[place]
    joins = [join for join in block.joins if met and join.own in side.disclosure.dimensions]
    atoms = [atom for atom in block.atoms if met and
             (atom.column in side.disclosure.dimensions or any(_is_of(atom, join) for join in joins))]  # fmt: skip
    conditions = [*side.bounds, *map(_has_partner, joins), *(_condition(atom, pair) for atom in atoms)]
    columns = ", ".join(f"_own.{quote(name)}" for name in (*side.entities, "#shared"))
    return f"SELECT {columns} FROM {SIDES[place]} AS _own {_joined(joins, pair)} WHERE {_all(conditions)}"


def _in_view(subject: Asked) -> str:
    """Return the bounds in force as a condition on base cells; what has no position is none."""
    return " AND ".join(['"#position" IS NOT NULL', *subject.bounds])


def _marked(block: Block, subject: Asked) -> str:
    """Each base cell with its keys k, inputs c, filter flags f, atoms a, and p: whether it has a partner in a table."""
    columns = [
        "_own.cell",
        *(f"{_key(grouping, subject)} AS k{i}" for i, grouping in enumerate(block.groupings)),
        *(f"{_input(each, subject)} AS c{j}" for j, each in enumerate(block.aggregates)),
        *(f"{_conditions(each.filter, subject)} AS f{j}" for j, each in enumerate(block.aggregates)),
        *(f"{_condition(atom, subject)} AS a{i}" for i, atom in enumerate(block.atoms)),
        *(f"{_has_partner(join)} AS p{i}" for i, join in enumerate(block.joins)),
    ]
    return f"_marked AS (SELECT {', '.join(columns)} FROM _own {_joined(block.joins, subject)})"


def _joined(joins: Iterable[PublicJoin], subject: Asked) -> str:
    return " ".join(
        f"LEFT JOIN {quote(join.dataset)} ON {_column(join.own, subject)} = {quote(join.dataset)}.{quote(join.column)}"
        for join in joins
    )


def _has_partner(join: PublicJoin) -> str:
    return f"{quote(join.dataset)}.{quote(join.column)} IS NOT NULL"


def _left_out(block: Block, subject: Asked) -> Iterator[tuple[list[str], list[str]]]:
    """Yield conditions, and the others, for which those rows matter that the former leave out and the latter keep.

    Each condition alone; all that speak of one dimension, since one may hide behind another that says the same; and all
    together. A join is a condition on its dimension, since a row without a partner is dropped; and so is what is asked
    of the joined table, which such a row does not have, and which is not asked of it where the join stands alone.
    """
    atoms, partners = _names("a", block.atoms), _names("p", block.joins)
    everything = [*atoms, *partners]
    of_join = {p: [a for a, atom in zip(atoms, block.atoms, strict=True) if _is_of(atom, join)]
               for p, join in zip(partners, block.joins, strict=True)}  # fmt: skip
    for a in atoms:
        yield [a], [each for each in everything if each != a]
    for p, asked in of_join.items():
        yield [p], [each for each in everything if each not in (p, *asked)]
    families: dict[str, list[str]] = {}
    for p, join in zip(partners, block.joins, strict=True):
        families.setdefault(join.own, []).extend([p, *of_join[p]])
    for a, atom in zip(atoms, block.atoms, strict=True):
        if atom.column in subject.disclosure.dimensions:
            families.setdefault(atom.column, []).append(a)
    for family in families.values():
        yield family, [each for each in everything if each not in family]
    if everything:
        yield everything, []


def _is_of(atom: Atom, join: PublicJoin) -> bool:
    return atom.column.startswith(f"{join.dataset}.")


def _input(aggregate: Aggregate, subject: Asked) -> str:
    """Whether a value is there is the same for a whole base cell; of an entity to be told apart it is asked later."""
    column, distinct = aggregate.column, aggregate.function == "count_distinct"
    if column is None or (distinct and column in subject.entities):
        return "true"
    return f'nullif(_own."#has.{column}", false)' if column in subject.countable else _column(column, subject)


def _key(grouping: Grouping, subject: Asked) -> str:
    return KEYS[grouping.kind].format(_column(grouping.column, subject), literal(grouping.grid))


def _conditions(atoms: Iterable[Atom], subject: Asked) -> str:
    return _all(_condition(atom, subject) for atom in atoms)


def _condition(atom: Atom, subject: Asked) -> str:
    column = _column(atom.column, subject)
    if atom.prefix is not None:
        column = KEYS["prefix"].format(column, literal(atom.prefix))
    if atom.op == "is null":
        return f"{column} IS NULL"
    if atom.op == "in":
        return f"({column} IN ({', '.join(map(_value, atom.values))})) IS TRUE"
    return f"({column} {atom.op} {_value(atom.values[0])}) IS TRUE"


def _column(name: str, subject: Asked) -> str:
    """Return a dimension of what is asked, or else a column of a public table."""
    if name in subject.disclosure.dimensions:
        return f"_own.{quote(name)}"
    dataset, _, column = name.partition(".")
    return f"{quote(dataset)}.{quote(column)}"


def _value(value: Value) -> str:
    if isinstance(value, datetime):
        return f"TIMESTAMP {literal(value.isoformat(' '))}"
    return f"DATE {literal(value.isoformat())}" if isinstance(value, date) else literal(value)


def _names(letter: str, items: Sequence[object]) -> list[str]:
    return [f"{letter}{i}" for i in range(len(items))]


def _keys(block: Block) -> list[str]:
    return _names("k", block.groupings)


def _all(conditions: Iterable[str]) -> str:
    return "(" + (" AND ".join(conditions) or "true") + ")"
