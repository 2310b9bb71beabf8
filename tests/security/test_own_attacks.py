"""Attacks of our own, run for real: on the statement, on its parameters, on what the desk remembers and counts."""

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.factories import NOW, a_grant, a_policy, a_project, a_rule
from support.hiding import ADA, ASKER, HIDDEN_PRICE, MARK, PROJECT, SALES, a_portal_that_hides

from portal.desk.answers import Asker
from portal.desk.downloads import open_download
from portal.desk.making import make_download
from portal.desk.services import Services
from portal.desk.statements import Running, run_statement
from portal.errors import LimitReached, NotFoundError, PolicyRefusal, PortalError, StatementRefusal, UsageError
from portal.ids import ProjectId
from portal.ledger import Action
from portal.policy.people import Grant, Narrowing
from portal.registry import Audit, Registry
from portal.sql.plan import Statement

GOVERNED = """
    SELECT "note" FROM sales WHERE note IS NOT NULL
    SELECT COLUMNS('n.*') FROM sales
    SELECT * FROM "sales" a, "SALES" b LIMIT 9
    SELECT to_json(sales), row_to_json(sales) FROM sales
    SELECT struct_extract(sales, 'note'), sales['note'], sales.note FROM sales
    SELECT unnest(sales, recursive := true) FROM sales
    SELECT min_by(note, price), max_by(sales, price), arg_min(id, day) FROM sales
    SELECT approx_top_k(note, 3), histogram(note), mode(id) FROM sales
    SELECT country FROM sales WHERE country NOT IN ('DE', 'FR') OR country IS NULL
    SELECT * FROM sales ANTI JOIN (SELECT 'DE' AS country) d USING (country)
    SELECT * FROM sales ASOF JOIN (SELECT DATE '2026-06-11' AS day) d ON sales.day >= d.day
    SELECT * FROM sales POSITIONAL JOIN (SELECT 1 AS z)
    SELECT * FROM sales TABLESAMPLE 90%
    UNPIVOT sales ON note INTO NAME n VALUE v
    SELECT * RENAME (note AS country, country AS note) FROM sales
    SELECT * EXCLUDE (note) REPLACE (price AS trader) FROM sales
    SELECT country AS note, note AS country FROM sales WHERE note <> 'x'
    SELECT count(*) FILTER (WHERE note LIKE '%note1%'), sum(hash(note)), bit_xor(hash(id)) FROM sales
    SELECT last(note ORDER BY price), any_value(note), first(id ORDER BY day DESC) FROM sales
    VALUES ((SELECT max(note) FROM sales))
    TABLE sales
    FROM sales SELECT max(price), max(day) WHERE price > 900000 OR day > '2026-06-01'
    WITH vault AS (SELECT 1 AS secret) SELECT * FROM vault
    WITH RECURSIVE vault AS (SELECT 1 AS a UNION SELECT a + 1 FROM vault WHERE a < 3) SELECT * FROM vault
    SELECT * FROM sales AS vault
    SELECT current_schema FROM range(2)
    SELECT list_filter(list(note), lambda x: x IS NOT NULL) FROM sales
    SELECT json_structure(to_json(sales)), typeof(sales), struct_keys(sales) FROM sales
    SELECT row_number() OVER (), lag(note) OVER (ORDER BY id), first_value(sales) OVER (ORDER BY price DESC) FROM sales
    SELECT country, grouping_id(country), max(note) FROM sales GROUP BY CUBE (country)
    SELECT 1 / 0, 1 // 0, 1 % 0
    SELECT '\\x2e\\x2e'::BLOB, url_decode('%00'), chr(0), parse_path('/etc/passwd')
"""
"""Run, and see nothing but the governed copy."""

