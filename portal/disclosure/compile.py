"""Base cells and blocks as trusted SQL, generated from checked values only. Text out; nothing runs here.

A base cell is one combination of all dimensions at their grid, and of which values are missing. Groups, filters,
conditions and counts know these only, so whatever they make is a union of base cells: an extract is read once, for its
base cells and the entities in each, and a block asks only of which base cells it is made. Names that the generated text
makes up begin with an underscore or `#`, which no dataset and no column does.
"""
# ruff: noqa: S608 - this text is never a researcher's: it is generated from policy, codebook and checked blocks

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from portal.catalogue.dataset import Dataset
from portal.policy.decision import Obligations, RowRule
from portal.policy.masks import literal, mask_column, masked_type, quote
from portal.policy.model import DimensionUse, Disclosure
from portal.sql.blocks import Aggregate, Atom, Block, Grouping, PublicJoin, Value

BASE = "_base"
"""The relation of base cells that `regions_query` and `view_query` read."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What blocks are compiled against. `key` is the project's, for masks that need it."""

    dataset: Dataset
    obligations: Obligations
    key: bytes

    @property
    def disclosure(self) -> Disclosure:
        """The rules of aggregate access."""
        assert self.obligations.disclosure is not None
        return self.obligations.disclosure

    @property
    def entities(self) -> tuple[str, ...]:
        """Every declared entity, in the policy's order."""
        return tuple(self.disclosure.entities)

    def type_of(self, column: str) -> str:
        """Return the DuckDB type of a column as the policy lets it be."""
        return masked_type(self.dataset.columns[column].type, self.obligations.columns[column])

    @property
    def countable(self) -> tuple[str, ...]:
        """The columns whose values may be missing within a base cell: their counts are a statistic of their own."""
        return (*self.disclosure.measures, *self.disclosure.entities)


def cells_query(subject: Subject) -> str:
    """Return SQL over `source` with a row for each base cell, in order.

    `#position` counts them from 0, `#name` names one by its content, the dimensions follow as they are in it; then
    `#rows`, for each countable column `#count.{c}` and for each measure `#sum.{m}`.
    """
    dimensions = _base_dimensions(subject)
    named = ", ".join(f"{literal(name)}: {quote(name)}" for name in dimensions)
    name = f"CAST(to_json({{{named}}}) AS VARCHAR)" if dimensions else "'{}'"
    figures = [f"count({quote(c)}) AS {quote(f'#count.{c}')}" for c in subject.countable]
    shown = ", ".join([*map(quote, dimensions), '"#rows"', *(f'"#count.{c}"' for c in subject.countable),
                       *(f'"#sum.{m}"' for m in subject.disclosure.measures)])  # fmt: skip
    columns = ", ".join([*_as_columns(dimensions), 'count(*) AS "#rows"', *figures, *_sums(subject)])
    keys = "GROUP BY " + ", ".join(dimensions.values()) if dimensions else ""
    return f"""WITH {_own(subject)}, _cells AS (SELECT {columns} FROM _own {keys} HAVING count(*) > 0)
      SELECT {_numbered(dimensions)} AS "#position", {name} AS "#name", {shown} FROM _cells ORDER BY "#position" """


def members_query(subject: Subject, entity: str) -> str:
    """Return SQL over `source` with a row for each base cell and entity, in order of both.

    `#cell` is the position that `cells_query` gives; `#entity` numbers the entities of the whole release, so that a
    number means the same under any row rule; NULL is one entity, with number 0. `#with.{c}` says whether it has a
    value there, `#sum.{m}` adds its values up.
    """
    dimensions, key = _base_dimensions(subject), quote(entity)
    same = " AND ".join(f"{sql} IS NOT DISTINCT FROM _cells.{quote(name)}" for name, sql in dimensions.items())
    having = [f"count({quote(c)}) > 0 AS {quote(f'#with.{c}')}" for c in subject.countable]
    figures = ", ".join([*having, *_sums(subject)])
    return f"""WITH {_own(subject)}, _ids AS (
        SELECT e, row_number() OVER (ORDER BY e) AS id
        FROM (SELECT DISTINCT {key} AS e FROM source WHERE {key} IS NOT NULL)),
      _cells AS (SELECT {", ".join(["*", f"{_numbered(dimensions)} AS cell"])}
        FROM (SELECT DISTINCT {", ".join([*_as_columns(dimensions), 'true AS "#any"'])} FROM _own)),
      _numbered AS (SELECT CAST(cell AS UINTEGER) AS "#cell", CAST(coalesce(id, 0) AS UINTEGER) AS "#entity",
        {", ".join(f"_own.{quote(c)}" for c in subject.countable)}
        FROM _own JOIN _cells ON {same or "true"} LEFT JOIN _ids ON _own.{key} = _ids.e)
      SELECT "#cell", "#entity", {figures} FROM _numbered GROUP BY "#cell", "#entity" ORDER BY "#cell", "#entity" """


