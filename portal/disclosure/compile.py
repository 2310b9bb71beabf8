"""A block as trusted SQL, generated from checked values only. Text out; nothing runs here.

Every entity's rows are first added up on their own, so that thresholds, support and dominance are exact. Names that the
generated text makes up begin with an underscore or `#`, which no dataset and no column does.
"""
# ruff: noqa: S608 - this text is never a researcher's: it is generated from policy, codebook and checked blocks

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from portal.catalogue.dataset import Dataset
from portal.policy.decision import Obligations, RowRule
from portal.policy.masks import literal, mask_column, quote
from portal.policy.model import DimensionUse, Disclosure
from portal.sql.blocks import Aggregate, Atom, Block, Grouping, PublicJoin, Value

BASE = "_base"
"""The relation of base cells that `regions_query` reads."""


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

    @property
    def countable(self) -> tuple[str, ...]:
        """The columns whose values may be missing within a base cell: their counts are a statistic of their own."""
        return (*self.disclosure.measures, *self.disclosure.entities)


def cells_query(block: Block, subject: Subject) -> str:
    """Return SQL over the dataset (and the public tables) with a row for each group.

    Columns, for key i, aggregate j and entity e: `k{i}`; `n_{e}` distinct entities; `m{j}` rows that count; `v{j}` the
    sum, or the distinct values; `s{j}_{e}` supporting entities; `o{j}_{e}` entities with a row outside the filter;
    `x{j}_{e}` the sum of absolute contributions and `t{j}_{e}` the largest of them. NULL is one entity.
    """
    entities = range(len(subject.entities))
    ctes = [*_marked(block, subject, _own(subject, quote(block.dataset)))]
    ctes += [f"_kept AS (SELECT * FROM _marked WHERE {_all(_names('a', block.atoms))})"]
    for e in entities:
        ctes += [_per_entity(block, e), _per_group(block, subject, e)]
    distinct = [j for j, each in enumerate(block.aggregates) if _counts_values(each, subject)]
    ctes += [_distinct_values(block, subject, j) for j in distinct]
    joins = [_join("", f"_group{e}", block) for e in entities[1:]]
    joins += [_join("LEFT", f"_distinct{j}", block) for j in distinct]
    shown = [f"_group0.{key}" for key in _names("k", block.groupings)]
    shown += [
        f"_group{e}.* EXCLUDE ({', '.join(_keys(block))})" if block.groupings else f"_group{e}.*" for e in entities
    ]
    shown += [f"coalesce(_distinct{j}.v{j}, 0) AS v{j}" for j in distinct]
    return f"WITH {', '.join(ctes)} SELECT {', '.join(shown)} FROM _group0 {' '.join(joins)}"


def effects_query(block: Block, subject: Subject) -> str:
    """Return SQL with one row: for atom i and entity e, `d{i}_{e}` the entities with rows that this atom alone leaves
    out, and `l{i}_{e}` those of them that the block then does not reach at all.
    """  # noqa: D205 - one sentence
    atoms = _names("a", block.atoms)
    ctes = [*_marked(block, subject, _own(subject, quote(block.dataset)))]
    for e in range(len(subject.entities)):
        dropped = [f"bool_or(NOT {a} AND {_all([b for b in atoms if b != a])}) AS d_{a}" for a in atoms]
        marks = ", ".join([f"bool_or({_all(atoms)}) AS kept", *dropped])
        ctes += [f"_effect{e} AS (SELECT {marks} FROM _marked GROUP BY e{e})"]
    counts = ", ".join(
        f"(SELECT count(*) FILTER (d_{a}) FROM _effect{e}) AS d{i}_{e}, "
        f"(SELECT count(*) FILTER (d_{a} AND NOT kept) FROM _effect{e}) AS l{i}_{e}"
        for e in range(len(subject.entities))
        for i, a in enumerate(atoms)
    )
    return f"WITH {', '.join(ctes)} SELECT {counts}"


def base_query(subject: Subject, entity: str) -> str:
    """Return SQL over `source`: for each base cell and entity, the rows, counts and sums.

    A base cell is one combination of all dimensions at their grid; every cell is a union of these. `#cell` names it by
    its content; `#entity` numbers the entities of the whole release, so that a number means the same under any row
    rule; NULL is number 0.
    """
    dimensions = _base_dimensions(subject)
    named = ", ".join(f"{literal(name)}: {sql}" for name, sql in dimensions.items())
    cell = f"CAST(to_json({{{named}}}) AS VARCHAR)" if named else "'{}'"
    figures = [f"count({quote(c)}) AS {quote(f'#count.{c}')}" for c in subject.countable]
    figures += [f"CAST(sum({quote(m)}) AS DOUBLE) AS {quote(f'#sum.{m}')}" for m in subject.disclosure.measures]
    columns = [f'{cell} AS "#cell"', *(f"{sql} AS {quote(name)}" for name, sql in dimensions.items())]
    key = quote(entity)
    return f"""WITH _ids AS (
        SELECT e, row_number() OVER (ORDER BY e) AS id
        FROM (SELECT DISTINCT {key} AS e FROM source WHERE {key} IS NOT NULL)),
      {_own(subject, "source")}
      SELECT {", ".join(columns)}, coalesce(_ids.id, 0) AS "#entity", count(*) AS "#rows", {", ".join(figures)}
      FROM _own LEFT JOIN _ids ON _own.{key} = _ids.e GROUP BY ALL ORDER BY "#cell", "#entity" """


