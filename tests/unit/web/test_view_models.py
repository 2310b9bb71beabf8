from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.factories import a_dataset

from portal.site.queries import Chart
from portal.web.view_models.charting import LARGEST, chart_of, default_groups, fit, quick_chart, short_names, title_of
from portal.web.view_models.exploration import Exploration, Group, Measure
from portal.web.view_models.finding import matches
from portal.web.view_models.parameters import names_in, read_value, write_value
from portal.web.view_models.wording import bytes_in_words, counted, plain, prose

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


def test_a_dataset_is_first_seen_by_month_where_it_has_days() -> None:
    assert default_groups("day", TYPES) == (Group("day", "month"),)
    assert default_groups(None, TYPES) == default_groups("country", TYPES) == ()


def test_too_many_bars_are_cut_to_the_largest_and_it_is_said() -> None:
    rows = [{"country": str(number), "rows": number} for number in range(100)]
    drawn = fit(rows, Chart(kind="bar", x="country", y="rows"))
    assert [row["rows"] for row in drawn.rows] == list(range(100 - LARGEST, 100))
    assert drawn.note == f"The {LARGEST} largest of 100 values of country."


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