def view_query(subject: Subject) -> str:
    """Return SQL over base cells with the `#position` of each that the bounds in force let be seen, in order."""
    return f'SELECT "#position" FROM {BASE} WHERE {_in_view(subject)} ORDER BY "#position"'


def regions_query(block: Block, subject: Subject) -> str:
    """Return SQL over base cells with a row for each group, and one about the block, where `dropped` is not NULL.

    A group has its key `k{i}`, and as lists of positions the `region` that it is made of; for aggregate j `r{j}`,
    where the figure has its values, `o{j}`, what its filter leaves out, and for distinct values `w{j}`, which tells
    those of `r{j}` apart. `dropped` has for each condition, and for those that may say the same, what they alone leave
    out.
    """
    columns = ", ".join(['"#position" AS cell', *map(quote, _base_dimensions(subject))])
    atoms, partners = _names("a", block.atoms), _names("p", block.joins)
    aggregates, keys = block.aggregates, _keys(block)
    told = [j for j, each in enumerate(aggregates) if counts_values(each, subject)]
    ranked = [f"dense_rank() OVER (ORDER BY c{j}) AS w{j}" for j in told]
    order = {j: f" ORDER BY w{j}, cell" for j in told}
    has = [f"FILTER (f{j} AND c{j} IS NOT NULL)" for j in range(len(aggregates))]
    lists = [f"list(cell{order.get(j, '')}) {has[j]} AS r{j}" for j in range(len(aggregates))]
    lists += [f"list(cell) FILTER (NOT f{j}) AS o{j}" for j in range(len(aggregates))]
    lists += [f"list(w{j}{order[j]}) {has[j]} AS w{j}" for j in told]
    alone = [f"list(cell) FILTER (NOT {_all(left)} AND {_all(rest)})" for left, rest in _left_out(block)]
    grouped = f"GROUP BY {', '.join(keys)}" if keys else ""
    return f"""WITH _own AS (SELECT {columns} FROM {BASE} WHERE {_in_view(subject)}), {_marked(block, subject)},
      _kept AS (SELECT {", ".join(["*", *ranked])} FROM _marked WHERE {_all([*atoms, *partners])})
      SELECT {", ".join([*keys, "list(cell) AS region", *lists])} FROM _kept {grouped}
      UNION ALL BY NAME SELECT CAST([{", ".join(alone)}] AS BIGINT[][]) AS dropped FROM _marked"""


def repeats_query(join: PublicJoin) -> str:
    """Return SQL over a public table with a row for a key that is there more than once."""
    key = quote(join.column)
    return f"SELECT 1 FROM {quote(join.dataset)} WHERE {key} IS NOT NULL GROUP BY {key} HAVING count(*) > 1 LIMIT 1"


def fixed_rules(subject: Subject) -> tuple[str, ...]:
    """Return what makes a base cell what it is: the row rules that stand on no grid, the masks, and the grids."""
    masks = [f"{name}: {sql}" for name, sql in _columns(subject).items()]
    grids = [f"{name} at {sql}" for name, sql in _base_dimensions(subject).items()]
    return (*sorted(_row_rules(subject)), *sorted(masks), *sorted(grids))


def counts_values(aggregate: Aggregate, subject: Subject) -> bool:
    """Say whether an aggregate counts the distinct values of a dimension, not of an entity."""
    return aggregate.function == "count_distinct" and aggregate.column not in subject.entities


def _in_view(subject: Subject) -> str:
    """Return the bounds on dimensions of dates as a condition on base cells; what has no position is none.

    Such a bound takes whole periods of the grid only: when it moves, whole base cells are added or removed, and none
    has to be made again.
    """
    bounds = [sql for rule in subject.obligations.rows if (sql := _snapped(rule, subject))]
    return " AND ".join(['"#position" IS NOT NULL', *bounds])


def _row_rules(subject: Subject) -> list[str]:
    return [rule.predicate for rule in subject.obligations.rows if _snapped(rule, subject) is None]


def _snapped(rule: RowRule, subject: Subject) -> str | None:
    use = subject.disclosure.dimensions.get(rule.bound.column) if rule.bound else None
    if (
        rule.bound is None
        or use is None
        or use.period is None
        or not subject.obligations.columns[rule.bound.column].show
    ):
        return None
    column, grid, day = quote(rule.bound.column), use.period, rule.bound.day
    if rule.bound.comparison == "<=":
        return f"({column} < date_trunc('{grid}', DATE '{day}' + 1)) IS TRUE"
    return f"({column} >= date_trunc('{grid}', DATE '{day}' - 1) + INTERVAL 1 {grid}) IS TRUE"


def _own(subject: Subject) -> str:
    columns = ", ".join(f"{sql} AS {quote(name)}" for name, sql in _columns(subject).items())
    return f"_own AS (SELECT {columns} FROM source WHERE {' AND '.join(_row_rules(subject)) or 'true'})"


