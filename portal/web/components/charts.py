"""Charts in one quiet form: the title says what is counted, the footer where it comes from."""

from collections.abc import Sequence

import plotly.express as px
import plotly.graph_objects as go
import streamlit as st

from portal.desk.answers import Answer
from portal.site.queries import Chart
from portal.web.session import services
from portal.web.view_models.charting import Drawn, fit, in_words, short_names
from portal.web.view_models.wording import plain

HEIGHT, LEGEND_LINE, MARKED = 360, 19, 60
"""Pixels of a chart and of each line of its legend; fewer points than the last are marked one by one."""
CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def show_chart(answer: Answer, chart: Chart, *, title: str, key: str) -> None:
    """Draw the answer. Its columns are named by the chart; one that is not there draws nothing."""
    if not {chart.x, chart.y, chart.colour or chart.x} <= set(answer.schema.names):
        return
    drawn = fit(answer.table().to_pylist(), chart)
    st.plotly_chart(_figure(drawn, chart), key=key, config=CONFIG, alt=f"{chart.kind} chart. {title}. {drawn.note}")
    st.caption(f"{drawn.note} {plain(_footer(answer))}".strip())


def _figure(drawn: Drawn, chart: Chart) -> go.Figure:
    named = {chart.colour} | ({chart.x} if chart.kind == "bar" else set())
    columns = {name: [row[name] for row in drawn.rows] for name in {chart.x, chart.y, chart.colour or chart.x}}
    columns = {name: _shortened(values) if name in named else values for name, values in columns.items()}
    match chart.kind:
        case "line":
            figure = px.line(columns, x=chart.x, y=chart.y, color=chart.colour, markers=len(drawn.rows) < MARKED)
            figure.update_yaxes(rangemode="tozero")
        case "bar":
            figure = px.bar(columns, x=chart.y, y=chart.x, color=chart.colour, orientation="h")
            figure.update_yaxes(categoryorder="total ascending", type="category", title=None)
        case "heatmap":
            figure = px.density_heatmap(columns, x=chart.x, y=chart.colour, z=chart.y, histfunc="sum")
    series = len(figure.data) if chart.colour and chart.kind != "heatmap" else 0
    figure.update_layout(
        height=HEIGHT + series * LEGEND_LINE,
        margin={"l": 0, "r": 0, "t": 8, "b": 0},
        legend={"y": -0.25, "yanchor": "top", "x": 0, "title": None},
    )
    return figure


def _shortened(values: Sequence[object]) -> list[object]:
    names = [in_words(value) for value in values]
    short = short_names(names)
    return [short[name] for name in names]


def _footer(answer: Answer) -> str:
    provenances = {
        source.dataset: services().site.datasets[source.dataset].provenance for source in answer.receipt.sources
    }
    return " ".join(f"Source: {origin.publisher}. Licence: {origin.licence}." for origin in provenances.values())
