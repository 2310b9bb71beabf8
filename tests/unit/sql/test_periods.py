from datetime import date, datetime

import duckdb
import pytest

from portal.catalogue.period import Period
from portal.ids import DatasetName
from portal.sql import parse
from portal.sql.periods import DateColumn, end_of, periods_of
from portal.sql.plan import ParameterValue

T, OTHER = DatasetName("t"), DatasetName("other")
EVER = (None, None)
JUNE = ("2025-06-01", "2025-06-30")


def period(sql: str, grid: str | None = None, **values: ParameterValue) -> tuple[str | None, str | None]:
    dates = {T: DateColumn("d", grid), OTHER: DateColumn("d")}  # type: ignore[arg-type] - a grid's name
    return told(periods_of(parse(sql, values), dates)[T])


def told(found: Period) -> tuple[str | None, str | None]:
    first = None if found.first == date.min else str(found.first)
    return first, None if found.last == date.max else str(found.last)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("d >= '2025-06-01' AND d < DATE '2025-07-01'", JUNE),
        ("d > '2025-05-31' AND '2025-06-30' >= d", ("2025-05-31", "2025-06-30")),
        ("(d BETWEEN '2025-06-01' AND '2025-06-30')", JUNE),
        ("d = '2025-06-07'", ("2025-06-07", "2025-06-07")),
        ("d IN ('2025-06-30', '2025-06-01')", JUNE),
        ("CAST(d AS DATE) <= TIMESTAMP '2025-06-30 10:00:00'", (None, "2025-06-30")),
        ("d < TIMESTAMP '2025-06-30 10:00:00'", (None, "2025-06-30")),
        ("d < TIMESTAMP '2025-06-30 00:00:00'", (None, "2025-06-29")),
        ("t.d >= '2025-06-01' AND T.D <= '2025-06-30'", JUNE),
        ("date_trunc('month', d) = date_trunc('month', DATE '2025-06-12')", JUNE),
        ("date_trunc('month', d) = '2025-06-01'", JUNE),
        ("date_trunc('quarter', d) < '2025-07-01'", (None, "2025-06-30")),
        ("date_trunc('week', d) <= '2025-06-24'", (None, "2025-06-29")),
        ("d = '2025-06-01' OR (d <= '2025-06-30' AND d >= '2025-06-15')", JUNE),
        ("a = 1 AND d >= '2025-06-01'", ("2025-06-01", None)),
    ],
)
def test_what_is_understood_bounds_the_days(condition: str, expected: tuple[str | None, str | None]) -> None:
    assert period(f"SELECT a FROM t WHERE {condition}") == expected


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a FROM t",
        "SELECT a FROM t WHERE d >= '2025-06-01' OR a = 1",
        "SELECT a FROM t WHERE NOT d >= '2025-06-01'",
        "SELECT a FROM t WHERE d <> '2025-06-01'",
        "SELECT a FROM t WHERE d >= current_date",
        "SELECT a FROM t WHERE d >= DATE '2025-06-01' - INTERVAL 1 YEAR",
        "SELECT a FROM t WHERE other_d >= '2025-06-01'",
        "SELECT a FROM t WHERE d >= '2025-6-1'",
        "SELECT a FROM t WHERE d >= '2025-13-01'",
        "SELECT a FROM t WHERE year(d) = 2025",
        "SELECT a FROM t WHERE date_trunc('decade', d) = '2020-01-01'",
        "SELECT a FROM t QUALIFY d >= '2025-06-01'",
        "SELECT count(*) FILTER (WHERE d >= '2025-06-01') FROM t",
        "WITH m AS (FROM t) SELECT a FROM m WHERE d >= '2025-06-01'",
        "SELECT a FROM (SELECT * FROM t) AS s WHERE d >= '2025-06-01'",
        "SELECT a FROM t AS s(d, e) WHERE d >= '2025-06-01'",
        "SELECT a FROM t TABLESAMPLE 10% WHERE d >= '2025-06-01'",
        "SELECT a FROM t WHERE d >= '2025-06-01' USING SAMPLE 10%",
        "SELECT a FROM other JOIN t ON t.d >= '2025-06-01'",
        "SELECT a FROM other LEFT JOIN t ON t.d >= '2025-06-01' WHERE other.d >= '2025-06-01'",
        "SELECT a FROM other JOIN t USING (d) WHERE d >= '2025-06-01'",
        "SELECT a FROM other ASOF JOIN t ON other.d >= t.d WHERE t.d >= '2025-06-01'",
        "SELECT a FROM other POSITIONAL JOIN t WHERE t.d >= '2025-06-01'",
        "SELECT a FROM t AS x WHERE t.d >= '2025-06-01'",
        "SELECT a FROM t WHERE d >= '2025-06-01' UNION ALL SELECT a FROM t",
        "SELECT (SELECT max(t.d) FROM t) FROM other WHERE other.d >= '2025-06-01'",
        "SELECT a FROM other AS t, t AS u WHERE t.d >= '2025-06-01'",
    ],
)
def test_what_is_not_understood_counts_as_all_time(sql: str) -> None:
    assert period(sql) == EVER