def _columns(subject: Subject) -> dict[str, str]:
    """Entities are counted as they are, since they never leave; dimensions and measures as the policy lets them be."""
    masked = (*subject.disclosure.dimensions, *subject.disclosure.measures)
    return {entity: quote(entity) for entity in subject.entities} | {
        name: mask_column(name, subject.dataset.columns[name].type, subject.obligations.columns[name], subject.key).sql
        for name in masked
    }


def _base_dimensions(subject: Subject) -> dict[str, str]:
    """Return each dimension as a base cell has it: at its grid, and in its own type where it has one.

    That a countable column has a value is a dimension too: the rows with and without one are apart in all that follows.
    """
    grids = {
        name: _at_grid(f"_own.{quote(name)}", use, subject.type_of(name))
        for name, use in subject.disclosure.dimensions.items()
    }
    return grids | {f"#has.{name}": f"(_own.{quote(name)} IS NOT NULL)" for name in subject.countable}


def _at_grid(column: str, use: DimensionUse, type_: str) -> str:
    if use.step is not None:
        return _KEYS["step"].format(column, use.step)
    if use.prefix is not None:
        return _KEYS["prefix"].format(column, use.prefix)
    return f"CAST({_KEYS['trunc'].format(column, literal(use.period))} AS {type_})" if use.period else column


def _as_columns(dimensions: Mapping[str, str]) -> list[str]:
    return [f"{sql} AS {quote(name)}" for name, sql in dimensions.items()]


def _numbered(dimensions: Mapping[str, str]) -> str:
    order = "ORDER BY " + ", ".join(map(quote, dimensions)) if dimensions else ""
    return f"row_number() OVER ({order}) - 1"


def _sums(subject: Subject) -> list[str]:
    return [f"CAST(sum({quote(m)}) AS DOUBLE) AS {quote(f'#sum.{m}')}" for m in subject.disclosure.measures]


def _marked(block: Block, subject: Subject) -> str:
    """Each base cell with its keys k, inputs c, filter flags f, atoms a, and p: whether it has a partner in a table."""
    columns = [
        "_own.cell",
        *(f"{_key(grouping)} AS k{i}" for i, grouping in enumerate(block.groupings)),
        *(f"{_input(each, subject)} AS c{j}" for j, each in enumerate(block.aggregates)),
        *(f"{_all(map(_condition, each.filter))} AS f{j}" for j, each in enumerate(block.aggregates)),
        *(f"{_condition(atom)} AS a{i}" for i, atom in enumerate(block.atoms)),
        *(f"{quote(join.dataset)}.{quote(join.column)} IS NOT NULL AS p{i}" for i, join in enumerate(block.joins)),
    ]
    joins = " ".join(
        f"LEFT JOIN {quote(join.dataset)} ON {_column(join.own)} = {quote(join.dataset)}.{quote(join.column)}"
        for join in block.joins
    )
    return f"_marked AS (SELECT {', '.join(columns)} FROM _own {joins})"


def _left_out(block: Block) -> Iterator[tuple[list[str], list[str]]]:
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
        if "." not in atom.column:
            families.setdefault(atom.column, []).append(a)
    for family in families.values():
        yield family, [each for each in everything if each not in family]
    if everything:
        yield everything, []


def _is_of(atom: Atom, join: PublicJoin) -> bool:
    return atom.column.startswith(f"{join.dataset}.")


def _input(aggregate: Aggregate, subject: Subject) -> str:
    """Whether a value is there is the same for a whole base cell; of an entity to be told apart it is asked later."""
    column, distinct = aggregate.column, aggregate.function == "count_distinct"
    if column is None or (distinct and column in subject.entities):
        return "true"
    return f'nullif(_own."#has.{column}", false)' if column in subject.countable else _column(column)


_KEYS: Mapping[str, str] = MappingProxyType(
    {
        "value": "{0}",
        "trunc": "date_trunc({1}, {0})",
        "year": "year({0})",
        "step": "(floor({0} / {1}) * {1})",
        "prefix": "left({0}, {1})",
    }
)
"""How each kind of key is computed from a column {0} and a grid {1}."""


def _key(grouping: Grouping) -> str:
    return _KEYS[grouping.kind].format(_column(grouping.column), literal(grouping.grid))


def _condition(atom: Atom) -> str:
    column = _column(atom.column)
    if atom.prefix is not None:
        column = _KEYS["prefix"].format(column, literal(atom.prefix))
    if atom.op == "is null":
        return f"{column} IS NULL"
    if atom.op == "in":
        return f"({column} IN ({', '.join(map(_value, atom.values))})) IS TRUE"
    return f"({column} {atom.op} {_value(atom.values[0])}) IS TRUE"


def _column(name: str) -> str:
    dataset, dot, column = name.partition(".")
    return f"{quote(dataset)}.{quote(column)}" if dot else f"_own.{quote(name)}"


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
