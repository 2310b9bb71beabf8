"""A second look at a block before anything is computed: it asks for nothing but what its policies declare.

The grammar has made sure of this already. This check shares no code with it, and works from the block alone, so that a
fault on the side of the parser computes nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import isfinite
from types import MappingProxyType

from portal.errors import EngineFailure, Fault
from portal.ids import DatasetName
from portal.policy.model import DimensionUse
from portal.sql.blocks import Atom, Block, Grouping, Value
from portal.sql.plan import Protected, TableSchema

_REFUSED = Fault(
    code="BLOCK_NOT_ADMITTED",
    message="The portal could not make sure that this statement asks for declared figures only, so nothing was computed.",  # noqa: E501 - one message
    rule="disclosure",
    fix="Write it in plainer SQL, and tell the operator.",
)
_FIRST_DAY: Mapping[str, Callable[[date], date]] = MappingProxyType(
    {
        "day": lambda day: day,
        "week": lambda day: day - timedelta(days=day.weekday()),
        "month": lambda day: day.replace(day=1),
        "quarter": lambda day: day.replace(month=day.month - (day.month - 1) % 3, day=1),
        "year": lambda day: day.replace(month=1, day=1),
    }
)
_SAMPLE = tuple(date(2000, 1, 1) + timedelta(days=days) for days in range(12 * 366))
"""Every period of the calendar begins in these years, on every day of the week that it can."""
_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {
        "VARCHAR": (str,),
        "BOOLEAN": (bool,),
        "INTEGER": (int,),
        "BIGINT": (int,),
        "DOUBLE": (float, int),
        "DATE": (date,),
        "TIMESTAMP": (datetime,),
    }
)
_LARGEST = 2.0**53
"""Below this every whole number is a DOUBLE."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A column that a block may name: what it is, its type and, for a dimension, its use."""

    kind: str
    type: str
    use: DimensionUse | None = None

    @property
    def tells_values(self) -> bool:
        """Whether its values themselves are told apart."""
        days = self.use is not None and self.use.range == "day" and self.type == "DATE"
        return days or (self.use is not None and self.use.equal is True)


def check_declared(
    block: Block, protected: Mapping[DatasetName, Protected], public: Mapping[DatasetName, TableSchema]
) -> None:
    """Check a block against the rules of its datasets; `public` are the tables that it may join.

    Raises:
        EngineFailure: It asks for something that is not declared; the text is always the same.
    """
    if any(True for _ in _undeclared(block, protected, public)):
        raise EngineFailure(_REFUSED)


def _undeclared(
    block: Block, protected: Mapping[DatasetName, Protected], public: Mapping[DatasetName, TableSchema]
) -> Iterator[str]:
    """Yield what in the block is not declared; nothing, if all is."""
    datasets = [block.dataset, *([block.entity_join.dataset] if block.entity_join else [])]
    tables = [join.dataset for join in block.joins]
    if not set(datasets) <= protected.keys() or not set(tables) <= public.keys():
        yield "dataset"
        return
    if len({*datasets, *tables, block.relation}) < len(datasets) + len(tables) + 1:
        yield "named twice"
    known = {
        **_columns("", protected[block.dataset]),
        **(_columns(f"{datasets[1]}.", protected[datasets[1]]) if block.entity_join else {}),
        **{
            f"{name}.{column}": _Known("public", kind)
            for name in tables
            for column, kind in public[name].columns.items()
        },
    }
    yield from _undeclared_joins(block, protected, known)
    if not _may_be_named(block):
        yield "names"
    for key in block.groupings:
        if key.column not in known or not _may_group(key, known[key.column]):
            yield "grouping"
    for figure in block.aggregates:
        column = known.get(figure.column) if figure.column is not None else _Known("row", "")
        if column is None or not _may_be_figure(figure.function, column):
            yield "figure"
    for atom in (*block.atoms, *(atom for figure in block.aggregates for atom in figure.filter)):
        if atom.column not in known or not _may_filter(atom, known[atom.column]):
            yield "condition"


def _may_be_named(block: Block) -> bool:
    """Whether no two columns of what is released have one name, and a remainder is one of groups."""
    names = [*(key.name for key in block.groupings), *(figure.name for figure in block.aggregates)]
    is_apart = len({*names, block.remainder}) == len(names) + 1
    return bool(names) and is_apart and (block.remainder is None or bool(block.groupings))


def _columns(before: str, source: Protected) -> dict[str, _Known]:
    """Return what a dataset declares; whatever it does not is unknown to a block."""
    rules, types = source.disclosure, source.schema.columns
    return {
        **{before + name: _Known("entity", types[name]) for name in rules.entities if name in types},
        **{before + name: _Known("measure", types[name]) for name in rules.measures if name in types},
        **{
            before + name: _Known("dimension", types[name], use)
            for name, use in rules.dimensions.items()
            if name in types
        },
    }