REFUSED = """
    WITH sales AS (SELECT 1 AS note) SELECT * FROM sales
    SELECT * FROM range(3) AS "Sales"
    SELECT filename FROM sales, (SELECT unnest([1]) u) t
    SELECT rowid, file_row_number FROM sales, range(2)
    SELECT current_user FROM range(2)
    SELECT current_catalog FROM range(2)
    SELECT * FROM \u0455ales
    SELECT * FROM \uff53\uff41\uff4c\uff45\uff53
    SELECT * FROM "sales "
    WITH vault AS (SELECT * FROM vault) SELECT * FROM vault
    SELECT (WITH q AS (SELECT secret FROM vault) SELECT max(secret) FROM q)
    SELECT * FROM sales WHERE EXISTS (FROM vault)
    SELECT * FROM sales, LATERAL (SELECT * FROM vault) t
    SELECT unnest((SELECT list(secret) FROM vault))
    SELECT * FROM 'vault'
    SELECT * FROM "vault.parquet"
    SELECT * FROM vault.secret
    SELECT * FROM sqlite_master
    SELECT * FROM information_schema.tables
    SELECT getvariable('x')
    SELECT getenv('HOME')
    SELECT "read_text"('/etc/passwd')
    SELECT * FROM "Read_Csv_Auto"(['/etc/passwd'])
    SELECT * FROM parquet_kv_metadata('x')
    SELECT 'x'.read_text()
    SELECT [x.read_text() for x in ['/etc/passwd']]
    SELECT list_transform(['HOME'], lambda x: getenv(x))
    SELECT list_aggregate([1, 2], 'read_text')
    SELECT list_aggregate([1, 2], concat('su', 'm'))
    SELECT system.main.getenv('HOME')
    FROM query('SELECT 1')
    SELECT version(), txid_current()
    SELECT stats(price) FROM sales
    SELECT vector_type(price) FROM sales
    SELECT CAST((SELECT string_agg(trader) FROM sales) AS INTEGER)
    SELECT CAST(trader AS INTEGER), factorial(price::INT) FROM sales
    SELECT strptime(trader, '%Y') FROM sales
    SELECT regexp_matches(trader, trader || '(') FROM sales
    SELECT (SELECT price FROM sales)
    SELECT error(trader) FROM sales
    SELECT repeat('a', 1e9)
    SELECT 'x'.repeat(1000000000)
    SELECT repeat(*COLUMNS(*)) FROM (SELECT 'x' a, 1000000000 b)
    SELECT format('{:>{}}', 'x', 999999999)
    SELECT printf('%*d', 999999999, 1)
    SELECT printf(printf('%s', '%999999999d'), 1)
    SELECT bitstring('1', 1000000000)
    SELECT list_resize([1], 1000000000)
    SELECT unnest(generate_series(DATE '0001-01-01', DATE '9999-12-31', INTERVAL '1 microsecond'))
    SELECT * FROM generate_series(TIMESTAMP '2000-01-01', TIMESTAMP '2000-01-02', INTERVAL (0) SECOND)
    SELECT 1; SELECT 2
    SELECT 1 INTO t
    SELECT * FROM sales FOR UPDATE
    SELECT * FROM sales AT (VERSION => 1)
    SELECT * FROM (DESCRIBE sales)
    SELECT * FROM (SHOW sales)
    PRAGMA database_list
    EXPLAIN SELECT 1
    SELECT '\ud800'
"""
"""Refused, in words that hold nothing of the data."""

BOMBS = """
    SELECT 'x'.repeat(900).repeat(900).repeat(900) FROM sales
    SELECT length(list_reduce(range(60), lambda a, b: a || a, trader)) FROM sales
    SELECT levenshtein(repeat(repeat(country, 90), 900), repeat(repeat(trader, 50), 50)) FROM sales
    SELECT count(*) FROM sales a, sales b, sales c, sales d, sales e
    WITH RECURSIVE t(s) AS (SELECT trader FROM sales UNION ALL SELECT s || s FROM t WHERE s > '') SELECT max(s) FROM t
    WITH RECURSIVE t(n) AS (SELECT min(price) FROM sales UNION ALL SELECT n + 1 FROM t WHERE n >= 0) SELECT 1 FROM t
"""
"""Stopped by a limit, from outside."""


def lines(block: str) -> list[str]:
    return [line.strip() for line in block.strip().splitlines()]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with a_portal_that_hides(tmp_path_factory.mktemp("portal")) as portal:
        yield portal


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with a_portal_that_hides(tmp_path) as portal:
        yield portal


def under(services: Services, **changes: Any) -> Services:
    """Return the same portal with another policy of the one dataset that is open."""
    rule = a_rule(rows="country IN project.member_states", columns={"id": "hide"}, download={}) | changes
    policies = {**services.site.policies, SALES: a_policy(rule)}
    return replace(services, site=replace(services.site, policies=policies))


def assert_clean(what: object) -> None:
    assert MARK not in repr(what)
    assert str(HIDDEN_PRICE) not in repr(what)


@pytest.mark.parametrize("sql", lines(GOVERNED))
def test_a_trick_that_runs_sees_the_governed_copy_only(shared: Services, sql: str) -> None:
    answer = run_statement(shared, ASKER, Statement(sql))
    assert_clean(answer.table().to_pylist())
    assert_clean(answer.schema)


