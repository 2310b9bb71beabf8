"""Base cells as trusted SQL, generated from checked values only. Text out; nothing runs here.

A base cell is one combination of all dimensions at their grid, and of which values are missing. Groups, filters,
conditions and counts know these only, so whatever they make is a union of base cells: an extract is read once, for its
base cells and the entities in each.

Two datasets that are joined are read once each, for their *sides*: a row for each combination of a side's dimensions at
their grid and its entities. Rows of two sides with the same shared entity make a row of the pair, which stands for as
many rows as SQL's own join would have made of them. Names that the generated text makes up begin with an underscore or
`#`, which no dataset and no column does.
"""
# ruff: noqa: S608 - this text is never a researcher's: it is generated from policy and codebook

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from portal.disclosure.subject import Asked, Pair, Subject
from portal.policy.masks import literal, quote

SIDES: Final = ("_side0", "_side1")
"""The relations of a pair's sides, which `cells_query` and `members_query` of a pair read in place of `source`."""
OF_FIRST: Final = "_first"
"""The relation that `side_query` reads beside `source`: the first side's files, whose entities both sides know."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows as SQL: `own` defines the relation `_own`; over it, what dimensions, rows, counts and sums are.

    `carried` are the columns of `_own` that sums are made of.
    """

    own: str
    dimensions: Mapping[str, str]
    rows: str
    counts: Mapping[str, str]
    sums: Mapping[str, str]
    carried: tuple[str, ...]

    def figures(self) -> list[str]:
        counts = [f"{sql} AS {quote(f'#count.{name}')}" for name, sql in self.counts.items()]
        return [f'{self.rows} AS "#rows"', *counts, *self.added()]

    def added(self) -> list[str]:
        return [f"{sql} AS {quote(f'#sum.{name}')}" for name, sql in self.sums.items()]


def cells_query(subject: Asked) -> str:
    """Return SQL with a row for each base cell, in order, over `source` or the sides of a pair.

    `#position` counts them from 0, `#name` names one by its content, the dimensions follow as they are in it; then
    `#rows`, for each countable column `#count.{c}` and for each measure `#sum.{m}`.
    """
    rows = _rows(subject)
    named = ", ".join(f"{literal(name)}: {quote(name)}" for name in rows.dimensions)
    name = f"CAST(to_json({{{named}}}) AS VARCHAR)" if rows.dimensions else "'{}'"
    shown = ", ".join([*map(quote, rows.dimensions), '"#rows"', *(quote(f"#count.{c}") for c in rows.counts),
                       *(quote(f"#sum.{m}") for m in rows.sums)])  # fmt: skip
    columns = ", ".join([*_as_columns(rows.dimensions), *rows.figures()])
    keys = "GROUP BY " + ", ".join(rows.dimensions.values()) if rows.dimensions else ""
    position = f'{_numbered(rows.dimensions)} AS "#position"'
    return f"""WITH {rows.own}, _cells AS (SELECT {columns} FROM _own {keys} HAVING count(*) > 0)
      SELECT {position}, {name} AS "#name", {shown} FROM _cells ORDER BY "#position" """


def members_query(subject: Asked, entity: str) -> str:
    """Return SQL with a row for each base cell and entity, in order of both, over `source` or the sides of a pair.

    `#cell` is the position that `cells_query` gives; `#entity` numbers the entities of the whole release, so that a
    number means the same under any row rule; NULL is one entity, with number 0. `#sum.{m}` adds its
    values up.
    """
    rows = _rows(subject)
    same = " AND ".join(f"{sql} IS NOT DISTINCT FROM _cells.{quote(name)}" for name, sql in rows.dimensions.items())
    if isinstance(subject, Pair):
        known, joined, number = "", "", f"_own.{quote(entity)}"
    else:
        ids, number = _ids("_ids", subject.own(entity)), "coalesce(id, 0)"
        known, joined = f"{ids},", f"LEFT JOIN _ids ON _own.{quote(entity)} = _ids.e"
    return f"""WITH {rows.own}, {known}
      _cells AS (SELECT {", ".join(["*", f"{_numbered(rows.dimensions)} AS cell"])}
        FROM (SELECT DISTINCT {", ".join([*_as_columns(rows.dimensions), 'true AS "#any"'])} FROM _own)),
      _numbered AS (SELECT CAST(cell AS UINTEGER) AS "#cell", CAST({number} AS UINTEGER) AS "#entity",
        {", ".join(f"_own.{quote(c)}" for c in rows.carried)}
        FROM _own JOIN _cells ON {same or "true"} {joined})
      SELECT {", ".join(['"#cell"', '"#entity"', *rows.added()])}
      FROM _numbered GROUP BY "#cell", "#entity" ORDER BY "#cell", "#entity" """


