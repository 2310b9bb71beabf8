"""The world of the attack samples as its policies have it, and its blocks answered in full."""

from collections.abc import Iterable
from datetime import date, datetime

import duckdb
from support.statements import statement_parser

from portal.catalogue.dataset import Grid
from portal.ids import DatasetName
from portal.policy.model import DimensionUse, Disclosure, MeasureUse
from portal.sql import parse, plan
from portal.sql.blocks import Aggregate, Atom, Block, Grouping, Value
from portal.sql.plan import ParameterValue, Plan, Protected, TableSchema

_EQUAL = DimensionUse(equal=True)


def _by(grid: Grid) -> DimensionUse:
    return DimensionUse(range=grid)


SCHEMAS = {
    "ads": "advertiser_id VARCHAR, user_id VARCHAR, country VARCHAR, placement VARCHAR, campaign_date DATE, "
    "spend_eur DOUBLE, impressions BIGINT, creative_text VARCHAR",
    "moderation": "decision_id VARCHAR, user_id VARCHAR, category VARCHAR, automated BOOLEAN, decision_date DATE, "
    "delay_hours BIGINT, content_excerpt VARCHAR",
    "recsys": "param VARCHAR, weight DOUBLE, region VARCHAR, model_hash VARCHAR, valid_from DATE",
    "dim_country": "code VARCHAR, name VARCHAR, pop_m INTEGER",
    "visits": "person VARCHAR, level INTEGER, score DOUBLE, seen TIMESTAMP, day DATE, week DATE, quarter DATE, "
    "born DATE, code VARCHAR, hours DOUBLE, age INTEGER, price DOUBLE, postcode VARCHAR",
    "reports": "person VARCHAR, kind VARCHAR, sent DATE, code VARCHAR, delay DOUBLE, words VARCHAR",
}
"""The last two are not of the samples: one has a dimension of every type and grid, and both have the same people."""
_ROWS = {
    "ads": "'ADV' || i % 40, 'U' || i % 300, ['DE', 'FR', 'IT', 'MT', 'ES', NULL][1 + i % 6], "
    "['feed', 'stories', 'search'][1 + i * 31 % 3], DATE '2026-01-01' + (i * 13 % 181)::INT, "
    "i * 37 % 1000, i % 500, 'x'",
    "moderation": "'D' || i, 'U' || i % 300, ['hate', 'spam'][1 + i % 2], i % 5 = 0, "
    "DATE '2026-01-01' + (i * 5 % 181)::INT, i * 11 % 240, 'x'",
    "recsys": "'p' || i % 25, i % 97, ['DE', 'FR', 'LU'][1 + i % 3], NULL, DATE '2026-01-01'",
    "visits": "'P' || i % 50, i % 3 - 1, i % 4 + 0.5, TIMESTAMP '2026-02-02' + INTERVAL (i) HOUR, "
    "DATE '2026-02-01' + (i % 9)::INT, DATE '2026-02-02' + (i % 40)::INT, DATE '2026-02-02' + (i % 300)::INT, "
    "DATE '2000-01-01' + (i % 2)::INT, ['DE', 'FR'][1 + i % 2], i % 24, "
    "i % 97 - 10, i % 41 - 10.25, ['1010', '1020', '2010', '9', NULL][1 + i % 5]",
    "reports": "'P' || i % 60, ['spam', 'fraud'][1 + i % 2], DATE '2026-01-01' + (i % 90)::INT, "
    "['DE', 'ES'][1 + i % 2], i % 9, 'x'",
}
DISCLOSURES = {
    "ads": Disclosure(
        entities={"advertiser_id": 10},
        dimensions={"country": _EQUAL, "placement": _EQUAL, "campaign_date": _by("month")},
        measures={"spend_eur": MeasureUse(round=100), "impressions": MeasureUse(round=1000)},
        public_joins={"country": "dim_country.code"},
    ),
    "moderation": Disclosure(
        entities={"user_id": 20},
        dimensions={"category": _EQUAL, "automated": _EQUAL, "decision_date": _by("month")},
        measures={"delay_hours": MeasureUse(round=1)},
    ),
    "visits": Disclosure(
        entities={"person": 5},
        dimensions={
            "level": _EQUAL,
            "score": _EQUAL,
            "seen": _by("day"),
            "day": _by("day"),
            "week": _by("week"),
            "quarter": _by("quarter"),
            "born": _EQUAL,
            "code": _EQUAL,
            "age": DimensionUse(range=10),
            "price": DimensionUse(range=5),
            "postcode": DimensionUse(prefix=3),
        },
        measures={"hours": MeasureUse(round=1)},
        public_joins={"code": "dim_country.code"},
        entity_joins={"person": "reports.person"},
    ),
    "reports": Disclosure(
        entities={"person": 7},
        dimensions={"kind": _EQUAL, "sent": _by("month"), "code": _EQUAL},
        measures={"delay": MeasureUse(round=1)},
        public_joins={"code": "dim_country.code"},
        entity_joins={"person": "visits.person"},
    ),
}


