"""How far what was made up is from the figures that it is calibrated to: one line for each figure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import duckdb

from portal.policy.masks import literal
from portal.simulation.complaints import REPORTED_MONTHS, read_complaint_figures
from portal.simulation.notices import NOTHING, read_notice_figures
from portal.simulation.statement_figures import read_statement_figures

Unit = Literal["percent", "hours"]
_UNION = "EU"
_STATEMENT_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "category": "category",
        "account_type": "account_type",
        "decision_ground": "decision_ground",
        "content_type": "content_type[3:-3]",
        "automated_detection": "automated_detection",
        "automated_decision": "automated_decision",
        "source_type": "replace(source_type, 'SOURCE_TRUSTED_FLAGGER', 'SOURCE_ARTICLE_16')",
        "territorial_scope": "CASE WHEN territorial_scope IS NULL THEN 'NOT_STATED' "
        f"WHEN len(territorial_scope) > 6 THEN '{_UNION}' ELSE territorial_scope[3:-3] END",
    }
)
"""Fields of the figures, and how the simulated source tells their value; one trusted flagger in it is assumed."""


@dataclass(frozen=True, slots=True)
class Marginal:
    """One figure, real and made up. `rows` are the simulated rows behind it."""

    figure: str
    value: str
    unit: Unit
    real: float
    synthetic: float
    rows: int

    @property
    def difference(self) -> float:
        """By how much the made-up figure is too high: in points of a share, else in percent of the real figure."""
        return self.synthetic - self.real if self.unit == "percent" else 100 * (self.synthetic / self.real - 1)


def compare(dataset: str, sources: Sequence[Path]) -> tuple[Marginal, ...]:
    """Hold the simulated sources of a dataset against its figures; nothing where it is calibrated to none."""
    compared = _COMPARED.get(dataset)
    if compared is None:
        return ()
    with duckdb.connect() as connection:
        files = ", ".join(literal(str(path)) for path in sources)
        connection.execute(f"CREATE VIEW raw AS FROM read_parquet([{files}])")
        return tuple(compared(connection))


def in_markdown(marginals: Mapping[str, Sequence[Marginal]]) -> str:
    """Return the comparison of each dataset as a page."""
    compared = {name: found for name, found in marginals.items() if found}
    return "\n".join([_OPENING, *(line for name, found in compared.items() for line in _section(name, found)), ""])


def _statements(connection: duckdb.DuckDBPyConnection) -> Iterator[Marginal]:
    figures = read_statement_figures()
    months = [figures.months.index(month) for month in REPORTED_MONTHS]
    reported = f"strftime(created_at, '%Y-%m') IN {REPORTED_MONTHS}"
    monthly = dict(zip(figures.months, figures.totals(), strict=False))
    yield from _shares(connection, "month", "strftime(created_at, '%Y-%m')", monthly)
    for field, sql in _STATEMENT_FIELDS.items():
        real = {value: sum(counts[month] for month in months) for value, counts in figures.counts[field].items()}
        yield from _shares(connection, field, sql, real, reported)


def _notices(connection: duckdb.DuckDBPyConnection) -> Iterator[Marginal]:
    figures, alone = read_notice_figures(), "statement_uuid IS NULL"
    received = {category: of.received for category, of in figures.categories.items()}
    yield from _shares(connection, "category", "category", received, alone)
    yield from _shares(connection, "member_state", "member_state", figures.recipients, alone)
    acted = {name: 100 * (1 - of.outcomes[NOTHING] / of.received) for name, of in figures.categories.items()}
    acting = f"100 * count_if(outcome <> '{NOTHING}') / count(*)"
    yield from _figures(connection, "acted on", "percent", "category", acting, acted, alone)
    hours = {category: of.median_hours for category, of in figures.categories.items()}
    yield from _figures(connection, "median hours", "hours", "category", "median(hours_to_decision)", hours, alone)


def _complaints(connection: duckdb.DuckDBPyConnection) -> Iterator[Marginal]:
    contested = read_complaint_figures().contested
    complaints = {kind: of.complaints for kind, of in contested.items()}
    yield from _shares(connection, "contested_decision", "contested_decision", complaints)
    reversed_ = {kind: 100 * of.share_reversed for kind, of in contested.items()}
    reversing = "100 * count_if(outcome = 'REVERSED') / count(*)"
    yield from _figures(connection, "reversed", "percent", "contested_decision", reversing, reversed_)
    hours = {kind: of.median_hours for kind, of in contested.items()}
    median = "median(hours_to_decision)"
    yield from _figures(connection, "median hours", "hours", "contested_decision", median, hours)


def _shares(
    connection: duckdb.DuckDBPyConnection, figure: str, group: str, counts: Mapping[str, int], where: str = "true"
) -> Iterator[Marginal]:
    """Compare how often each value is among those that the figures know."""
    among = f"{where} AND {group} IN ({', '.join(map(literal, counts))})"
    select = f"SELECT {group}, count(*) FROM raw WHERE {among} GROUP BY ALL"  # noqa: S608 - constants
    rows, real = dict(connection.execute(select).fetchall()), sum(counts.values())
    total = sum(rows.values())
    for value, count in counts.items():
        if count:
            synthetic = 100 * rows.get(value, 0) / total
            yield Marginal(f"share of {figure}", value, "percent", 100 * count / real, synthetic, total)


def _figures(  # noqa: PLR0913, PLR0917 - each is a part of one SELECT
    connection: duckdb.DuckDBPyConnection,
    figure: str,
    unit: Unit,
    group: str,
    measured: str,
    real: Mapping[str, float],
    where: str = "true",
) -> Iterator[Marginal]:
    """Compare a figure of each group."""
    select = f"SELECT {group}, {measured}, count(*) FROM raw WHERE {where} GROUP BY ALL ORDER BY 3 DESC"  # noqa: S608 - constants
    for value, synthetic, rows in connection.execute(select).fetchall():
        yield Marginal(figure, value, unit, real[value], synthetic, rows)


def _section(dataset: str, marginals: Sequence[Marginal]) -> Iterator[str]:
    yield f"\n## {dataset}\n"
    yield "| figure | of | real | made up | difference | rows |"
    yield "|---|---|---:|---:|---:|---:|"
    for each in marginals:
        yield (
            f"| {each.figure.replace('_', ' ')} | {each.value} | {_told(each.real, each.unit)} | "
            f"{_told(each.synthetic, each.unit)} | {each.difference:+.2f} {_DIFFERENCES[each.unit]} | {each.rows:,} |"
        )


def _told(figure: float, unit: Unit) -> str:
    return f"{figure:.3f} %" if unit == "percent" else f"{figure:.1f} {unit}"


_DIFFERENCES: Mapping[Unit, str] = MappingProxyType({"percent": "points", "hours": "%"})
_OPENING = """# What is made up, held against what it is calibrated to

Written by `portal simulate --report`. Each line is a figure that a simulation is calibrated to, as it is in the source
named in `portal/simulation/*.yaml` and as it came out. Shares differ by chance, the more the fewer the rows, and by
what was planted for the saved queries to find. What is not here has no public figure: how values go together, sellers,
and who the notifiers were, are assumed."""
_COMPARED: Mapping[str, Callable[[duckdb.DuckDBPyConnection], Iterator[Marginal]]] = MappingProxyType(
    {"moderation_statements": _statements, "notices": _notices, "complaints": _complaints}
)
