from datetime import date, datetime, time

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.factories import a_dataset

from portal.desk.answers import CatalogueEntry
from portal.ids import Fingerprint
from portal.policy.decision import Obligations, Permit
from portal.policy.model import Access, DimensionUse, Disclosure, Limits, Obligation
from portal.site.queries import Chart
from portal.web.view_models.charting import LARGEST, chart_of, fit, quick_chart, short_names, title_of
from portal.web.view_models.examples import example_for
from portal.web.view_models.exploration import Exploration, Group, Measure
from portal.web.view_models.finding import Place, matches, places
from portal.web.view_models.gaps import gaps_in_words
from portal.web.view_models.parameters import names_in, read_value, write_value
from portal.web.view_models.wording import bytes_in_words, counted, plain, prose

EQUAL, BY_MONTH = DimensionUse(equal=True), DimensionUse(range="month")
TYPES = {"country": "VARCHAR", "price": "DOUBLE", "day": "DATE"}


def test_time_lies_along_a_line_whatever_the_order_of_the_groups() -> None:
    exploration = Exploration(
        "sales", groups=(Group("country"), Group("day", "month")), measure=Measure("sum", "price")
    )
    assert chart_of(exploration, TYPES) == Chart(kind="line", x="day_month", y="sum_price", colour="country")


def test_one_group_without_time_is_drawn_as_bars() -> None:
    assert chart_of(Exploration("sales", groups=(Group("country"),)), TYPES) == Chart(kind="bar", x="country", y="rows")


def test_neither_rows_nor_a_single_number_are_drawn() -> None:
    assert chart_of(Exploration("sales"), TYPES) is None
    assert chart_of(Exploration("sales", groups=(Group("country"),), view="rows"), TYPES) is None


def test_a_title_says_what_is_counted_and_of_which_release() -> None:
    exploration = Exploration("sales", groups=(Group("day", "month"),), measure=Measure("sum", "price"))
    assert title_of(exploration, "EUR", 3) == "Sum of price (EUR) by month of day · sales, release 3"


def test_rows_are_not_called_a_number() -> None:
    assert title_of(Exploration("sales", view="rows"), None, 3) == "Rows · sales, release 3"


def test_too_many_bars_are_cut_to_the_largest_and_it_is_said() -> None:
    rows = [{"country": str(number), "rows": number} for number in range(100)]
    drawn = fit(rows, Chart(kind="bar", x="country", y="rows"))
    assert [row["rows"] for row in drawn.rows] == list(range(100 - LARGEST, 100))
    assert drawn.note == f"The {LARGEST} largest of 100 values of country."


LINE = Chart(kind="line", x="month", y="n", colour="kind")


def a_month(number: int, n: int | None, kind: str = "a") -> dict[str, object]:
    return {"month": date(2025, number, 1), "n": n, "kind": kind}


def test_a_line_has_a_gap_where_a_month_is_withheld_or_left_out() -> None:
    drawn = fit([a_month(1, 5), a_month(2, None), a_month(5, 10), a_month(4, 5)], LINE, released=True)
    assert [(row["month"], row["n"]) for row in drawn.rows] == [
        (date(2025, number, 1), n) for number, n in enumerate([5, None, None, 5, 10], start=1)
    ]
    assert not drawn.note
    assert gaps_in_words(drawn.gaps, LINE) == "Withheld or not there: a: 2025-02-01, 2025-03-01."


def test_a_series_has_no_gap_before_its_first_month_nor_after_its_last() -> None:
    rows = [a_month(1, 5), a_month(2, 5), a_month(3, 5), a_month(4, 5, "b"), a_month(6, 5, "b")]
    drawn = fit(rows, LINE, released=True)
    assert [(row["month"], row["kind"]) for row in drawn.gaps] == [(date(2025, 5, 1), "b")]


def test_times_at_midnight_are_days_and_other_times_are_left_as_they_are() -> None:
    plain_line = Chart(kind="line", x="month", y="n")
    midnights, moments = (
        [{"month": datetime.combine(date(2025, number, 1), time(hour)), "n": 5} for number in (1, 3)]
        for hour in (0, 12)
    )
    assert [row["month"] for row in fit(midnights, plain_line, released=True).gaps] == [date(2025, 2, 1)]
    assert fit(moments, plain_line, released=True).rows == moments


def test_quarters_and_years_have_no_gaps_between_them() -> None:
    for months in ((1, 4, 7), (1,)):
        rows = [{"month": date(year, number, 1), "n": 5} for year in (2024, 2025) for number in months]
        drawn = fit(rows, Chart(kind="line", x="month", y="n"), released=True)
        assert [row["month"] for row in drawn.gaps] == ([date(2024, 10, 1)] if len(months) > 1 else [])


def test_a_heat_map_has_a_gap_in_every_cell_that_no_row_fills() -> None:
    chart = Chart(kind="heatmap", x="month", y="kind", colour="n")
    drawn = fit([a_month(1, 5), a_month(2, None), a_month(2, 5, "b")], chart, released=True)
    assert {(row["month"], row["kind"]) for row in drawn.gaps} == {(date(2025, 2, 1), "a"), (date(2025, 1, 1), "b")}


