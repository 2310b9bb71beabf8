"""Which chart fits an answer, and the words that say what it counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import pyarrow as pa

from portal.desk.answers import Receipt
from portal.site.queries import Chart
from portal.web.view_models.exploration import Exploration, Measure
from portal.web.view_models.explore_sql import TIMES, group_name, measure_name
from portal.web.view_models.gaps import Row, figure_of, with_gaps

LARGEST = 30
"""As many bars, or coloured series in one chart, as a reader can take in (series: a third of it)."""


def chart_of(exploration: Exploration, types: Mapping[str, str]) -> Chart | None:
    """Return the chart of a summary: a line along time, bars else, the second group as colour."""
    if exploration.view == "rows" or not exploration.groups:
        return None
    groups = sorted(exploration.groups, key=lambda group: types.get(group.column) not in TIMES)
    kind = "line" if types.get(groups[0].column) in TIMES else "bar"
    colour = group_name(groups[1]) if len(groups) > 1 else None
    return Chart(kind=kind, x=group_name(groups[0]), y=measure_name(exploration.measure), colour=colour)


def adds_up(chart: Chart) -> bool:
    """Whether figures side by side make a total, so that their bars may be stacked."""
    return not chart.y.startswith(("avg", "distinct"))


def quick_chart(schema: pa.Schema) -> Chart | None:
    """Return the chart that the columns of any answer suggest, or None where none does."""
    numbers = [field.name for field in schema if _is_number(field.type)]
    times = [field.name for field in schema if pa.types.is_temporal(field.type)]
    texts = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)]
    along = times or texts
    if not numbers or not along:
        return None
    colour = next((name for name in texts if name != along[0]), None)
    return Chart(kind="line" if times else "bar", x=along[0], y=numbers[-1], colour=colour)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def measure_words(measure: Measure, unit: str | None = None) -> str:
    """Say what a measure is, as the beginning of a title."""
    words = {
        "count": "Number of rows",
        "sum": "Sum of {}",
        "avg": "Average of {}",
        "distinct": "Number of different {}",
    }
    said = words[measure.aggregate].format(measure.column)
    return f"{said} ({unit})" if unit and measure.aggregate in ("sum", "avg") else said


def title_of(exploration: Exploration, unit: str | None, release: int) -> str:
    """Say what an exploration's answer counts, and of which release."""
    if exploration.view == "rows":
        return f"Rows · {exploration.dataset}, release {release}"
    groups = " and ".join(
        f"{group.grid} of {group.column}" if group.grid else group.column for group in exploration.groups
    )
    by = f" by {groups}" if groups else ""
    return f"{measure_words(exploration.measure, unit)}{by} · {exploration.dataset}, release {release}"


def sources_in_words(receipt: Receipt) -> str:
    """Name the releases behind an answer, and say which are synthetic."""
    return "; ".join(
        f"{source.dataset}, release {source.release}{' (synthetic)' if source.synthetic else ''}"
        for source in receipt.sources
    )


@dataclass(frozen=True, slots=True)
class Drawn:
    """Rows that fit into one chart, what had to be left out of it, in words, and the rows whose figure is withheld."""

    rows: Sequence[Row]
    note: str = ""
    gaps: Sequence[Row] = ()


def fit(rows: Sequence[Row], chart: Chart, *, released: bool = False) -> Drawn:
    """Keep the largest bars and series of a chart, and say how many there are in all.

    In figures of `released` cells a gap has a meaning, so that it is drawn: it is withheld, or not there.
    """
    notes = []
    if released:
        rows = with_gaps(rows, chart)
    if chart.kind == "bar":
        rows, note = _largest(rows, chart.x, chart.y, LARGEST)
        notes += [note] if note else []
    if chart.colour and chart.kind != "heatmap":
        rows, note = _largest(rows, chart.colour, chart.y, LARGEST // 3)
        notes += [note] if note else []
    gaps = [row for row in rows if row[figure_of(chart)] is None] if released else []
    return Drawn(rows, " ".join(notes), gaps)


def short_names(names: Iterable[str]) -> Mapping[str, str]:
    """Return names without the words that all of them begin with, as `STATEMENT_CATEGORY_`, for want of room."""
    words = {name: name.split("_") for name in names}
    columns = zip(*words.values(), strict=False) if len(words) > 1 else ()
    shared = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
    return {name: "_".join(said[shared:]) or name for name, said in words.items()}


def _largest(rows: Sequence[Row], name: str, measure: str, most: int) -> tuple[Sequence[Row], str]:
    totals: dict[object, float] = {}
    for row in rows:
        value = row[measure]
        totals[row[name]] = totals.get(row[name], 0.0) + (float(value) if isinstance(value, int | float) else 0.0)
    if len(totals) <= most:
        return rows, ""
    kept = set(sorted(totals, key=lambda key: -totals[key])[:most])
    return [row for row in rows if row[name] in kept], f"The {most} largest of {len(totals):,} values of {name}."
