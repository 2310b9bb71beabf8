"""A dataset's recipe as one DuckDB SELECT: text in, text out; nothing runs here.

The SELECT reads the relation `raw` and gives the codebook's columns in the codebook's order and types, and one column
more, `REJECTED`, which says why a row cannot be published, and is NULL where it can.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlglot
from sqlglot import exp

from portal.catalogue.dataset import Column, ColumnType, Dataset, Derivation, Generalisation, Noise
from portal.errors import ContentError, Fault
from portal.policy.masks import MASKS, NUMBERS, literal, quote
from portal.pseudonyms import derive_key, pseudonym_sql
from portal.publishing.traces import TRACES, holds, kind_of, redacted

REJECTED = "rejected for"
"""No dataset has a column of this name: it is no identifier."""
REJECTION = 'STRUCT("column" VARCHAR, rule VARCHAR, kind VARCHAR)'
"""Why a row cannot be published: the column, the rule that it breaks, and the kind of its value, never the value."""
_FOUND = "STRUCT(origin VARCHAR, rule VARCHAR, found VARCHAR)"
_WHY = '"why not"'
# The kind is worked out once and not in each check, which would take longer to plan than the source to read.
_REJECTION = (
    f"CASE WHEN {_WHY} IS NOT NULL "
    f"THEN {{'column': {_WHY}.origin, 'rule': {_WHY}.rule, 'kind': {kind_of(f'{_WHY}.found')}}} END"
)
STOPS = "a value that holds "
"""How a rule begins that stops a release at its first row: what was found may stand in other rows, less plainly."""

_Step = Callable[[str, Any, bytes, Dataset], str]
"""From an expression, what the recipe asks, the platform's key and the dataset, to an expression."""


def _mask(name: str) -> _Step:
    return lambda cell, asked, key, _: MASKS[name].sql(cell, asked, key)


def _generalised(cell: str, asked: Generalisation, _: bytes, dataset: Dataset) -> str:
    hierarchy = dataset.recipe.hierarchies[asked.by]
    cases = " ".join(
        f"WHEN {literal(value)} THEN {literal(above[asked.level - 1])}" for value, above in hierarchy.items()
    )
    return f"CASE {cell} {cases} END"


def _noisy(cell: str, asked: Noise, key: bytes, _: Dataset) -> str:
    """Add what the inverse of Laplace's distribution makes of 52 bits of a keyed digest."""
    digest = pseudonym_sql(f"CAST({_seed(asked.by)} AS VARCHAR)", derive_key(key, "noise"))
    uniform = f"((CAST('0x' || left({digest}, 13) AS BIGINT) + 0.5) / {2**52} - 0.5)"
    return f"{cell} - {asked.scale!r} * sign({uniform}) * ln(1 - 2 * abs({uniform}))"


_STEPS: tuple[tuple[str, ColumnType, _Step], ...] = (
    ("suppress", "VARCHAR", lambda _cell, _asked, _key, _dataset: "NULL"),
    ("truncate", "TIMESTAMP", _mask("truncate")),
    ("noise", "DOUBLE", _noisy),
    ("top_code", "DOUBLE", _mask("top_code")),
    (
        "bottom_code",
        "DOUBLE",
        lambda cell, least, _key, _: f"CASE WHEN {cell} < {least!r} THEN {least!r} ELSE {cell} END",
    ),
    ("round", "DOUBLE", _mask("round")),
    ("band", "DOUBLE", _mask("band")),
    ("map", "VARCHAR", _mask("map")),
    ("generalise", "VARCHAR", _generalised),
    ("redact", "VARCHAR", lambda cell, _asked, _key, _dataset: redacted(cell)),
    ("pseudonymise", "VARCHAR", _mask("pseudonym")),
)
"""A recipe's step, the type that it works on, and what it does; in the order in which they apply."""


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
    seeds = {recipe.noise.by for recipe in recipes.values() if recipe.noise}
    origins = _listed(
        [f"{_origin(name, recipe)} AS {_before(name)}" for name, recipe in recipes.items()]
        + [f"{quote(seed)} AS {_seed(seed)}" for seed in sorted(seeds)]
    )
    cells = _listed(f"{_cell(name, dataset, recipe, key)} AS {quote(name)}" for name, recipe in recipes.items())
    checks = " ".join(
        f"WHEN {condition} THEN {{'origin': {literal(name)}, 'rule': {literal(rule)}, 'found': {value}}}"
        for find in (_stops, _misfits)
        for name, recipe in recipes.items()
        for condition, rule, value in find(name, dataset.columns[name], recipe)
    )
    found = f"CAST({f'CASE {checks} END' if checks else 'NULL'} AS {_FOUND})"
    return (
        f"WITH origins AS (SELECT {origins} FROM raw), cells AS (SELECT *, {cells} FROM origins), "  # noqa: S608 - from checked content only
        f"judged AS (SELECT *, {found} AS {_WHY} FROM cells) "
        f"SELECT {_listed(map(quote, dataset.columns))}, {_REJECTION} AS {quote(REJECTED)} FROM judged"
    )