def _schema(name: str) -> TableSchema:
    pairs = (column.split() for column in SCHEMAS[name].split(", "))
    return TableSchema(DatasetName(name), {pair[0]: pair[1] for pair in pairs})


PROTECTED = {DatasetName(name): Protected(_schema(name), rules) for name, rules in DISCLOSURES.items()}
TABLES = {DatasetName(name): _schema(name) for name in SCHEMAS if name not in DISCLOSURES}


def plan_over_cells(sql: str, **parameters: ParameterValue) -> Plan:
    """Plan a statement in the world of the samples."""
    return plan(parse(sql, parameters), TABLES, statement_parser(), PROTECTED)


def make_world(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables, with rows in which every group of interest is there."""
    for name, columns in SCHEMAS.items():
        connection.execute(f"CREATE TABLE {name} ({columns})")
    for name, values in _ROWS.items():
        connection.execute(f"INSERT INTO {name} SELECT {values} FROM range(900) t(i)")
    connection.execute(
        "INSERT INTO dim_country VALUES ('DE', 'Germany', 83), ('FR', 'France', 68), ('MT', 'Malta', 1), "
        "('ES', 'Spain', 48)"
    )


def release_all(connection: duckdb.DuckDBPyConnection, block: Block) -> None:
    """Make the released relation of a block with every group in it and nothing rounded."""
    columns = [f"{_key(block, key)} AS {key.name}" for key in block.groupings]
    columns += [f"{_figure(block, each)} AS {each.name}" for each in block.aggregates]
    joins = [
        f"JOIN {join.dataset} ON {_column(block, join.own)} = {join.dataset}.{join.column}"
        for join in (*([block.entity_join] if block.entity_join else ()), *block.joins)
    ]
    keys = [_key(block, key) for key in block.groupings]
    parts = [f"CREATE OR REPLACE TABLE {block.relation} AS SELECT {', '.join(columns)} FROM {block.dataset}", *joins]
    parts += [f"WHERE {_all(block, block.atoms)}", *([f"GROUP BY {', '.join(keys)}"] if keys else [])]
    connection.execute(" ".join(parts))


def _key(block: Block, key: Grouping) -> str:
    column = _column(block, key.column)
    return {
        "value": column,
        "trunc": f"date_trunc('{key.grid}', {column})",
        "year": f"year({column})",
        "step": f"floor({column} / {key.grid}) * {key.grid}",
        "prefix": f"left({column}, {key.grid})",
    }[key.kind]


def _figure(block: Block, each: Aggregate) -> str:
    column = _column(block, each.column) if each.column else "*"
    call = {
        "count_rows": "count(*)",
        "count": f"count({column})",
        "count_distinct": f"count(DISTINCT {column})",
        "sum": f"sum({column})",
        "avg": f"avg({column})",
    }[each.function]
    return f"{call} FILTER (WHERE {_all(block, each.filter)})" if each.filter else call


def _all(block: Block, atoms: Iterable[Atom]) -> str:
    return " AND ".join(_condition(block, atom) for atom in atoms) or "true"


def _condition(block: Block, atom: Atom) -> str:
    column, values = _column(block, atom.column), ", ".join(map(_literal, atom.values))
    column = f"left({column}, {atom.prefix})" if atom.prefix else column
    return f"{column} IN ({values})" if atom.op == "in" else f"{column} {atom.op} {values}"


def _literal(value: Value) -> str:
    if isinstance(value, date):
        return f"{'TIMESTAMP' if isinstance(value, datetime) else 'DATE'} '{value}'"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value)


def _column(block: Block, name: str) -> str:
    return name if "." in name else f"{block.dataset}.{name}"
