"""What the policy hides is searched for in every byte that the portal hands out or keeps outside its releases."""

import logging
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from support.hiding import ASKER, EVE, HIDDEN_PRICE, MARK, OTHERS, PROJECT, SALES, a_portal_that_hides

from portal.desk.access import catalogue, catalogue_entry
from portal.desk.activity import my_entries
from portal.desk.answers import Asker
from portal.desk.downloads import open_download
from portal.desk.making import make_download
from portal.desk.saved import library, run_saved_query
from portal.desk.services import Services
from portal.desk.statements import explain_statement, run_statement
from portal.errors import PortalError
from portal.ids import DatasetName, QueryName
from portal.sql.plan import Statement

ATTEMPTS = (
    "SELECT * FROM sales",
    "SELECT sales FROM sales",
    "FROM sales ORDER BY price DESC LIMIT 5",
    "SELECT min(id), max(id), min(note), max(note), max(price), max(day) FROM sales",
    "SELECT DISTINCT country FROM sales",
    "SELECT count(*) FROM sales WHERE note IS NOT NULL",
    "SELECT string_agg(note, ',') FROM sales",
    "SELECT id::INTEGER FROM sales",
    "SELECT CAST(note AS INTEGER), 1 // 0 FROM sales",
    "SELECT CAST(country AS DATE) FROM sales",
    "SELECT list(trader) FROM sales",
    "SELECT approx_quantile(price, 1.0), mode(note), arg_max(id, price) FROM sales",
    "SELECT error(note) FROM sales",
    "SELECT histogram(price) FROM sales",
    "SELECT stats(note) FROM sales",
    "SELECT * FROM vault",
    "SELECT * FROM sales, vault",
    "SELECT (SELECT secret FROM vault LIMIT 1)",
    "SELECT * FROM read_parquet('../*/*.parquet')",
    "SELECT * FROM parquet_metadata('sales.parquet')",
    "SELECT * FROM glob('/**')",
    "SELECT * FROM read_text('/proc/self/environ')",
    "SELECT * FROM duckdb_settings()",
    "SELECT current_setting('allowed_paths')",
    "SELECT * FROM duckdb_views()",
    "SELECT current_query()",
    "EXPLAIN ANALYZE SELECT * FROM sales WHERE price > 900000",
    "SUMMARIZE sales",
    "WITH x AS (DELETE FROM sales RETURNING *) SELECT * FROM x",
    "SELECT filename, file_row_number FROM sales",
    "SELECT note FROM sales WHERE note LIKE $1",
    "SELECT no_such_column FROM sales",
    "PIVOT sales ON country USING max(note)",
)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with a_portal_that_hides(tmp_path_factory.mktemp("portal")) as portal:
        yield portal


def assert_clean(what: object) -> None:
    text = repr(what)
    assert MARK not in text
    assert str(HIDDEN_PRICE) not in text


@pytest.mark.parametrize("sql", ATTEMPTS)
def test_no_answer_error_or_explanation_holds_what_is_hidden(services: Services, sql: str) -> None:
    for ask in (run_statement, explain_statement):
        try:
            answer = ask(services, ASKER, Statement(sql))
        except PortalError as error:
            assert_clean([fault.as_dict() for fault in error.faults if fault.snippet not in sql])
            assert_clean([(fault.message, fault.fix, fault.rule) for fault in error.faults])
        else:
            assert_clean(answer)
            if ask is run_statement:
                assert_clean(answer.table().to_pylist())


def test_the_attempts_do_reach_data(services: Services) -> None:
    table = run_statement(services, ASKER, Statement("SELECT * FROM sales")).table()
    assert table.num_rows == 720
    assert set(table["country"].to_pylist()) == {"DE", "FR"}
    assert table["note"].null_count == 720
    assert len(set(table["trader"].to_pylist())) == 32


@pytest.mark.parametrize("file_format", ["parquet", "csv", "arrow"])
def test_no_download_holds_what_is_hidden(services: Services, file_format: str) -> None:
    ticket = make_download(services, ASKER, Statement("SELECT * FROM sales"), file_format)
    record, path = open_download(services, ASKER, ticket.id)
    readers = {
        "parquet": pq.read_table,
        "csv": pyarrow.csv.read_csv,
        "arrow": lambda file: pa.ipc.open_file(file).read_all(),
    }
    table = readers[file_format](path)
    assert table.num_rows == ticket.rows == 720
    assert_clean(table.to_pylist())
    assert_clean(record)
    assert MARK.encode() not in path.read_bytes()


def test_catalogue_saved_queries_and_activity_hold_nothing_hidden(services: Services) -> None:
    answer = run_saved_query(services, ASKER, QueryName("moderation/sales_by_country"), {})
    assert answer.table().to_pylist() == [
        {"country": "DE", "sales": 360, "highest": 898.0},
        {"country": "FR", "sales": 360, "highest": 899.0},
    ]
    for shown in (catalogue(services, ASKER), library(services, ASKER)):
        assert_clean(shown)
    assert_clean([entry.details for entry in my_entries(services, ASKER)])


def test_what_is_not_granted_reads_as_what_does_not_exist(services: Services) -> None:
    for asker, name in ((ASKER, "vault"), (ASKER, "nothing"), (Asker(EVE, OTHERS), "sales")):
        messages = []
        for table in (name, "x" * len(name)):
            with pytest.raises(PortalError) as refused:
                run_statement(services, asker, Statement(f"SELECT * FROM {table}"))
            messages.append(str(refused.value).replace(table, "?"))
        assert messages[0] == messages[1]
        with pytest.raises(PortalError) as unknown:
            catalogue_entry(services, asker, DatasetName(name))
        assert "no dataset" in str(unknown.value)


def test_nobody_works_in_a_project_that_is_not_theirs(services: Services) -> None:
    for asker in (Asker(EVE, PROJECT), Asker(ASKER.person, OTHERS)):
        with pytest.raises(PortalError, match="You have no project"):
            run_statement(services, asker, Statement("SELECT 1"))


def test_nothing_hidden_lies_outside_the_releases(
    services: Services, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        for sql in ATTEMPTS[:12]:
            try:
                run_statement(services, ASKER, Statement(sql))
            except PortalError:
                continue
    assert_clean(caplog.text)
    assert_clean(capfd.readouterr())
    home = services.releases.root.parent
    outside = [path for path in home.rglob("*") if path.is_file() and "releases" not in path.parts]
    assert [path for path in outside if MARK.encode() in path.read_bytes()] == []
    governed = [path for path in outside if path.suffix == ".parquet"]
    assert {path.parent.name for path in governed} >= {SALES}
    for path in governed:
        assert_clean(pq.read_table(path).to_pylist())
        assert_clean(pq.read_metadata(path).to_dict())