def derivations(dataset: Dataset, shape: str) -> Mapping[str, Derivation]:
    """Return how each column of the codebook comes to be, in order: the shape's word before the recipe's."""
    stated = {**dataset.recipe.columns, **dataset.recipe.shapes[shape].columns}
    return {name: stated.get(name, Derivation()) for name in dataset.columns}


def _needed(name: str, recipe: Derivation, dataset: Dataset) -> Iterator[str]:
    if recipe.noise:
        yield recipe.noise.by
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


def _cell(name: str, dataset: Dataset, recipe: Derivation, key: bytes) -> str:
    cell = _before(name)
    for step, works_on, apply in _STEPS:
        if (asked := getattr(recipe, step)) not in (None, False):
            cell = apply(f"TRY_CAST({cell} AS {works_on})", asked, key, dataset)
    return f"TRY_CAST({cell} AS {dataset.columns[name].type})"


def _stops(name: str, column: Column, recipe: Derivation) -> Iterator[tuple[str, str, str]]:
    """Yield what of a published text stops a release; values that the codebook or the recipe names cannot hold it."""
    is_closed = column.values or recipe.constant or recipe.band or recipe.map or recipe.generalise
    if column.type not in {"VARCHAR", "VARCHAR[]"} or is_closed or recipe.pseudonymise or recipe.suppress:
        return
    for trace, (words, _) in TRACES.items():
        if trace not in column.admits:
            yield holds(trace, quote(name), column.type), f"{STOPS}{words}", f"CAST({quote(name)} AS VARCHAR)"


def _misfits(name: str, column: Column, recipe: Derivation) -> Iterator[tuple[str, str, str]]:
    """Yield what rejects a row: the condition, the rule in words, and the SQL of the value."""
    before, cell = _before(name), quote(name)
    value = f"CAST({before} AS VARCHAR)"
    if not recipe.suppress:
        what = f"is not in the hierarchy {recipe.generalise.by}" if recipe.generalise else f"is no {column.type}"
        yield f"{before} IS NOT NULL AND {cell} IS NULL", f"a value that {what}", value
    if column.type in NUMBERS - {"DOUBLE"} and not (recipe.round or recipe.noise):  # DuckDB rounds '1.5' to 2
        yield f"TRY_CAST({before} AS DOUBLE) % 1 <> 0", "a number that is not whole", value
    if column.values is not None:
        admitted = _listed(map(literal, column.values))
        listed = column.type == "VARCHAR[]"
        outside = (
            f"NOT list_has_all([{admitted}], {cell})" if listed else f"CAST({cell} AS VARCHAR) NOT IN ({admitted})"
        )
        yield outside, "a value outside the codebook", value


def _before(name: str) -> str:
    return quote(f"{name} before")


def _seed(name: str) -> str:
    return quote(f"{name} seed")


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(parts)
