"""A dataset's recipe as one DuckDB SELECT: text in, text out; nothing runs here.

The SELECT reads the relation `raw` and gives the codebook's columns in the codebook's order and types, and one column
more, `REJECTED`, which says in words why a row cannot be published, and is NULL where it can.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import sqlglot
from sqlglot import exp

from portal.catalogue.dataset import Column, ColumnType, Dataset, Derivation
from portal.errors import ContentError, Fault
from portal.policy.masks import MASKS, NUMBERS, literal, quote

REJECTED = "rejected for"
"""No dataset has a column of this name: it is no identifier."""

_STEPS: tuple[tuple[str, str, ColumnType], ...] = (
    ("truncate", "truncate", "TIMESTAMP"),
    ("band", "band", "DOUBLE"),
    ("pseudonymise", "pseudonym", "VARCHAR"),
)
"""A recipe's step, the policy's mask that does the same, and the type that it works on."""


def recognise_shape(dataset: Dataset, source_name: str, source_columns: Sequence[str]) -> str:
    """Return the name of the first shape whose required columns are all there. Raises `ContentError`."""
    lacks = {
        name: [column for column in shape.requires if column not in source_columns]
        for name, shape in dataset.recipe.shapes.items()
    }
    for name, missing in lacks.items():
        if not missing:
            return name
    raise ContentError.from_faults(
        Fault(
            "SOURCE_SHAPE_UNKNOWN",
            f"Source {source_name!r} is not of the shape {name!r}: it has no column {', '.join(map(repr, missing))}.",
            rule=f"recipe.shapes.{name}.requires",
            fix="Give a source of a known shape, or describe this one in the dataset's recipe.",
            dataset=dataset.name,
        )
        for name, missing in lacks.items()
    )


def compile_recipe(dataset: Dataset, shape: str, source_columns: Sequence[str], key: bytes) -> str:
    """Return the SELECT for sources of a shape; `key` makes the pseudonyms, and so stands in the text: never log it.

    Raises `ContentError` that names each column which the recipe needs and the source lacks, and each that the source
    has and the recipe neither uses nor drops.
    """
    recipes = derivations(dataset, shape)
    needed = {name: tuple(_needed(name, recipe, dataset)) for name, recipe in recipes.items()}
    faults = (*_missing(dataset, needed, source_columns), *_unknown(dataset, shape, needed, source_columns))
    if faults:
        raise ContentError(*faults)
    origins = _listed(f"{_origin(name, recipe)} AS {_before(name)}" for name, recipe in recipes.items())
    cells = _listed(
        f"{_cell(name, dataset.columns[name], recipe, key)} AS {quote(name)}" for name, recipe in recipes.items()
    )
    checks = " ".join(
        f"WHEN {condition} THEN {literal(f'{name}: {why}')}"
        for name, column in dataset.columns.items()
        for condition, why in _checks(name, column)
    )
    return (
        f"WITH origins AS (SELECT {origins} FROM raw), cells AS (SELECT *, {cells} FROM origins) "  # noqa: S608 - from checked content only
        f"SELECT {_listed(map(quote, dataset.columns))}, CASE {checks} END AS {quote(REJECTED)} FROM cells"
    )


def derivations(dataset: Dataset, shape: str) -> Mapping[str, Derivation]:
    """Return how each column of the codebook comes to be, in order: the shape's word before the recipe's."""
    stated = {**dataset.recipe.columns, **dataset.recipe.shapes[shape].columns}
    return {name: stated.get(name, Derivation()) for name in dataset.columns}


def _needed(name: str, recipe: Derivation, dataset: Dataset) -> Iterator[str]:
    if recipe.constant is not None:
        return
    if recipe.derive is None:
        yield recipe.source or name
        return
    try:
        expression = sqlglot.parse_one(recipe.derive, dialect="duckdb")
    except sqlglot.ParseError as error:
        raise ContentError(_unreadable(name, dataset)) from error
    yield from dict.fromkeys(column.parts[0].name for column in expression.find_all(exp.Column))


def _unreadable(name: str, dataset: Dataset) -> Fault:
    return Fault(
        "RECIPE_EXPRESSION_UNREADABLE",
        f"The expression for {name!r} cannot be read.",
        rule=f"recipe.columns.{name}.derive",
        fix="Write one DuckDB expression over columns of the source.",
        dataset=dataset.name,
    )


def _missing(dataset: Dataset, needed: Mapping[str, Sequence[str]], source_columns: Sequence[str]) -> Iterator[Fault]:
    for name, sources in needed.items():
        for source in sources:
            if source not in source_columns:
                yield Fault(
                    "SOURCE_COLUMN_MISSING",
                    f"The source has no column {source!r}, from which {name!r} is made.",
                    rule=f"recipe.columns.{name}",
                    fix="Give a source that has it, or say in the recipe where the column comes from.",
                    dataset=dataset.name,
                )


def _unknown(
    dataset: Dataset, shape: str, needed: Mapping[str, Sequence[str]], source_columns: Sequence[str]
) -> Iterator[Fault]:
    known = {*dataset.recipe.shapes[shape].drop, *(source for sources in needed.values() for source in sources)}
    for column in source_columns:
        if column not in known:
            yield Fault(
                "SOURCE_COLUMN_UNKNOWN",
                f"The source has a column {column!r} that the recipe neither uses nor drops.",
                rule=f"recipe.shapes.{shape}.drop",
                fix="Add it to the codebook and the recipe, or list it under drop.",
                dataset=dataset.name,
            )


def _origin(name: str, recipe: Derivation) -> str:
    if recipe.constant is not None:
        return literal(recipe.constant)
    return f"({recipe.derive})" if recipe.derive is not None else quote(recipe.source or name)


def _cell(name: str, column: Column, recipe: Derivation, key: bytes) -> str:
    cell = _before(name)
    for step, mask, works_on in _STEPS:
        if asked := getattr(recipe, step):
            cell = MASKS[mask].sql(f"TRY_CAST({cell} AS {works_on})", asked, key)
    return f"TRY_CAST({cell} AS {column.type})"


def _checks(name: str, column: Column) -> Iterator[tuple[str, str]]:
    before, cell = _before(name), quote(name)
    yield f"{before} IS NOT NULL AND {cell} IS NULL", f"a value that is no {column.type}"
    if column.type in NUMBERS - {"DOUBLE"}:  # DuckDB rounds '1.5' to 2
        yield f"TRY_CAST({before} AS DOUBLE) <> {cell}", "a number that is not whole"
    if column.values is not None:
        admitted = _listed(map(literal, column.values))
        listed = column.type == "VARCHAR[]"
        outside = (
            f"NOT list_has_all([{admitted}], {cell})" if listed else f"CAST({cell} AS VARCHAR) NOT IN ({admitted})"
        )
        yield outside, "a value outside the codebook"


def _before(name: str) -> str:
    return quote(f"{name} before")


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(parts)
