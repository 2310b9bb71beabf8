"""What base cells are made of: one dataset as its policy lets it be, or two that are joined on an entity they share."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from portal.catalogue.dataset import Dataset
from portal.ids import DatasetName
from portal.policy.decision import Obligations, RowRule
from portal.policy.masks import literal, mask_column, masked_type, quote
from portal.policy.model import DimensionUse, Disclosure, Dominance, History
from portal.sql.blocks import Atom, Block

KEYS: Mapping[str, str] = MappingProxyType(
    {
        "value": "{0}",
        "trunc": "date_trunc({1}, {0})",
        "year": "year({0})",
        "step": "(floor({0} / {1}) * {1})",
        "prefix": "left({0}, {1})",
    }
)
"""How each kind of key is computed from a column {0} and a grid {1}."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One dataset, as blocks are compiled against it. `key` is the project's, for masks that need it.

    `before` stands before the names of its columns: nothing, or `dataset.` where it is one of a pair.
    """

    dataset: Dataset
    obligations: Obligations
    key: bytes
    before: str = ""

    @property
    def disclosure(self) -> Disclosure:
        """The rules of aggregate access."""
        assert self.obligations.disclosure is not None
        return _named(self.obligations.disclosure, self.before)

    @property
    def entities(self) -> tuple[str, ...]:
        """Every declared entity, in the policy's order."""
        return tuple(self.disclosure.entities)

    @property
    def countable(self) -> tuple[str, ...]:
        """The columns whose values may be missing within a base cell: their counts are a statistic of their own."""
        return _countable(self.disclosure)

    @property
    def columns(self) -> Mapping[str, str]:
        """Its columns over `source`.

        Entities are counted as they are, since they never leave; dimensions and measures as the policy lets them be.
        """
        rules = self.disclosure
        return {entity: quote(self.own(entity)) for entity in rules.entities} | {
            name: mask_column(own, self.dataset.columns[own].type, self.obligations.columns[own], self.key).sql
            for name in (*rules.dimensions, *rules.measures)
            for own in [self.own(name)]
        }

    @property
    def dimensions(self) -> Mapping[str, str]:
        """Its dimensions over `_own` as a base cell has them: at their grid, in their own type where they have one.

        That a countable column has a value is a dimension too: the rows with and without one are apart in all that
        follows.
        """
        grids = {
            name: _at_grid(f"_own.{quote(name)}", use, self._type_of(self.own(name)))
            for name, use in self.disclosure.dimensions.items()
        }
        return grids | {f"#has.{name}": f"(_own.{quote(name)} IS NOT NULL)" for name in self.countable}

    @property
    def row_rules(self) -> Sequence[str]:
        """The row rules that do not stand on a grid: they make the content of a base cell."""
        return [rule.predicate for rule in self.obligations.rows if self._snapped(rule) is None]

    @property
    def bounds(self) -> Sequence[str]:
        """The bounds on dimensions of dates, as conditions on base cells.

        Such a bound takes whole periods of the grid only: when it moves, whole base cells are added or removed, and
        none has to be made again.
        """
        return [sql for rule in self.obligations.rows if (sql := self._snapped(rule))]

    def own(self, name: str) -> str:
        """Return the name of a column in the dataset itself."""
        return name.removeprefix(self.before)

    def _type_of(self, own: str) -> str:
        return masked_type(self.dataset.columns[own].type, self.obligations.columns[own])

    def _snapped(self, rule: RowRule) -> str | None:
        if rule.bound is None or not self.obligations.columns[rule.bound.column].show:
            return None
        name = f"{self.before}{rule.bound.column}"
        use = self.disclosure.dimensions.get(name)
        if use is None or use.period is None:
            return None
        column, grid, day = quote(name), use.period, rule.bound.day
        if rule.bound.comparison == "<=":
            return f"({column} < date_trunc('{grid}', DATE '{day}' + 1)) IS TRUE"
        return f"({column} >= date_trunc('{grid}', DATE '{day}' - 1) + INTERVAL 1 {grid}) IS TRUE"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two datasets, in order of their names, joined on the entity that is the columns `shared` of them.

    A column of either is named `dataset.column`. The shared entity counts as one of each, under its number in each, so
    that what is known of the pair can be held against what is known of either.
    """

    sides: tuple[Subject, Subject]
    shared: tuple[str, str]

    @property
    def disclosure(self) -> Disclosure:
        """The rules of both: of two for the same the stricter, and else each side's own for what is its own."""
        rules = [side.disclosure for side in self.sides]
        one, other = rules
        shared = max(each.entities[name] for each, name in zip(rules, self.shared, strict=True))
        return one.model_copy(
            update={
                "entities": one.entities | other.entities | dict.fromkeys(self.shared, shared),
                "dimensions": one.dimensions | other.dimensions,
                "measures": one.measures | other.measures,
                "public_joins": one.public_joins | other.public_joins,
                "dominance": Dominance(
                    p=max(each.dominance.p for each in rules),
                    top=max(each.dominance.top for each in rules),
                    share=min(each.dominance.share for each in rules),
                ),
                "round_counts_to": max(each.round_counts_to for each in rules),
                "history": History(
                    pairwise=any(each.history.pairwise for each in rules),
                    span=any(each.history.span for each in rules),
                ),
            }
        )

    @property
    def entities(self) -> tuple[str, ...]:
        """Every declared entity of both."""
        return tuple(self.disclosure.entities)

    @property
    def countable(self) -> tuple[str, ...]:
        """The columns of both whose values may be missing within a base cell."""
        return _countable(self.disclosure)

    @property
    def dimensions(self) -> Mapping[str, str]:
        """The dimensions of both over `_own`, which has them as a base cell has them."""
        return {name: f"_own.{quote(name)}" for side in self.sides for name in side.dimensions}

    @property
    def bounds(self) -> Sequence[str]:
        """The bounds of both on base cells."""
        return [bound for side in self.sides for bound in side.bounds]