@pytest.mark.parametrize("sql", lines(REFUSED), ids=ascii)
def test_a_trick_that_is_refused_tells_nothing(shared: Services, sql: str) -> None:
    with pytest.raises(StatementRefusal) as refused:
        run_statement(shared, ASKER, Statement(sql))
    assert_clean(refused.value.faults)


@pytest.mark.parametrize("sql", lines(BOMBS))
def test_a_bomb_is_stopped_by_a_limit(shared: Services, sql: str) -> None:
    bounded = under(shared, limits={"seconds": 0.7, "memory": "300MB"})
    with pytest.raises(LimitReached):
        run_statement(bounded, ASKER, Statement(sql))


UNFIT = (10**5000, 2**127, "\ud800", "x" * 100_001, b"x", Decimal(1), time(1), object(), [1], {"a": 1}, timedelta(1))


@pytest.mark.parametrize("value", UNFIT, ids=lambda value: type(value).__name__)
def test_a_parameter_that_is_no_value_of_sql_is_a_usage_error(shared: Services, value: Any) -> None:
    with pytest.raises(UsageError, match=r"\$x"):
        run_statement(shared, ASKER, Statement("SELECT $x AS x", {"x": value}))


@pytest.mark.parametrize("value", [float("nan"), -(2**126), "'; DROP TABLE sales", "x\0y", None, True])
def test_a_parameter_is_a_value_and_never_text_of_the_statement(shared: Services, value: Any) -> None:
    found = run_statement(shared, ASKER, Statement("SELECT $x AS x", {"x": value})).table()["x"].to_pylist()
    assert repr(found) == repr([value]) or found == [Decimal(value)]


def test_an_absurd_statement_is_kept_in_the_ledger_cut_to_size(shared: Services) -> None:
    for text in ("SELECT " + "x" * 1_000_000, "\ud800" * 9):
        with pytest.raises(StatementRefusal):
            run_statement(shared, ASKER, Statement(text))
        assert len(shared.ledger.tail(1)[0].details["statement"]) <= 100_000
    assert shared.ledger.verify() == ()


@pytest.mark.parametrize("file_format", ["../../x", "csv/../../../../x", "exe", "json", ""])
def test_a_format_is_no_path(shared: Services, file_format: str) -> None:
    before = sorted(shared.downloads.rglob("*"))
    with pytest.raises(UsageError):
        make_download(shared, ASKER, Statement("SELECT 1 AS a"), file_format)
    assert sorted(shared.downloads.rglob("*")) == before


@pytest.mark.parametrize("project", ["../p1", "p1/../p1", "_open_vetted", "\ud800", "P1", "p1 ", "p1\0"])
def test_a_project_that_is_not_the_askers_own_is_none(shared: Services, project: str) -> None:
    with pytest.raises(PolicyRefusal, match="You have no project"):
        run_statement(shared, Asker(ADA, ProjectId(project)), Statement("SELECT 1"))


@pytest.mark.parametrize("name", ["../x", "/x", ".x", "a/b", "_open_vetted", "", "x\n", "x" * 64, "\u0440"], ids=ascii)
def test_no_project_has_an_id_that_leaves_its_folder_or_is_another_workspace(shared: Services, name: str) -> None:
    with pytest.raises(UsageError, match="id"):
        shared.registry.add_project(a_project(id=ProjectId(name)), audit=Audit(None, NOW))
    assert shared.registry.project(ProjectId(name)) is None


def test_statements_at_once_cannot_spend_a_budget_twice(services: Services) -> None:
    bounded = under(services, limits={"rows_per_week": 1000})
    run_statement(bounded, ASKER, Statement("SELECT count(*) FROM sales"))
    together = threading.Barrier(4)

    def ask(number: int) -> int:
        together.wait()
        try:
            return run_statement(bounded, ASKER, Statement(f"SELECT {number}, * FROM sales")).receipt.rows
        except LimitReached:
            return 0

    with ThreadPoolExecutor(4) as threads:
        spent = sum(threads.map(ask, range(4)))
    assert 0 < spent <= 1000
    assert services.ledger.rows_charged(PROJECT, NOW - timedelta(days=7)) == spent + 1
    kept = list((services.spool.root / PROJECT).glob("*.arrow"))
    assert len(kept) == len(services.ledger.search(action=Action.STATEMENT_RAN))


