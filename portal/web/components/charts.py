"""Charts in one quiet form: the title says what is counted, the footer where it comes from."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import plotly.express as px
import plotly.graph_objects as go
import streamlit as st

from portal.desk.answers import Answer
from portal.site.queries import Chart
from portal.web.session import services
from portal.web.view_models.charting import Drawn, adds_up, fit, short_names
from portal.web.view_models.gaps import Row, figure_of, gaps_in_words
from portal.web.view_models.wording import GAP_WORDS, in_words, plain

HEIGHT, LEGEND_LINE, MARKED = 360, 19, 60
"""Pixels of a chart and of each line of its legend; fewer points than the last are marked one by one."""
CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


Names = Mapping[str, Mapping[object, object]]


def show_chart(answer: Answer, chart: Chart, *, title: str, key: str) -> None:
    """Draw the answer. Its columns are named by the chart; one that is not there draws nothing."""
    if not {chart.x, chart.y, chart.colour or chart.x} <= set(answer.schema.names):
        return
    drawn = fit(answer.table().to_pylist(), chart, released=answer.receipt.withheld is not None)
    words = [f"{chart.kind} chart. {title}.", drawn.note, gaps_in_words(drawn.gaps, chart)]
    st.plotly_chart(draw(drawn, chart), key=key, config=CONFIG, alt=" ".join(filter(None, words)))
    st.caption(f"{drawn.note} {plain(_footer(answer))}".strip())


def draw(drawn: Drawn, chart: Chart) -> go.Figure:
    """Return the figure of a chart, with a sign and a legend of their own for figures that are withheld."""
    names = _names(drawn, chart)
    figure = _DRAWERS[chart.kind](drawn, chart, names)
    if drawn.gaps:
        figure.add_trace(_gaps(drawn, chart, names))
    entries = sum(trace.showlegend is not False for trace in figure.data) if chart.kind != "heatmap" else 0
    figure.update_layout(
        height=HEIGHT + entries * LEGEND_LINE,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        legend={"y": -0.25, "yanchor": "top", "x": 0, "title": None},
    )
    return figure


def _names(drawn: Drawn, chart: Chart) -> Names:
    """Return, by column, the shorter names under which its values stand in the chart."""
    texts = {"line": (chart.colour,), "bar": (chart.x, chart.colour), "heatmap": (chart.y,)}[chart.kind]
    return {name: _shortened([row[name] for row in drawn.rows]) for name in texts if name}


def _shortened(values: Sequence[object]) -> Mapping[object, object]:
    said = {value: in_words(value) for value in values}
    short = short_names(said.values())
    return {value: short[words] for value, words in said.items()}


def _column(rows: Sequence[Row], name: str, names: Names) -> list[object]:
    return [names[name][row[name]] if name in names else row[name] for row in rows]


def _line(drawn: Drawn, chart: Chart, names: Names) -> go.Figure:
    columns = {name: _column(drawn.rows, name, names) for name in {chart.x, chart.y, chart.colour or chart.x}}
    marked = len(drawn.rows) < MARKED or bool(drawn.gaps)
    figure = px.line(columns, x=chart.x, y=chart.y, color=chart.colour, markers=marked)
    return figure.update_yaxes(rangemode="tozero")


def _bar(drawn: Drawn, chart: Chart, names: Names) -> go.Figure:
    columns = {name: _column(drawn.rows, name, names) for name in {chart.x, chart.y, chart.colour or chart.x}}
    mode = "relative" if adds_up(chart) else "group"
    figure = px.bar(columns, x=chart.y, y=chart.x, color=chart.colour, orientation="h", barmode=mode)
    return figure.update_yaxes(categoryorder="total ascending", type="category", title=None)


def _heatmap(drawn: Drawn, chart: Chart, names: Names) -> go.Figure:
    figure = go.Figure(
        go.Heatmap(
            x=_column(drawn.rows, chart.x, names),
            y=_column(drawn.rows, chart.y, names),
            z=[row[figure_of(chart)] for row in drawn.rows],
            colorbar={"title": {"text": figure_of(chart)}},
        )
    )
    return figure.update_yaxes(type="category")


def _gaps(drawn: Drawn, chart: Chart, names: Names) -> go.Scatter:
    """Return the signs of what is withheld: on the axis of a line, at the end of a bar, in the cell of a heat map."""
    xs = _column(drawn.gaps, chart.x, names)
    match chart.kind:
        case "line":
            places = {"x": xs, "y": [0] * len(xs)}
        case "bar":
            places = {"x": [_length(drawn, chart, row[chart.x]) for row in drawn.gaps], "y": xs}
        case "heatmap":
            places = {"x": xs, "y": _column(drawn.gaps, chart.y, names)}
    series = _column(drawn.gaps, chart.colour, names) if chart.colour and chart.kind != "heatmap" else [""] * len(xs)
    return go.Scatter(
        **places,
        name=GAP_WORDS,
        mode="markers",
        marker={"symbol": "circle-x-open", "size": 11, "color": "#888"},
        cliponaxis=False,
        showlegend=True,
        text=[f"{name}: {GAP_WORDS}" if name else GAP_WORDS for name in series],
        hovertemplate="%{x}<br>%{text}<extra></extra>" if chart.kind == "line" else "%{y}<br>%{text}<extra></extra>",
    )


def _length(drawn: Drawn, chart: Chart, name: object) -> float:
    values = [row[chart.y] for row in drawn.rows if row[chart.x] == name]
    lengths = [float(value) for value in values if isinstance(value, int | float)]
    return sum(lengths) if adds_up(chart) else max(lengths, default=0.0)


def _footer(answer: Answer) -> str:
    provenances = {
        source.dataset: services().site.datasets[source.dataset].provenance for source in answer.receipt.sources
    }
    return " ".join(f"Source: {origin.publisher}. Licence: {origin.licence}." for origin in provenances.values())


_DRAWERS: Mapping[str, Callable[[Drawn, Chart, Names], go.Figure]] = MappingProxyType(
    {"line": _line, "bar": _bar, "heatmap": _heatmap}
)
