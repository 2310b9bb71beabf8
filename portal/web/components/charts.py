"""Charts in one quiet form: the title says what is counted, the footer where it comes from."""

import plotly.express as px
import plotly.graph_objects as go
import streamlit as st

from portal.desk.answers import Answer
from portal.site.queries import Chart
from portal.web.session import services
from portal.web.view_models.charting import Drawn, fit
from portal.web.view_models.wording import plain

HEIGHT = 380
CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def show_chart(answer: Answer, chart: Chart, *, title: str, key: str) -> None:
    """Draw the answer. Its columns are named by the chart; one that is not there draws nothing."""
    if not {chart.x, chart.y, chart.colour or chart.x} <= set(answer.schema.names):
        return
    drawn = fit(answer.table().to_pylist(), chart)
    st.plotly_chart(_figure(drawn, chart), key=key, config=CONFIG, alt=f"{chart.kind} chart. {title}. {drawn.note}")
    st.caption(f"{drawn.note} {plain(_footer(answer))}".strip())


def _figure(drawn: Drawn, chart: Chart) -> go.Figure:
    columns = {name: [row[name] for row in drawn.rows] for name in {chart.x, chart.y, chart.colour or chart.x}}
    match chart.kind:
        case "line":
            figure = px.line(columns, x=chart.x, y=chart.y, color=chart.colour, markers=len(drawn.rows) < 60)  # noqa: PLR2004
        case "bar":
            figure = px.bar(columns, x=chart.y, y=chart.x, color=chart.colour, orientation="h")
            figure.update_yaxes(categoryorder="total ascending", type="category", title=None)
        case "heatmap":
            figure = px.density_heatmap(columns, x=chart.x, y=chart.colour, z=chart.y, histfunc="sum")
    if chart.kind != "heatmap":
        along, _ = (figure.update_xaxes, 0) if chart.kind == "bar" else (figure.update_yaxes, 0)
        along(rangemode="tozero", tickformat="~s")
    figure.update_layout(height=HEIGHT, margin={"l": 0, "r": 0, "t": 8, "b": 0}, legend={"orientation": "h", "y": -0.2})
    return figure


def _footer(answer: Answer) -> str:
    provenances = {
        source.dataset: services().site.datasets[source.dataset].provenance for source in answer.receipt.sources
    }
    return " ".join(f"Source: {origin.publisher}. Licence: {origin.licence}." for origin in provenances.values())