def regions_query(block: Block, subject: Subject) -> str:
    """Return SQL over base cells with a row for each group: `k{i}`, and as lists of `#cell` the group's whole `region`
    and, for aggregate j, its `r{j}`.
    """  # noqa: D205 - one sentence
    columns = ", ".join(['"#cell"', *map(quote, subject.disclosure.dimensions)])
    own = f"_own AS (SELECT DISTINCT {columns} FROM {BASE})"
    missing = dict.fromkeys(subject.countable, "true")
    ctes = [*_marked(block, subject, own, cell='_own."#cell" AS cell', inputs=missing)]
    ctes += [f"_kept AS (SELECT * FROM _marked WHERE {_all(_names('a', block.atoms))})"]
    lists = [f"list(cell) FILTER (f{j} AND c{j} IS NOT NULL) AS r{j}" for j in range(len(block.aggregates))]
    shown = ", ".join([*_keys(block), "list(cell) AS region", *lists])
    return f"WITH {', '.join(ctes)} SELECT {shown} FROM _kept {_group_by(_keys(block))}"


def repeats_query(join: PublicJoin) -> str:
    """Return SQL over a public table with a row for a key that is there more than once."""
    key = quote(join.column)
    return f"SELECT 1 FROM {quote(join.dataset)} WHERE {key} IS NOT NULL GROUP BY {key} HAVING count(*) > 1 LIMIT 1"


def bounds_in_force(subject: Subject) -> tuple[str, ...]:
    """Return the row rules as predicates. A bound on a dimension of dates takes whole periods of its grid only, so
    that a moving bound adds or removes whole base cells.
    """  # noqa: D205 - one sentence
    return tuple(_snapped(rule, subject) or rule.predicate for rule in subject.obligations.rows)


def fixed_rules(subject: Subject) -> tuple[str, ...]:
    """Return what may change the content of a base cell: the row rules that do not stand on a grid, and the masks."""
    rules = [rule.predicate for rule in subject.obligations.rows if _snapped(rule, subject) is None]
    masks = [f"{name}: {sql}" for name, sql in _columns(subject).items()]
    return (*sorted(rules), *sorted(masks))


def _snapped(rule: RowRule, subject: Subject) -> str | None:
    use = subject.disclosure.dimensions.get(rule.bound.column) if rule.bound else None
    if rule.bound is None or use is None or use.range is None:
        return None
    column, grid, day = f"CAST({quote(rule.bound.column)} AS DATE)", use.range, rule.bound.day
    if rule.bound.comparison == "<=":
        return f"({column} < date_trunc('{grid}', DATE '{day}' + 1)) IS TRUE"
    return f"({column} >= date_trunc('{grid}', DATE '{day}' - 1) + INTERVAL 1 {grid}) IS TRUE"


def _own(subject: Subject, relation: str) -> str:
    columns = ", ".join(f"{sql} AS {quote(name)}" for name, sql in _columns(subject).items())
    where = " AND ".join(bounds_in_force(subject)) or "true"
    return f"_own AS (SELECT {columns} FROM {relation} WHERE {where})"


def _columns(subject: Subject) -> dict[str, str]:
    """Entities are counted as they are, since they never leave; dimensions and measures as the policy lets them be."""
    masked = (*subject.disclosure.dimensions, *subject.disclosure.measures)
    columns = {entity: quote(entity) for entity in subject.entities}
    for name in masked:
        column = subject.dataset.columns[name]
        columns[name] = mask_column(name, column.type, subject.obligations.columns[name], subject.key).sql
    return columns


def _base_dimensions(subject: Subject) -> dict[str, str]:
    return {name: _at_grid(quote(name), use) for name, use in subject.disclosure.dimensions.items()}


def _at_grid(column: str, use: DimensionUse) -> str:
    """Return a dimension as base cells tell it apart, in the type that a key of its finest groups has."""
    if use.step is not None:
        return _KEYS["step"].format(column, use.step)
    if use.prefix is not None:
        return _KEYS["prefix"].format(column, use.prefix)
    return _KEYS["trunc"].format(column, literal(use.period)) if use.period else column


