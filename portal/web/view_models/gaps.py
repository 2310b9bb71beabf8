"""Figures of a chart that are withheld or not there: a gap with a sign of its own, which nothing is drawn across."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time

from portal.site.queries import Chart
from portal.web.view_models.periods import common_grid, periods_between
from portal.web.view_models.wording import GAP_WORDS, in_words

Row = Mapping[str, object]
MOST_NAMED = 12
"""As many gaps as an alternative text names one by one."""


def figure_of(chart: Chart) -> str:
    """Return the column that holds what is drawn: along the axis, or as colour in a heat map."""
    return chart.colour if chart.kind == "heatmap" and chart.colour else chart.y


def with_gaps(rows: Sequence[Row], chart: Chart) -> Sequence[Row]:
    """Return the rows with an empty one wherever a line would cross a period, or a heat map lack a cell.

    A group with too few behind it is left out of released cells, so that its place must be found by its neighbours.
    """
    match chart.kind:
        case "line":
            return _along_time(rows, chart)
        case "heatmap":
            return [*rows, *_empty(rows, chart, _values(rows, chart.x), _values(rows, chart.y), chart.y)]
        case "bar":
            return rows


def gaps_in_words(gaps: Sequence[Row], chart: Chart) -> str:
    """Name the gaps of a chart, each series with its own, for an alternative text; nothing where there are none."""
    series: dict[str, list[str]] = {}
    second = chart.y if chart.kind == "heatmap" else chart.colour
    for row in gaps[:MOST_NAMED]:
        series.setdefault(in_words(row[second]) if second else "", []).append(in_words(row[chart.x]))
    named = "; ".join(f"{name}: {', '.join(firsts)}" if name else ", ".join(firsts) for name, firsts in series.items())
    more = f"; and {len(gaps) - MOST_NAMED} more" if len(gaps) > MOST_NAMED else ""
    return f"{GAP_WORDS.capitalize()}: {named}{more}." if gaps else ""


def _along_time(rows: Sequence[Row], chart: Chart) -> Sequence[Row]:
    """Return the rows in the order of time, each series whole from its first period to its last."""
    rows = [{**row, chart.x: _as_day(row[chart.x])} for row in rows if row[chart.x] is not None]
    days = {day for row in rows if type(day := row[chart.x]) is date}
    if not days or len(days) < len(_values(rows, chart.x)):
        return rows
    grid, whole = common_grid(days), list(rows)
    for series in _values(rows, chart.colour) if chart.colour else [None]:
        own = [row for row in rows if chart.colour is None or row[chart.colour] == series]
        held = {day for row in own if type(day := row[chart.x]) is date}
        between = periods_between(grid, min(held), max(held))
        whole += _empty(own, chart, between, [series], chart.colour)
    return sorted(whole, key=lambda row: str(row[chart.x]))


def _empty(
    rows: Sequence[Row], chart: Chart, firsts: Iterable[object], seconds: Sequence[object], second: str | None
) -> list[Row]:
    """Return a row without a figure for each pair that no row has."""
    held = {(row[chart.x], row[second] if second else None) for row in rows}
    pairs = [(first, other) for first in firsts for other in seconds if (first, other) not in held]
    return [{chart.x: first, **({second: other} if second else {}), figure_of(chart): None} for first, other in pairs]


def _values(rows: Sequence[Row], name: str) -> list[object]:
    return list(dict.fromkeys(row[name] for row in rows))


def _as_day(moment: object) -> object:
    return moment.date() if isinstance(moment, datetime) and moment.time() == time() else moment
