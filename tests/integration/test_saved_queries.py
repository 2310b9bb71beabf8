"""What the saved queries find, on small tables whose answer is known, and on the committed counts of marketplaces."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import pytest
from support.content import REPOSITORY, answer, published_files, the_site

from portal.catalogue.dataset import Dataset
from portal.ids import DatasetName, QueryName
from portal.policy.masks import literal, quote

SITE = the_site()
DAILY = DatasetName("dsa_transparency_daily")
LONGEST = 2.0
"""Seconds that a query over open counts may take, so that a page with it does not make its reader wait."""

Row = Mapping[str, Any]


@pytest.fixture(name="daily", scope="module")
def _daily(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give the committed counts, published."""
    source = REPOSITORY / "datasets" / DAILY / "source.parquet"
    files = published_files(SITE.datasets[DAILY], [source], tmp_path_factory.mktemp("daily"), synthetic=False)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE VIEW {DAILY} AS FROM read_parquet({files})")
        yield connection


@contextmanager
def holding(dataset: Dataset, rows: Sequence[Row]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection with the dataset's table of its codebook's types; what a row leaves out is NULL."""
    columns = ", ".join(f"{quote(name)} {column.type}" for name, column in dataset.columns.items())
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE {dataset.name} ({columns})")
        for row in rows:
            names, cells = ", ".join(map(quote, row)), ", ".join(map(literal, row.values()))
            connection.execute(f"INSERT INTO {dataset.name} ({names}) VALUES ({cells})")
        yield connection


def found(query: str, rows: Sequence[Row], **values: object) -> list[dict[str, Any]]:
    """Ask a saved query of one dataset of exactly these rows."""
    saved = SITE.queries[QueryName(query)]
    (dataset,) = saved.front.datasets
    with holding(SITE.datasets[DatasetName(dataset)], rows) as connection:
        return answer(connection, saved, **values)


def statements(trader: str, month: int, count: int) -> list[Row]:
    return [{"trader_ref": trader, "created_at": f"2025-{month:02d}-{day:02d}"} for day in range(1, count + 1)]


def used(page: str, criterion: str, **more: object) -> Row:
    """Return a row of targeting that is in use, of a page that spent a thousand dollars on ten advertisements."""
    facts = {"page_id": page, "page_name": page.title(), "criterion": criterion, "criterion_value": "x"}
    return {**facts, "has_targeting": True, "ads_with_value": 5, "ads_total": 10, "spend_total": 1000.0,
            "currency": "USD", "spend_share": 0.5, **more}  # fmt: skip


def test_there_is_a_query_for_every_dataset_and_its_words_are_not_empty() -> None:
    asked = {name for query in SITE.queries.values() for name in query.front.datasets}
    assert asked == set(SITE.datasets)
    for query in SITE.queries.values():
        words = (query.front.title, query.front.question, query.front.why, query.front.reading, *query.front.caveats)
        assert all(word.strip() for word in words), query.name
        assert query.front.caveats, query.name
        assert all(parameter.label.strip() for parameter in query.front.parameters.values()), query.name


def test_no_title_stands_twice() -> None:
    titles = [query.front.title for query in SITE.queries.values()]
    assert len(set(titles)) == len(titles)


def test_every_default_is_one_of_the_choices() -> None:
    for query in SITE.queries.values():
        for name, parameter in query.front.parameters.items():
            assert parameter.values is None or parameter.default in parameter.values, (query.name, name)


@pytest.mark.parametrize(
    "name", sorted(name for name, query in SITE.queries.items() if query.front.datasets == (DAILY,))
)
def test_a_query_of_open_counts_answers_at_once_for_every_choice(
    name: QueryName, daily: duckdb.DuckDBPyConnection
) -> None:
    query = SITE.queries[name]
    choices = [(key, value) for key, parameter in query.front.parameters.items() for value in parameter.values or ()]
    for key, value in choices or [("", "")]:
        began = time.perf_counter()
        answer(daily, query, **({key: value} if key else {}))
        assert time.perf_counter() - began < LONGEST, (key, value)


def test_unsafe_products_fall_from_march_to_may_2025(daily: duckdb.DuckDBPyConnection) -> None:
    query = SITE.queries[QueryName("moderation/statements_by_month_and_category")]
    rows = answer(daily, query)
    unsafe = {
        f"{row['month']:%m}": row["statements"] for row in rows if row["category"] == "UNSAFE_AND_ILLEGAL_PRODUCTS"
    }
    assert [round(unsafe[month] / 1e6, 2) for month in ("03", "04", "05")] == [45.69, 20.86, 0.58]
    assert any("inference" in caveat for caveat in query.front.caveats)


def test_restrictions_are_per_million_of_all_statements(daily: duckdb.DuckDBPyConnection) -> None:
    query = SITE.queries[QueryName("moderation/restrictions_by_month")]
    rows = {(f"{row['month']:%Y-%m}", row["measure"]): row for row in answer(daily, query)}
    assert {measure for _, measure in rows} == {"SUSPENDED", "TERMINATED"}
    assert min(month for month, _ in rows) == "2024-04"
    visible = answer(daily, query, restriction="decision_visibility")
    assert {row["measure"] for row in visible} == {
        "CONTENT_DISABLED",
        "CONTENT_REMOVED",
        "CONTENT_INTERACTION_RESTRICTED",
    }
    total = f"SELECT month(day), sum(statements) FROM {DAILY} WHERE platform = 'AliExpress' AND field = 'rows' "
    of_2025 = dict(daily.execute(f"{total} AND year(day) = 2025 GROUP BY ALL").fetchall())
    for row in (row for row in (*rows.values(), *visible) if row["month"].year == 2025):
        expected = 1e6 * row["statements"] / of_2025[row["month"].month]
        assert row["per_million_statements"] == pytest.approx(expected, abs=0.06)


def test_two_marketplaces_are_mirror_images_and_each_adds_up_to_a_hundred(daily: duckdb.DuckDBPyConnection) -> None:
    query = SITE.queries[QueryName("moderation/two_marketplaces_by_category")]
    there = {row["category"]: row for row in answer(daily, query, first="AliExpress", second="Temu")}
    back = {row["category"]: row for row in answer(daily, query, first="Temu", second="AliExpress")}
    assert {name: row["difference_points"] for name, row in there.items()} == pytest.approx(
        {name: -row["difference_points"] for name, row in back.items()}
    )
    for side in ("first_percent", "second_percent"):
        assert sum(row[side] for row in there.values()) == pytest.approx(100, abs=0.1)


def test_a_seller_comes_back_where_statements_follow_within_three_months() -> None:
    rows = [
        *statements("next month", 1, 6), *statements("next month", 2, 1),
        *statements("third month", 1, 6), *statements("third month", 4, 1),
        *statements("fourth month", 1, 6), *statements("fourth month", 5, 1),
        *statements("never", 1, 6),
        *statements("too few", 1, 1), *statements("too few", 2, 1),
        *statements("too late to tell", 3, 6), *statements("too late to tell", 4, 6),
    ]  # fmt: skip
    january = found("traders/sellers_back_in_later_months", rows, at_least=5)
    assert [(f"{row['month']:%m}", row["sellers"]) for row in january] == [("01", 4)]
    assert (january[0]["again_next_month"], january[0]["again_within_three_months"]) == (1, 2)
    assert january[0]["within_three_months_percent"] == pytest.approx(50)


def test_delay_is_told_for_each_way_of_deciding() -> None:
    fully, partly = "AUTOMATED_DECISION_FULLY", "AUTOMATED_DECISION_PARTIALLY"
    delays = [(fully, 0), (fully, 0), (fully, 9), (partly, 4), (partly, None)]
    rows = [{"automated_decision": decided, "reporting_delay_days": days} for decided, days in delays]
    assert [
        (row["decided"], row["statements"], row["mean_days"], row["median_days"])
        for row in found("moderation/reporting_delay_by_automation", rows)
    ] == [("FULLY", 3, 3.0, 0.0), ("PARTIALLY", 1, 4.0, 4.0)]


def test_a_page_counts_once_for_each_criterion_by_which_it_excludes() -> None:
    rows = [
        used("a", "location", is_exclusion=True), used("a", "location", is_exclusion=True, criterion_value="y"),
        used("a", "location", is_exclusion=False), used("b", "location", is_exclusion=False),
        used("b", "detailed", is_exclusion=True, ads_with_value=0), used("c", "age"),
        used("c", "detailed", is_exclusion=True), used("d", "language", has_targeting=False),
    ]  # fmt: skip
    by_criterion = {row["criterion"]: row for row in found("advertising/exclusions_by_criterion", rows)}
    assert set(by_criterion) == {"location", "detailed"}
    place = by_criterion["location"]
    assert (place["pages_excluding"], place["pages_including"], place["different_values_excluded"]) == (1, 2, 2)
    assert place["excluding_percent"] == pytest.approx(33.3)
    assert by_criterion["detailed"]["pages_excluding"] == 1


def test_pages_are_ranked_by_the_values_they_exclude_and_no_other_page_is_named() -> None:
    rows = [
        *(used("many", "location", is_exclusion=True, criterion_value=place) for place in "xyz"),
        used("few", "detailed", is_exclusion=True, ads_with_value=10), used("none", "location", is_exclusion=False),
        used("unused", "custom_audience", is_exclusion=True, ads_with_value=0),
    ]  # fmt: skip
    ranked = found("advertising/pages_excluding_most", rows)
    assert [(row["page_name"], row["values_excluded"], row["places"]) for row in ranked] == [
        ("Many", 3, 3),
        ("Few", 1, 0),
    ]
    assert [row["advertisements_percent_at_least"] for row in ranked] == [50.0, 100.0]


def test_spending_is_counted_once_a_page_by_its_most_used_value() -> None:
    rows = [
        used("a", "location", is_exclusion=False, spend_share=0.2),
        used("a", "location", is_exclusion=False, spend_share=0.7),
        used("b", "location", is_exclusion=False, spend_share=0.1), used("b", "age", spend_share=1.0),
        used("c", "location", is_exclusion=False, currency="EUR"),
    ]  # fmt: skip
    (place,) = found("advertising/spending_by_criterion", rows)
    assert (place["used_to"], place["pages"], place["spending_at_least"]) == ("include", 2, 800)
    assert place["spending_percent_at_least"] == pytest.approx(40)


def test_names_are_sieved_by_facts_about_people_and_weights_are_left_out() -> None:
    rows = [
        {"parameter": "EnableInferredGender", "default_value": "true", "as_of": "2026-08-12"},
        {
            "parameter": "X",
            "feature_switch": "use_country_and_language",
            "default_value": "false",
            "as_of": "2023-03-31",
        },
        {"parameter": "TopicWeight", "role": "scoring_weight", "as_of": "2023-03-31"},
        {"parameter": "MaxResults", "as_of": "2023-03-31"},
    ]
    sieved = found("recommenders/names_that_point_to_facts_about_people", rows)
    assert [(row["fact"], row["year"], row["on_by_default"]) for row in sieved] == [
        ("gender", "2026", 1), ("language", "2023", 0), ("place", "2023", 0)
    ]  # fmt: skip