Asked = Subject | Pair
"""What blocks are asked of."""


def pair_of(block: Block, subjects: Mapping[DatasetName, Subject]) -> Pair:
    """Return the pair that a block with an `entity_join` is about."""
    assert block.entity_join is not None
    columns = {block.dataset: block.entity_join.own, block.entity_join.dataset: block.entity_join.column}
    one, other = (replace(subjects[name], before=f"{name}.") for name in sorted(columns))
    first, second = (f"{name}.{columns[name]}" for name in sorted(columns))
    return Pair((one, other), (first, second))


def block_over(pair: Pair, block: Block) -> Block:
    """Return the block with every column under its name in the pair, so that either side may come first in a statement.

    The shared entity is that of the first side, and is never missing.
    """

    def name(column: str) -> str:
        return column if "." in column else f"{block.dataset}.{column}"

    def atoms(some: Iterable[Atom]) -> tuple[Atom, ...]:
        return tuple(replace(atom, column=name(atom.column)) for atom in some)

    figures = [
        replace(each, column=each.column and name(each.column), filter=atoms(each.filter)) for each in block.aggregates
    ]
    return replace(
        block,
        groupings=tuple(replace(each, column=name(each.column)) for each in block.groupings),
        aggregates=tuple(replace(each, **_of_shared(pair, each.function, each.column)) for each in figures),
        atoms=atoms(block.atoms),
        joins=tuple(replace(join, own=name(join.own)) for join in block.joins),
    )


def _of_shared(pair: Pair, function: str, column: str | None) -> dict[str, Any]:
    if column not in pair.shared:
        return {}
    return {"column": pair.shared[0]} if function == "count_distinct" else {"function": "count_rows", "column": None}


def _named(rules: Disclosure, before: str) -> Disclosure:
    """Return the rules with their columns under other names."""
    if not before:
        return rules
    columns = ("entities", "dimensions", "measures", "public_joins")
    return rules.model_copy(
        update={of: {f"{before}{name}": rule for name, rule in getattr(rules, of).items()} for of in columns}
    )


def _countable(rules: Disclosure) -> tuple[str, ...]:
    return (*rules.measures, *rules.entities)


def _at_grid(column: str, use: DimensionUse, type_: str) -> str:
    if use.step is not None:
        return KEYS["step"].format(column, use.step)
    if use.prefix is not None:
        return KEYS["prefix"].format(column, use.prefix)
    return f"CAST({KEYS['trunc'].format(column, literal(use.period))} AS {type_})" if use.period else column


def fixed_rules(subject: Asked) -> Iterator[str]:
    """Yield what makes a base cell what it is: row rules that stand on no grid, masks, grids, and the join."""
    if isinstance(subject, Pair):
        for side in subject.sides:
            yield from fixed_rules(side)
        yield " = ".join(subject.shared)
    else:
        yield from sorted(subject.row_rules)
        yield from sorted(f"{name}: {sql}" for name, sql in subject.columns.items())
        yield from sorted(f"{name} at {sql}" for name, sql in subject.dimensions.items())