def test_a_run_cannot_raise_the_limit_of_rows(services: Services) -> None:
    bounded = under(services, limits={"result_rows": 10})
    answer = run_statement(bounded, ASKER, Statement("SELECT * FROM sales"), Running(result_rows=500))
    assert (answer.receipt.rows, answer.receipt.complete) == (10, False)


CHANGES: Mapping[str, Mapping[str, Any]] = {
    "a column hidden": {"columns": {"id": "hide", "price": "hide"}},
    "fewer rows": {"rows": "country IN project.member_states AND price < 5"},
    "an embargo": {"embargo": {"column": "day", "days": 30}},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_would_not_be_made_again_is_not_handed_out(services: Services, change: str) -> None:
    before = under(services)
    ticket = make_download(before, ASKER, Statement("SELECT * FROM sales"), "csv")
    open_download(before, ASKER, ticket.id)
    with pytest.raises(PolicyRefusal, match="changed"):
        open_download(under(services, **CHANGES[change]), ASKER, ticket.id)


def test_a_file_made_before_its_grant_was_narrowed_is_not_handed_out(services: Services) -> None:
    ticket = make_download(services, ASKER, Statement("SELECT * FROM sales"), "csv")
    narrowed = a_grant(narrowing=Narrowing(hidden=frozenset({"price"})))
    services.registry.give_grant(narrowed, audit=Audit(None, NOW))
    with pytest.raises(PolicyRefusal, match="changed"):
        open_download(services, ASKER, ticket.id)


def test_a_file_outlives_an_embargo_that_only_moves_on(services: Services) -> None:
    ticket = make_download(services, ASKER, Statement("SELECT * FROM sales"), "csv")
    tomorrow = replace(services, clock=lambda: NOW + timedelta(days=1))
    assert open_download(tomorrow, ASKER, ticket.id)[0].rows == 720


def test_unknown_and_not_granted_are_refused_alike_for_downloads(shared: Services) -> None:
    messages = []
    for table in ("vault", "vaulx"):
        with pytest.raises(NotFoundError) as refused:
            make_download(shared, ASKER, Statement(f"SELECT * FROM {table}"), "csv")
        messages.append(str(refused.value).replace(table, "?"))
    assert messages[0] == messages[1]


def test_refusing_what_is_unknown_asks_as_much_as_refusing_what_is_not_granted(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    look_up = Registry.grants_of

    def counted(registry: Registry, project: ProjectId) -> tuple[Grant, ...]:
        asked.append(project)
        return look_up(registry, project)

    monkeypatch.setattr(Registry, "grants_of", counted)
    for number, table in enumerate(("vault", "vaulx"), start=1):
        with pytest.raises(StatementRefusal):
            run_statement(services, ASKER, Statement(f"SELECT * FROM {table}"))
        assert len(asked) == number


def test_a_negated_row_rule_opens_nothing_to_a_project_without_values(services: Services) -> None:
    services.registry.add_project(a_project(id=ProjectId("p3"), member_states=()), audit=Audit(None, NOW))
    services.registry.give_grant(a_grant(project=ProjectId("p3")), audit=Audit(None, NOW))
    for rule in ("country IN project.member_states", "NOT country IN project.member_states"):
        answer = run_statement(
            under(services, rows=rule), Asker(ADA, ProjectId("p3")), Statement("SELECT * FROM sales")
        )
        assert answer.receipt.rows == 0


def test_pseudonyms_of_two_projects_have_nothing_in_common(services: Services) -> None:
    audit, other = Audit(None, NOW), ProjectId("p4")
    services.registry.add_project(a_project(id=other), audit=audit)
    services.registry.give_grant(a_grant(project=other), audit=audit)
    sql = Statement("SELECT DISTINCT id FROM sales UNION ALL SELECT DISTINCT trader FROM sales")
    mine, theirs = (
        set(run_statement(services, Asker(ADA, project), sql).table()["id"].to_pylist()) for project in (PROJECT, other)
    )
    assert len(mine) == len(theirs) == 720 + 32
    assert not mine & theirs


def test_a_refused_or_failed_statement_leaves_no_answer_behind(services: Services) -> None:
    stop = threading.Event()
    stop.set()
    for sql, running in (("SELECT * FROM sales", Running(cancel=stop)), ("SELECT trader::INT FROM sales", Running())):
        with pytest.raises(PortalError):
            run_statement(services, ASKER, Statement(sql), running)
    assert list(services.spool.root.rglob("*.arrow")) == []
    assert services.ledger.rows_charged(PROJECT, NOW - timedelta(days=7)) == 0
