"""What is withheld is drawn as a gap with a sign, and nothing is drawn across it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from portal.site.queries import Chart
from portal.web.components.charts import draw
from portal.web.view_models.charting import fit


def drawn(rows: Sequence[Mapping[str, object]], chart: Chart, *, released: bool = True) -> dict[str, Any]:
    """Return the traces of a figure by their names; that of a single series has none."""
    return {trace.name or "": trace for trace in draw(fit(rows, chart, released=released), chart).data}


def test_a_line_is_broken_at_the_month_that_is_left_out() -> None:
    rows = [{"month": date(2025, month, 1), "n": 5} for month in (1, 2, 4)]
    traces = drawn(rows, Chart(kind="line", x="month", y="n"))
    assert len(traces[""].x) == 4
    assert traces[""].connectgaps is None
    assert "markers" in traces[""].mode
    assert traces["withheld or not there"].x == (date(2025, 3, 1),)


def test_the_sign_stands_at_the_end_of_stacked_bars_and_in_place_of_a_missing_one() -> None:
    rows: list[dict[str, object]] = [
        {"country": "DE", "kind": "a", "n": 50},
        {"country": "DE", "kind": "b", "n": 20},
        {"country": "DE", "kind": "c", "n": None},
        {"country": "FR", "kind": "a", "n": None},
    ]
    signs = drawn(rows, Chart(kind="bar", x="country", y="n", colour="kind"))["withheld or not there"]
    assert (signs.y, signs.x) == (("DE", "FR"), (70.0, 0.0))
    assert signs.text == ("c: withheld or not there", "a: withheld or not there")


def test_averages_are_never_stacked() -> None:
    rows = [{"country": "DE", "kind": kind, "avg_fee": 5, "sum_fee": 5} for kind in "ab"]
    charts = [Chart(kind="bar", x="country", y=figure, colour="kind") for figure in ("avg_fee", "sum_fee")]
    modes = {chart.y: draw(fit(rows, chart), chart).layout.barmode for chart in charts}
    assert modes == {"avg_fee": "group", "sum_fee": "relative"}


def test_a_heat_map_has_its_figures_as_colour_and_a_sign_in_an_empty_cell() -> None:
    rows = [
        {"month": "1", "kind": "a", "n": 5},
        {"month": "2", "kind": "a", "n": 10},
        {"month": "2", "kind": "b", "n": 1},
    ]
    traces = drawn(rows, Chart(kind="heatmap", x="month", y="kind", colour="n"))
    assert traces[""].z[:3] == (5, 10, 1)
    assert traces[""].y[:3] == ("a", "a", "b")
    signs = traces["withheld or not there"]
    assert (signs.x, signs.y) == (("1",), ("b",))


def test_rows_that_are_open_have_no_signs() -> None:
    rows = [{"country": "DE", "n": None}, {"country": "FR", "n": 5}]
    assert set(drawn(rows, Chart(kind="bar", x="country", y="n"), released=False)) == {""}