def _marked(
    block: Block, subject: Subject, own: str, cell: str | None = None, inputs: dict[str, str] | None = None
) -> Iterator[str]:
    """Yield `_own` and `_marked`: each row with its keys k, entities e, inputs c, filter flags f and atoms a."""
    overridden = inputs or {}
    entities = [] if cell else [f"_own.{quote(entity)} AS e{e}" for e, entity in enumerate(subject.entities)]
    columns = [
        *([cell] if cell else ()),
        *entities,
        *(f"{_key(grouping)} AS k{i}" for i, grouping in enumerate(block.groupings)),
        *(f"{_input(each, overridden)} AS c{j}" for j, each in enumerate(block.aggregates)),
        *(f"{_all(map(_condition, each.filter))} AS f{j}" for j, each in enumerate(block.aggregates)),
        *(f"{_condition(atom)} AS a{i}" for i, atom in enumerate(block.atoms)),
    ]
    joins = " ".join(
        f"JOIN {quote(join.dataset)} ON {_column(join.own)} = {quote(join.dataset)}.{quote(join.column)}"
        for join in block.joins
    )
    yield own
    yield f"_marked AS (SELECT {', '.join(columns)} FROM _own {joins})"


def _per_entity(block: Block, e: int) -> str:
    figures = [f"count(*) FILTER (f{j} AND c{j} IS NOT NULL) AS m{j}" for j in range(len(block.aggregates))]
    figures += [f"count(*) FILTER (NOT f{j}) AS o{j}" for j in range(len(block.aggregates))]
    figures += [f"sum(c{j}) FILTER (f{j}) AS s{j}" for j, each in enumerate(block.aggregates) if _sums(each)]
    keys = [*_keys(block), f"e{e}"]
    return f"_entity{e} AS (SELECT {', '.join([*keys, *figures])} FROM _kept {_group_by(keys)})"


def _per_group(block: Block, subject: Subject, e: int) -> str:
    largest = max(2, subject.disclosure.dominance.top)
    figures = [f"count(*) AS n_{e}"]
    for j, each in enumerate(block.aggregates):
        figures += [f"count(*) FILTER (m{j} > 0) AS s{j}_{e}", f"count(*) FILTER (o{j} > 0) AS o{j}_{e}"]
        if _sums(each):
            figures += [f"CAST(sum(abs(s{j})) AS DOUBLE) AS x{j}_{e}"]
            figures += [f"[CAST(x AS DOUBLE) FOR x IN max(abs(s{j}), {largest})] AS t{j}_{e}"]
        if e == 0:
            figures += [f"CAST(coalesce(sum(m{j}), 0) AS BIGINT) AS m{j}"]
            figures += [f"CAST(sum(s{j}) AS DOUBLE) AS v{j}"] if _sums(each) else []
        if each.function == "count_distinct" and each.column == subject.entities[e]:
            figures += [f"count(*) FILTER (m{j} > 0 AND e{e} IS NOT NULL) AS v{j}"]
    columns = ", ".join([*_keys(block), *figures])
    return f"_group{e} AS (SELECT {columns} FROM _entity{e} {_group_by(_keys(block))})"


def _distinct_values(block: Block, subject: Subject, j: int) -> str:
    """Count the values that enough entities have: a value of few is not told apart from a value of none."""
    enough = " AND ".join(
        f"count(DISTINCT e{e}) + coalesce(max(CASE WHEN e{e} IS NULL THEN 1 END), 0) >= {k}"
        for e, k in enumerate(subject.disclosure.entities.values())
    )
    keys = _keys(block)
    values = (
        f"SELECT {', '.join([*keys, f'c{j}'])} FROM _kept WHERE f{j} AND c{j} IS NOT NULL "
        f"{_group_by([*keys, f'c{j}'])} HAVING {enough}"
    )
    return f"_distinct{j} AS (SELECT {', '.join([*keys, f'count(*) AS v{j}'])} FROM ({values}) {_group_by(keys)})"


def _sums(aggregate: Aggregate) -> bool:
    return aggregate.function in ("sum", "avg")


def _counts_values(aggregate: Aggregate, subject: Subject) -> bool:
    return aggregate.function == "count_distinct" and aggregate.column not in subject.entities


def _input(aggregate: Aggregate, overridden: dict[str, str]) -> str:
    if aggregate.column is None:
        return "true"
    return overridden.get(aggregate.column) or _column(aggregate.column)


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


def _group_by(keys: Sequence[str]) -> str:
    return f"GROUP BY {', '.join(keys)}" if keys else ""


def _join(kind: str, relation: str, block: Block) -> str:
    on = " AND ".join(f"_group0.{key} IS NOT DISTINCT FROM {relation}.{key}" for key in _keys(block)) or "true"
    return f"{kind} JOIN {relation} ON {on}"