def test_in_a_join_the_table_must_be_named() -> None:
    assert period("SELECT a FROM other AS o LEFT JOIN t ON o.k = t.k WHERE t.d <= '2025-06-30'") == (None, "2025-06-30")
    assert period("SELECT a FROM t, other WHERE t.d <= '2025-06-30'") == (None, "2025-06-30")


def test_every_reading_of_a_dataset_counts() -> None:
    early, late = (
        "SELECT a FROM t WHERE d <= '2025-01-31'",
        "SELECT a FROM t WHERE d BETWEEN '2025-03-01' AND '2025-04-30'",
    )
    assert period(f"{late} AND a IN ({early} AND d >= '2024-01-01')") == ("2024-01-01", "2025-04-30")


@pytest.mark.parametrize("value", [date(2025, 6, 1), datetime(2025, 6, 1), "2025-06-01", "2025-06-01 00:00:00"])  # noqa: DTZ001 - as a caller may give it
def test_parameters_bound_by_their_values(value: ParameterValue) -> None:
    assert period("SELECT a FROM t WHERE d >= $since", since=value) == ("2025-06-01", None)


@pytest.mark.parametrize("value", [None, 20250601, "June", "20250601", "2025-06-01T00:00:00+02:00"])
def test_a_parameter_that_is_no_plain_day_bounds_nothing(value: ParameterValue) -> None:
    assert period("SELECT a FROM t WHERE d >= $since", since=value) == EVER


def test_a_truncated_date_stands_for_its_whole_grid() -> None:
    assert period("SELECT a FROM t WHERE d <= '2025-06-02'", "week") == (None, "2025-06-08")
    assert period("SELECT a FROM t WHERE d BETWEEN '2025-06-01' AND '2025-06-01'", "month") == JUNE


@pytest.mark.parametrize("grid", ["day", "week", "month", "quarter", "year"])
def test_the_end_of_a_grid_is_the_day_before_duckdbs_next(grid: str) -> None:
    days = "SELECT d, CAST(date_trunc(?, d) + CAST(? AS INTERVAL) - INTERVAL 1 DAY AS DATE) FROM days"
    step = {"quarter": "3 months"}.get(grid, f"1 {grid}")
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE days AS SELECT DATE '2023-12-25' + CAST(i AS INTEGER) AS d FROM range(380) AS r(i)"
        )
        for day, last in connection.execute(days, [grid, step]).fetchall():
            assert end_of(grid, day) == last, day  # type: ignore[arg-type] - a grid's name


@pytest.mark.parametrize("grid", ["week", "month", "quarter", "year"])
def test_the_calendar_has_an_end(grid: str) -> None:
    assert end_of(grid, date.max) == date.max  # type: ignore[arg-type] - a grid's name