def _undeclared_joins(
    block: Block, protected: Mapping[DatasetName, Protected], known: Mapping[str, _Known]
) -> Iterator[str]:
    second = block.entity_join
    for join in block.joins:
        dataset, _, own = join.own.rpartition(".")
        owner = protected[second.dataset if second is not None and dataset else block.dataset]
        column, target = known.get(join.own), f"{join.dataset}.{join.column}"
        is_declared = owner.disclosure.public_joins.get(own) == target and target in known
        if not is_declared or column is None or not column.tells_values:
            yield "public join"
    if second is not None:
        here, there = f"{block.dataset}.{second.own}", f"{second.dataset}.{second.column}"
        both = ((protected[block.dataset], second.own, there), (protected[second.dataset], second.column, here))
        if not all(_shares(source, entity, target) for source, entity, target in both):
            yield "entity join"


def _shares(source: Protected, entity: str, target: str) -> bool:
    rules = source.disclosure
    return entity in rules.entities and entity in source.schema.columns and rules.entity_joins.get(entity) == target


def _may_be_figure(function: str, column: _Known) -> bool:
    if function == "count_distinct":
        return column.kind == "entity" or (column.kind == "dimension" and column.tells_values)
    kinds = {
        "count_rows": ("row",),
        "count": ("entity", "measure", "dimension"),
        "sum": ("measure",),
        "avg": ("measure",),
    }
    return column.kind in kinds.get(function, ())


def _may_group(key: Grouping, column: _Known) -> bool:
    if column.kind not in ("dimension", "public"):
        return False
    use = column.use
    if key.kind == "value":
        return key.grid is None and (use is None or column.tells_values)
    if key.kind in ("trunc", "year"):
        period = key.grid if key.kind == "trunc" else "year"
        is_date = column.type in ("DATE", "TIMESTAMP") and (use is None or use.equal or use.period)
        grid = (use.period if use is not None else None) or "day"
        return bool(is_date) and (key.kind == "trunc") == (key.grid is not None) and _is_union(period, grid)
    if use is None or type(key.grid) is not int or not 0 < key.grid < _LARGEST:
        return False
    if key.kind == "step":
        return use.step is not None and key.grid % use.step == 0
    return key.kind == "prefix" and use.prefix is not None and key.grid <= use.prefix


def _is_union(period: str | int | None, grid: str) -> bool:
    """Whether every beginning of the period is one of the grid, so that it is made of whole cells."""
    if not isinstance(period, str) or period not in _FIRST_DAY:
        return False
    return all(_begins(day, grid) for day in _SAMPLE if _begins(day, period))


def _begins(day: date, period: str) -> bool:
    return _FIRST_DAY[period](day) == day


def _may_filter(atom: Atom, column: _Known) -> bool:
    if column.kind not in ("dimension", "public"):
        return False
    use, count = column.use, len(set(atom.values))
    if atom.op == "is null":
        return count == 0 and atom.prefix is None
    return (
        atom.op in _signs(use)
        and (count > 1 if atom.op == "in" else count == len(atom.values) == 1)
        and all(_is_value(value, column.type) for value in atom.values)
        and (use is None or use.range is None or _is_bound(atom.values[0], use))
        and (atom.prefix is None) == (use is None or use.prefix is None)
        and (use is None or use.prefix is None or atom.prefix is None or 0 < atom.prefix <= use.prefix)
    )


def _signs(use: DimensionUse | None) -> tuple[str, ...]:
    """Return the comparisons that a use allows; a column of a public table, which has none, allows them all."""
    if use is None:
        return ("in", "=", ">=", "<", "<=", ">")
    return (">=", "<") if use.range is not None else ("in", "=")


def _is_value(value: Value, column_type: str) -> bool:
    if type(value) not in _PYTHON_TYPES.get(column_type, ()):
        return False
    if isinstance(value, datetime):
        return value.tzinfo is None
    if isinstance(value, str):
        return "\0" not in value and value == value.encode(errors="replace").decode()
    return not isinstance(value, float) or isfinite(value)


def _is_bound(value: Value, use: DimensionUse) -> bool:
    if use.step is not None:
        return isinstance(value, int | float) and abs(value) < _LARGEST and value % use.step == 0
    if use.period is None or not isinstance(value, date):
        return False
    if isinstance(value, datetime):
        return value.time() == time() and _is_bound(value.date(), use)
    return _begins(value, use.period)
