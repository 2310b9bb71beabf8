"""One road to data: desk, command line, API and SQL page give what DuckDB gives on the governed copy."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from click.testing import CliRunner
from support.api import client_of

from portal.cli.main import main
from portal.desk.answers import Asker
from portal.desk.publication import publish_release
from portal.desk.services import Services
from portal.desk.statements import run_statement
from portal.ids import DatasetName, PersonId, ProjectId
from portal.registry import Audit, seed_demo
from portal.settings import Settings
from portal.simulation import simulate
from portal.sql.plan import Statement
from portal.wiring import build_services

ROOT = Path(__file__).parents[2]
ASKER = Asker(PersonId("vetted@demo"), ProjectId("illegal-products"))
NAMES = ("moderation_statements", "dsa_transparency_daily")
STATEMENTS = (
    "SELECT count(*) FROM moderation_statements",
    "SELECT category, count(*) AS n FROM moderation_statements GROUP BY category ORDER BY n DESC, category",
    "FROM moderation_statements SELECT automated_decision, count(*) GROUP BY ALL ORDER BY ALL",
    "SELECT date_trunc('month', created_at) AS month, count(*) FROM moderation_statements GROUP BY 1 ORDER BY 1",
    "SELECT DISTINCT account_type FROM moderation_statements ORDER BY ALL",
    "SELECT * FROM moderation_statements ORDER BY statement_id LIMIT 20",
    "SELECT * EXCLUDE (statement_id) FROM moderation_statements ORDER BY ALL LIMIT 5",
    "SELECT count(DISTINCT trader_ref), approx_count_distinct(source_type) FROM moderation_statements",
    "SELECT median(reporting_delay_days), quantile_cont(reporting_delay_days, 0.9) FROM moderation_statements",
    "SELECT unnest(territorial_scope) AS state, count(*) AS n FROM moderation_statements GROUP BY 1 ORDER BY 2 DESC, 1",
    "SELECT count(*) FROM moderation_statements WHERE list_contains(territorial_scope, 'DE')",
    "SELECT list_transform(territorial_scope, lambda s: lower(s)) FROM moderation_statements ORDER BY ALL LIMIT 3",
    (
        "SELECT category, count(*) FILTER (WHERE automated_detection = 'Yes') AS y FROM moderation_statements "
        "GROUP BY category HAVING y > 10 ORDER BY ALL"
    ),
    (
        "SELECT category, round(100.0 * count(*) / sum(count(*)) OVER (), 2) AS share FROM moderation_statements "
        "GROUP BY category ORDER BY share DESC, category"
    ),
    (
        "SELECT created_at, row_number() OVER (PARTITION BY category ORDER BY statement_id) AS r "
        "FROM moderation_statements QUALIFY r = 1 ORDER BY ALL"
    ),
    (
        "WITH m AS (SELECT category, count(*) AS n FROM moderation_statements GROUP BY 1) "
        "SELECT a.category FROM m a JOIN m b ON a.n > b.n GROUP BY 1 ORDER BY count(*), 1"
    ),
    "SELECT platform, sum(statements) AS n FROM dsa_transparency_daily WHERE field = 'rows' GROUP BY 1 ORDER BY 2 DESC",
    (
        "SELECT year(day), sum(statements)::BIGINT FROM dsa_transparency_daily WHERE field = 'rows' "
        "GROUP BY ROLLUP (1) ORDER BY ALL"
    ),
    "SELECT value, max(day), min(day) FROM dsa_transparency_daily WHERE field = 'category' GROUP BY ALL ORDER BY ALL",
    (
        "SELECT value LIKE '%UNSAFE%' AS unsafe, avg(statements) FROM dsa_transparency_daily WHERE field = 'category' "
        "GROUP BY ALL ORDER BY ALL"
    ),
    (
        "SELECT day, sum(statements) AS n, lag(n) OVER (ORDER BY day) AS before FROM dsa_transparency_daily "
        "WHERE field = 'rows' AND platform = 'AliExpress' GROUP BY day ORDER BY day LIMIT 30"
    ),
    "SELECT (SELECT count(*) FROM moderation_statements) AS a, (SELECT count(*) FROM dsa_transparency_daily) AS b",
    "SELECT source_type FROM moderation_statements UNION SELECT platform FROM dsa_transparency_daily ORDER BY 1",
    (
        "SELECT CASE WHEN mean_hours > 24 THEN 'slow' ELSE 'fast' END AS pace, count(*) FROM dsa_transparency_daily "
        "WHERE mean_hours IS NOT NULL GROUP BY ALL ORDER BY ALL"
    ),
    (
        "SELECT regexp_extract(category, 'CATEGORY_(.*)', 1) AS c, max(strftime(created_at, '%Y-%m')) AS m "
        "FROM moderation_statements GROUP BY ALL ORDER BY ALL"
    ),
    "VALUES (1, 'a'), (2, NULL)",
)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    home = tmp_path_factory.mktemp("home")
    portal = build_services(Settings(site=ROOT, home=home, warm_sandboxes=1))
    try:
        seed_demo(portal.registry, portal.clock(), portal.site.datasets)
        made_up = simulate("moderation_statements", home / "raw", 0.02, 7)
        publish_release(portal, DatasetName("moderation_statements"), made_up, synthetic=True)
        real = ROOT / "datasets/dsa_transparency_daily/source.parquet"
        publish_release(portal, DatasetName("dsa_transparency_daily"), [real], synthetic=False)
        yield portal
    finally:
        portal.sandbox.close()


def duckdb_itself(services: Services, sql: str) -> pa.Table:
    run_statement(services, ASKER, Statement("SELECT 1 FROM moderation_statements, dsa_transparency_daily LIMIT 1"))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name in NAMES:
            files = sorted(map(str, (services.workspaces.root / "illegal-products" / name).glob("*.parquet")))
            connection.execute(f"CREATE VIEW {name} AS FROM read_parquet({files})")
        return connection.sql(sql).to_arrow_table()


@pytest.mark.parametrize("sql", STATEMENTS)
def test_the_desk_answers_as_duckdb_on_the_governed_copy(services: Services, sql: str) -> None:
    expected, found = duckdb_itself(services, sql), run_statement(services, ASKER, Statement(sql)).table()
    assert found.schema.names == expected.schema.names
    assert found.schema.types == expected.schema.types
    assert found.to_pylist() == expected.to_pylist()


@pytest.fixture(scope="module")
def token(services: Services) -> str:
    now = services.clock()
    _, secret = services.registry.issue_token(
        ASKER.person, ProjectId("illegal-products"), "test", now + timedelta(days=1), audit=Audit(None, now)
    )
    return secret


@pytest.mark.parametrize("sql", STATEMENTS)
def test_the_api_hands_out_the_same(services: Services, token: str, sql: str) -> None:
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.apache.arrow.stream"}
    response = client_of(services).post("/query", json={"sql": sql}, headers=headers)
    assert response.status_code == 200, response.text
    handed_out = pa.ipc.open_stream(io.BytesIO(response.content)).read_all()
    assert handed_out.to_pylist() == run_statement(services, ASKER, Statement(sql)).table().to_pylist()


@pytest.mark.parametrize("sql", STATEMENTS[::6])
def test_the_command_line_prints_the_same(services: Services, sql: str, tmp_path: Path) -> None:
    home = services.releases.root.parent
    out = tmp_path / "answer.arrow"
    asked = ["--site", str(ROOT), "--home", str(home), "query", "--as", ASKER.person, "--project", "illegal-products"]
    result = CliRunner().invoke(main, [*asked, "--format", "arrow", "--out", str(out), sql])
    assert result.exit_code == 0, result.output
    found = (
        pa.ipc.open_file(out).read_all() if out.read_bytes()[:6] == b"ARROW1" else pa.ipc.open_stream(out).read_all()
    )
    assert found.to_pylist() == run_statement(services, ASKER, Statement(sql)).table().to_pylist()