def side_query(pair: Pair, place: int) -> str:
    """Return SQL over `source` and `OF_FIRST` with the rows of one side of a pair, gathered.

    There is one for each combination of its dimensions at their grid and its entities, which have their numbers in the
    side's release. `#shared` is the number of the shared entity in the first side's release, NULL where it is not in
    that. Then follow `#rows`, `#count.{c}` and `#sum.{m}`.
    """
    side, rows = pair.sides[place], _rows(pair.sides[place])
    numbers = [f"_ids{i}" for i in range(len(side.entities))]
    ids = [_ids(name, side.own(entity)) for name, entity in zip(numbers, side.entities, strict=True)]
    ids.append(_ids("_shared", pair.sides[0].own(pair.shared[0]), OF_FIRST))
    joined = [
        f"LEFT JOIN {name} ON _own.{quote(entity)} = {name}.e"
        for name, entity in [*zip(numbers, side.entities, strict=True), ("_shared", pair.shared[place])]
    ]
    known = [
        f"CAST(coalesce({name}.id, 0) AS UINTEGER) AS {quote(entity)}"
        for name, entity in zip(numbers, side.entities, strict=True)
    ]
    columns = [*_as_columns(rows.dimensions), *known, '_shared.id AS "#shared"', *rows.figures()]
    keys = [*rows.dimensions.values(), *(f"{name}.id" for name in numbers), "_shared.id"]
    return f"""WITH {rows.own}, {", ".join(ids)} SELECT {", ".join(columns)} FROM _own {" ".join(joined)}
      GROUP BY {", ".join(keys)} """


def join_size_query() -> str:
    """Return SQL over the sides of a pair with the number of rows that their join has."""
    one, other = (f'(SELECT "#shared", count(*) AS n FROM {side} GROUP BY "#shared")' for side in SIDES)
    return f'SELECT coalesce(sum(one.n * other.n), 0) AS n FROM {one} AS one JOIN {other} AS other USING ("#shared")'


def _rows(subject: Asked) -> _Rows:
    return _rows_of_pair(subject) if isinstance(subject, Pair) else _rows_of_one(subject)


def _rows_of_one(subject: Subject) -> _Rows:
    columns = ", ".join(f"{sql} AS {quote(name)}" for name, sql in subject.columns.items())
    return _Rows(
        f"_own AS (SELECT {columns} FROM source WHERE {' AND '.join(subject.row_rules) or 'true'})",
        subject.dimensions,
        "count(*)",
        {name: f"count({quote(name)})" for name in subject.countable},
        {name: f"CAST(sum({quote(name)}) AS DOUBLE)" for name in subject.disclosure.measures},
        tuple(subject.disclosure.measures),
    )


def _rows_of_pair(pair: Pair) -> _Rows:
    """A row of one side is there once for each row of the other side that it meets."""
    sums = tuple(f"#sum.{name}" for name in pair.disclosure.measures)
    columns = ['one."#rows" * other."#rows" AS "#rows"']
    for side, (mine, its) in zip(pair.sides, (("one", "other"), ("other", "one")), strict=True):
        columns += [f"{mine}.{quote(name)}" for name in (*side.dimensions, *side.entities)]
        figures = [f"#count.{name}" for name in side.countable] + [f"#sum.{name}" for name in side.disclosure.measures]
        columns += [f'{mine}.{quote(name)} * {its}."#rows" AS {quote(name)}' for name in figures]
    one, other = SIDES
    return _Rows(
        f"""_own AS (SELECT {", ".join(columns)} FROM {one} AS one JOIN {other} AS other USING ("#shared"))""",
        pair.dimensions,
        'CAST(sum("#rows") AS BIGINT)',
        {name: f"CAST(sum({quote(f'#count.{name}')}) AS BIGINT)" for name in pair.countable},
        {name: f"sum({quote(f'#sum.{name}')})" for name in pair.disclosure.measures},
        sums,
    )


def _ids(name: str, column: str, relation: str = "source") -> str:
    """Number the entities of a whole release, from 1."""
    key = quote(column)
    return f"""{name} AS (SELECT e, row_number() OVER (ORDER BY e) AS id
        FROM (SELECT DISTINCT {key} AS e FROM {relation} WHERE {key} IS NOT NULL))"""


def _as_columns(dimensions: Mapping[str, str]) -> list[str]:
    return [f"{sql} AS {quote(name)}" for name, sql in dimensions.items()]


def _numbered(dimensions: Mapping[str, str]) -> str:
    order = "ORDER BY " + ", ".join(map(quote, dimensions)) if dimensions else ""
    return f"row_number() OVER ({order}) - 1"
