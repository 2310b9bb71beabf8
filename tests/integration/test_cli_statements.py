import json
from pathlib import Path

import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from support.cli import AS_VERA, Command
from support.portal import SALES, hidden_in

from portal.workspaces.export import MANIFEST_KEY

CSV = "country,price,day\nDE,10.5,2026-01-01\nFR,20.0,2026-01-02\nDE,,2026-01-03\n"


@pytest.fixture(name="portal")
def portal_fixture(tmp_path: Path) -> Command:
    return Command(tmp_path)


def test_csv_is_the_rows_alone_and_all_else_goes_to_standard_error(portal: Command) -> None:
    ran = portal("query", *AS_VERA, "--format", "csv", SALES)
    assert (ran.exit_code, ran.stdout) == (0, CSV)
    assert "3 rows. Receipt " in ran.stderr
    assert "synthetic" in ran.stderr
    assert "Prices were rounded" in ran.stderr


def test_a_table_shows_nothing_that_a_terminal_would_obey(portal: Command) -> None:
    ran = portal("query", *AS_VERA, r"SELECT chr(27) || '[31m' AS x, 1 AS n")
    assert ran.exit_code == 0
    assert "\x1b" not in ran.stdout
    assert r"\x1b[31m" in ran.stdout


def test_files_hold_the_rows_and_the_manifest_and_take_their_name_at_the_end(portal: Command) -> None:
    for file_format, read in (
        ("parquet", pq.read_table),
        ("arrow", lambda path: pyarrow.ipc.open_file(path).read_all()),
    ):
        out = portal.folder / f"sales.{file_format}"
        ran = portal("query", *AS_VERA, "--format", file_format, "--out", str(out), SALES)
        assert (ran.exit_code, ran.stdout) == (0, "")
        table = read(out)
        assert table.column("price").to_pylist() == [10.5, 20.0, None]
        manifest = json.loads(table.schema.metadata[MANIFEST_KEY.encode()])
        assert manifest["receipt"]["id"] in ran.stderr
    assert sorted(path.name for path in portal.folder.iterdir() if path.is_file()) == ["sales.arrow", "sales.parquet"]


def test_parameters_saved_queries_and_standard_input(portal: Command) -> None:
    bound = "SELECT count(*) AS n FROM sales WHERE country = $c AND day < $d AND price > $p"
    parameters = ("--param", "c=DE", "--param", "d=2026-01-02", "--param", "p=1")
    assert portal("query", *AS_VERA, "--format", "csv", *parameters, bound).stdout == "n\n1\n"
    saved = portal("query", *AS_VERA, "--format", "csv", "--param", "least=15", "@traders/sales_by_country")
    assert saved.stdout == "country,sales\nFR,1\n"
    assert portal("query", *AS_VERA, "--format", "csv", "-", standard_input="SELECT 7 AS x").stdout == "x\n7\n"
    assert json.loads(portal("query", *AS_VERA, "--json", SALES).stdout)["rows"][0] == ["DE", 10.5, "2026-01-01"]


def test_explain_and_access_say_in_policy_terms_what_holds(portal: Command) -> None:
    explained = portal("explain", *AS_VERA, SALES)
    assert "Column id is hidden" in explained.stdout
    assert "Only rows where country IN project.member_states" in explained.stdout
    assert json.loads(portal("explain", *AS_VERA, "--json", SALES).stdout)["rows_left_this_week"] == 40
    decided = {each["dataset"]: each["access"] for each in json.loads(portal("access", *AS_VERA, "--json").stdout)}
    assert decided == {"holidays": "rows", "salaries": "none", "sales": "rows", "traders": "aggregates"}
    assert "no grant" in portal("access", *AS_VERA, "salaries").stdout


def test_a_download_comes_with_its_manifest_or_not_at_all(portal: Command) -> None:
    out = portal.folder / "sales.csv"
    refused = portal("download", *AS_VERA, "--format", "csv", "--out", str(out), SALES)
    assert refused.exit_code == 4
    assert not out.exists()
    made = portal("download", *AS_VERA, "--format", "csv", "--out", str(out), f"{SALES} LIMIT 2")
    assert made.exit_code == 0
    assert out.read_text() == "".join(CSV.splitlines(keepends=True)[:3])
    manifest = json.loads((portal.folder / "sales.csv.manifest.json").read_text())
    assert manifest["sha256"] in made.stdout


REFUSALS = (
    (AS_VERA, "SELECT * FROM salaries", 3, "SQL_UNKNOWN_TABLE"),
    (AS_VERA, "DROP TABLE sales", 3, "SQL_NOT_A_QUERY"),
    (AS_VERA, "SELECT trader FROM traders", 3, "P_ROWS"),
    (("--as", "nobody"), "SELECT 1", 3, "NOT_ADMITTED"),
    (("--as", "oscar", "--project", "goods"), SALES, 3, "NO_SUCH_PROJECT"),
    (AS_VERA, "SELECT * FROM sales WHERE price > $p", 2, "PARAMETER_MISSING"),
    (AS_VERA, "@traders/no_such", 2, "NO_SUCH_QUERY"),
)


def test_each_refusal_has_its_exit_code_and_is_one_object_for_a_program(portal: Command) -> None:
    for asker, sql, exit_code, code in REFUSALS:
        told = portal("query", *asker, sql)
        assert (told.exit_code, told.stdout) == (exit_code, ""), sql
        read = portal("query", *asker, "--json", sql)
        refusal = json.loads(read.stderr)
        assert (read.exit_code, refusal["exit_code"], refusal["faults"][0]["code"]) == (exit_code, exit_code, code)
        assert refusal["faults"][0]["message"] in told.stderr
        assert not hidden_in(told.output + read.output)


def test_the_weekly_budget_ends_with_the_exit_code_of_limits(portal: Command) -> None:
    codes = [portal("query", *AS_VERA, "SELECT 1 FROM sales, range(9)").exit_code for _ in range(5)]
    assert codes[0] == 0
    assert codes[-1] == 4


def test_nothing_hidden_is_printed_whatever_is_asked(portal: Command) -> None:
    for sql in ("FROM sales", "SELECT min(id), max(seller) FROM sales", "SELECT CAST(seller AS INTEGER) FROM sales"):
        for command in ("query", "explain"):
            assert not hidden_in(portal(command, *AS_VERA, sql).output)


def test_what_nobody_foresaw_shows_an_incident_and_no_traceback(
    portal: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("/secret/path")

    monkeypatch.setattr("portal.cli.context.build_services", broken)
    ran = portal("query", *AS_VERA, "SELECT 1")
    assert ran.exit_code == 5
    assert "incident" in ran.stderr
    assert "secret" not in ran.output
    assert "Traceback" not in ran.output