def test_a_bar_that_is_withheld_keeps_its_place() -> None:
    rows = [{"kind": "a", "n": 5}, {"kind": "b", "n": None}]
    drawn = fit(rows, Chart(kind="bar", x="kind", y="n"), released=True)
    assert (drawn.rows, drawn.gaps) == (rows, rows[1:])
    assert gaps_in_words(drawn.gaps, Chart(kind="bar", x="kind", y="n")) == "Withheld or not there: b."
    assert not gaps_in_words([], Chart(kind="bar", x="kind", y="n"))


def test_rows_that_are_open_have_no_gaps_to_be_told_of() -> None:
    drawn = fit([a_month(1, 5), a_month(2, None), a_month(5, 10)], LINE)
    assert len(drawn.rows) == 3
    assert not drawn.gaps


def test_a_text_names_the_first_gaps_and_counts_the_others() -> None:
    rows = [{"kind": str(number), "n": None} for number in range(20)]
    assert gaps_in_words(rows, Chart(kind="bar", x="kind", y="n")).endswith(", 11; and 8 more.")


def an_entry(access: Access, disclosure: Disclosure | None = None, release: int | None = 1) -> CatalogueEntry:
    dataset = a_dataset(access.word)
    show = dict.fromkeys(dataset.columns, Obligation(show=True))
    duties = Obligations(access, show, (), None, Limits(), disclosure, Fingerprint("p"))
    return CatalogueEntry(dataset, Permit(dataset.dataset, duties, ()), release, None, None, synthetic=False)


def test_the_example_reads_rows_where_some_are_open_else_statistics() -> None:
    counted_only = an_entry(Access.AGGREGATES, Disclosure(entities={"id": 10}, dimensions={"country": EQUAL}))
    by_day = an_entry(Access.AGGREGATES, Disclosure(entities={"id": 10}, dimensions={"day": BY_MONTH}))
    rows, codebook = an_entry(Access.ROWS), an_entry(Access.CODEBOOK)
    assert example_for([codebook, counted_only, rows]) == "SELECT *\nFROM rows\nLIMIT 10"
    assert example_for([counted_only]).startswith("SELECT country, count(*) AS n\nFROM aggregates\nGROUP BY ALL")
    assert example_for([by_day]).startswith("SELECT date_trunc('month', day), count(*)")
    assert example_for([codebook, an_entry(Access.ROWS, release=None)]) == ""


def test_names_lose_the_words_that_all_begin_with() -> None:
    assert short_names(["KIND_ONE", "KIND_OTHER"]) == {"KIND_ONE": "ONE", "KIND_OTHER": "OTHER"}
    assert short_names(["KIND_ONE", "KIND_"]) == {"KIND_ONE": "ONE", "KIND_": "KIND_"}
    assert short_names(["DE", "DK"]) == {"DE": "DE", "DK": "DK"}
    assert short_names(["ONLY_ONE"]) == {"ONLY_ONE": "ONLY_ONE"}


def test_the_quick_chart_needs_a_number_and_something_to_lay_it_along() -> None:
    schema = pa.schema([("day", pa.date32()), ("country", pa.string()), ("n", pa.int64())])
    assert quick_chart(schema) == Chart(kind="line", x="day", y="n", colour="country")
    assert quick_chart(pa.schema([("n", pa.int64())])) is None
    assert quick_chart(pa.schema([("country", pa.string())])) is None


@pytest.mark.parametrize("words", ["", "sales", "euro PRICE", "member state"])
def test_the_codebook_is_searched_in_any_letter_case(words: str) -> None:
    assert matches(a_dataset(), words)


def test_every_word_must_stand_in_the_codebook() -> None:
    assert not matches(a_dataset(), "price unicorn")


def test_a_search_names_the_columns_and_values_where_most_words_stand_first() -> None:
    found = places(a_dataset(), "member state price")
    assert found[0] == Place("country")
    assert Place("price") in found
    assert not places(a_dataset(), "unicorn")


def test_parameters_are_found_outside_of_texts_and_comments() -> None:
    text = "SELECT '$a', \"$b\", $c /* $d */ FROM t WHERE x = $e AND y = $c -- $f"
    assert names_in(text) == ("c", "e")


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("7", 7),
        ("1.5", 1.5),
        ("2025-03-01", date(2025, 3, 1)),
        ("TRUE", True),
        ("null", None),
        ("'7'", "7"),
        ("DE", "DE"),
    ],
)
def test_a_typed_value_is_read_as_it_looks(typed: str, value: object) -> None:
    assert read_value(typed) == value


@given(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.dates() | st.text())
def test_a_written_value_is_read_back(value: object) -> None:
    found = read_value(write_value(value))  # type: ignore[arg-type]
    assert found == value
    assert type(found) is type(value)


def test_markdown_in_data_stays_text() -> None:
    assert plain("![x](y) <b> :red[z] $1$") == r"\!\[x\]\(y\) \<b\> \:red\[z\] \$1\$"


def test_a_stewards_names_between_backticks_stay_names() -> None:
    assert prose("Use `the_field` *now*") == r"Use `the_field` \*now\*"


def test_numbers_of_things_and_bytes_are_written_for_people() -> None:
    assert [counted(1, "row"), counted(1200, "row")] == ["1 row", "1,200 rows"]
    assert [bytes_in_words(999), bytes_in_words(1500), bytes_in_words(2_500_000_000)] == [
        "999 bytes",
        "1.5 kB",
        "2.5 GB",
    ]
