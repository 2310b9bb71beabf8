"""An erratum comes with an answer that touches its columns in its period, wherever the answer is read, and else not."""

from collections.abc import Iterator

import duckdb
import pytest
from support.api import CSV, ask, client_of
from support.portal import VETTED, a_token, services_of, write_portal

from portal.catalogue.period import ALL_TIME
from portal.desk.citing import manifest_of
from portal.desk.services import Services
from portal.desk.statements import explain_statement, run_statement
from portal.ids import DatasetName
from portal.sql import parse
from portal.sql.periods import DateColumn, periods_of
from portal.sql.plan import Statement

WRONG_NAME = "holidays/wrong_name"
ERRATA = """
date_column: day
errata:
  - id: wrong_name
    title: A name was wrong
    description: It was.
    columns: [name]
    since: 2026-04-01
    until: 2026-06-30
"""
TOUCHING = (
    "SELECT name FROM holidays",
    "SELECT name FROM holidays WHERE day >= '2026-06-30'",
    "SELECT name FROM holidays WHERE date_trunc('month', day) = '2026-04-01'",
    "WITH h AS (FROM holidays) SELECT name FROM h WHERE day < '2026-01-31'",
)
APART = (
    "SELECT day FROM holidays",
    "SELECT name FROM holidays WHERE day < '2026-04-01'",
    "SELECT name FROM holidays WHERE day > DATE '2026-07-01' OR day = DATE '2026-07-02'",
)


@pytest.fixture(name="services", scope="module")
def _services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder = tmp_path_factory.mktemp("portal")
    settings = write_portal(folder)
    with (folder / "site" / "datasets" / "holidays" / "dataset.yaml").open("a", encoding="utf-8") as file:
        file.write(ERRATA)
    with services_of(settings) as services:
        yield services


def told_by_the_api(services: Services, sql: str) -> str:
    client = client_of(services)
    client.headers["Authorization"] = f"Bearer {a_token(services)}"
    return ask(client, sql, CSV).headers["portal-errata"]


@pytest.mark.parametrize("sql", TOUCHING)
def test_what_touches_column_and_period_carries_the_erratum(sql: str, services: Services) -> None:
    answer = run_statement(services, VETTED, Statement(sql))
    assert [f"{name}/{erratum.id}" for name, erratum in answer.errata] == [WRONG_NAME]
    assert answer.receipt.errata == (WRONG_NAME,)
    assert answer.receipt.as_record()["errata"] == [WRONG_NAME]
    assert [erratum["since"] for erratum in manifest_of(services, answer)["errata"]] == ["2026-04-01"]
    assert len(explain_statement(services, VETTED, Statement(sql)).errata) == 1
    assert told_by_the_api(services, sql) == WRONG_NAME


@pytest.mark.parametrize("sql", APART)
def test_another_column_or_another_period_carries_none(sql: str, services: Services) -> None:
    answer = run_statement(services, VETTED, Statement(sql))
    assert answer.errata == ()
    assert answer.receipt.errata == ()
    assert told_by_the_api(services, sql) == ""


def test_a_parameter_bounds_the_period_by_its_value(services: Services) -> None:
    sql = "SELECT name FROM holidays WHERE day <= $until"
    assert run_statement(services, VETTED, Statement(sql, {"until": "2026-03-31"})).errata == ()
    assert len(run_statement(services, VETTED, Statement(sql, {"until": "2026-04-01"})).errata) == 1


CONDITIONS = (
    "t.d >= '2025-06-01' AND t.d < '2025-07-01'",
    "t.d BETWEEN '2025-06-10' AND '2025-06-20'",
    "t.d < '2025-06-05'",
    "date_trunc('month', t.d) = '2025-06-01'",
    "date_trunc('quarter', t.d) < '2025-07-01'",
    "t.d > '2025-06-20'",
    "date_trunc('week', t.d) <= '2025-06-10'",
    "CAST(t.d AS DATE) = '2025-06-15'",
    "NOT t.d > '2025-06-10'",
    "t.d = '2025-06-03' OR t.d >= '2025-07-10'",
    "t.d > '2025-06-20' OR t.k = 1",
    "t.d IN ('2025-06-02', '2025-06-30')",
    "t.d < TIMESTAMP '2025-06-12 10:00:00'",
    "DATE '2025-06-12' < t.d",
    "t.d IS NULL OR t.d > '2025-06-20'",
)  # fmt: skip - a table
SHAPES = (
    "SELECT count(*), sum(t.k) FROM t WHERE {}",
    "SELECT o.k, count(t.d) FROM o LEFT JOIN t ON o.k = t.k WHERE {} GROUP BY ALL ORDER BY ALL",
    "SELECT o.k, t.d FROM t FULL JOIN o ON o.k = t.k AND o.d < t.d WHERE {} ORDER BY ALL",
    "SELECT o.k, t.d FROM o ASOF JOIN t ON o.k = t.k AND o.d >= t.d WHERE {} ORDER BY ALL",
    "SELECT o.k, t.k FROM o POSITIONAL JOIN t WHERE {} ORDER BY ALL",
    "SELECT k FROM o WHERE k IN (SELECT k FROM t WHERE {}) ORDER BY ALL",
    "SELECT t.k, row_number() OVER (ORDER BY t.d, t.k) FROM t WHERE {} QUALIFY sum(t.k) OVER () > 1 ORDER BY ALL",
    "SELECT count(*) FROM t, t AS u WHERE {}",
    "SELECT (SELECT count(*) FROM t) FROM o, t WHERE {} ORDER BY ALL",
)  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("condition", CONDITIONS)
def test_days_outside_of_the_period_have_no_part_in_the_answer(shape: str, condition: str) -> None:
    """Nothing goes unnotified: without the rows of all other days the answer is the same."""
    sql = shape.format(condition)
    period = periods_of(parse(sql), {DatasetName("t"): DateColumn("d")})[DatasetName("t")]
    day = "CASE WHEN i % 11 > 0 THEN DATE '2025-05-20' + CAST(i * 7 % 60 AS INTEGER) END"
    made = f"SELECT i % 7 AS k, {day} AS d FROM range({{}}) AS r(i)"
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE o AS {made.format(20)}")
        connection.execute(f"CREATE TABLE t AS {made.format(120)}")
        whole = connection.execute(sql).fetchall()
        if period != ALL_TIME:
            connection.execute(f"DELETE FROM t WHERE (d BETWEEN '{period.first}' AND '{period.last}') IS NOT TRUE")
        assert connection.execute(sql).fetchall() == whole
