import json
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.cli import AS_VERA, Command
from support.portal import SALES

TODAY = datetime.now(UTC).date()
DAYS = ("--from", str(TODAY), "--until", str(TODAY + timedelta(days=9)))


@pytest.fixture(name="portal")
def portal_fixture(tmp_path: Path) -> Command:
    return Command(tmp_path)


def test_check_names_file_and_line_of_every_fault_at_once(portal: Command) -> None:
    assert portal("check").exit_code == 0
    policy = portal.folder / "site" / "access_policies" / "sales.yaml"
    policy.write_text(policy.read_text().replace("{id: hide", "{nothing: hide"))
    dataset = portal.folder / "site" / "datasets" / "holidays" / "dataset.yaml"
    dataset.write_text(dataset.read_text() + "  moon: {type: VARCHAR, meaning: New column.}\n")
    checked = portal("check")
    assert checked.exit_code == 1
    lines = checked.stdout.splitlines()
    assert any(line.startswith("access_policies/sales.yaml:7: ") and "nothing" in line for line in lines)
    assert any(
        line.startswith("datasets/holidays/dataset.yaml:12: ") and "release 1 does not have it" in line
        for line in lines
    )
    assert {fault["file"] for fault in json.loads(portal("check", "--json").stdout)} == {
        "access_policies/sales.yaml",
        "datasets/holidays/dataset.yaml",
    }


@pytest.mark.parametrize("kind", ["dataset", "policy", "query"])
def test_schema_is_json_schema(portal: Command, kind: str) -> None:
    assert json.loads(portal("schema", kind).stdout)["additionalProperties"] is False


def test_publish_makes_the_next_release_and_a_bad_source_leaves_the_last(portal: Command) -> None:
    source, broken = portal.folder / "sources" / "holidays.csv", portal.folder / "broken.csv"
    broken.write_text("day\n2026-01-01\n")
    published = json.loads(portal("publish", "holidays", "--source", str(source), "--json").stdout)
    assert [(each["release"], each["rows"], each["synthetic"]) for each in published] == [(2, 2, False)]
    failed = portal("publish", "holidays", "--source", str(broken))
    assert failed.exit_code == 1
    assert "name" in failed.stderr
    assert json.loads(portal("publish", "holidays", "--source", str(source), "--json").stdout)[0]["release"] == 3
    assert portal("publish", "nothing", "--source", str(source)).exit_code == 2
    assert portal("publish", "holidays").exit_code == 2
    assert "release-published" in portal("ledger", "tail").stdout


def test_people_projects_grants_and_tokens_open_and_close_the_way(portal: Command) -> None:
    def holds(person: str) -> int:
        return portal("query", "--as", person, "--project", "wages", "FROM salaries").exit_code

    assert portal("people", "add", "nora", "--name", "Nora", "--tier", "vetted").exit_code == 0
    assert portal("people", "add", "nora", "--name", "Nora", "--tier", "vetted").exit_code == 2
    opened = portal("projects", "open", "wages", "--title", "W", "--purpose", "P", *DAYS, "--member", "nora")
    assert opened.exit_code == 0
    assert holds("nora") == 3
    assert portal("grants", "give", "salaries", "wages", *DAYS, "--hide", "person").exit_code == 0
    assert portal("grants", "give", "salaries", "wages", *DAYS, "--hide", "salary").exit_code == 2
    assert portal("grants", "give", "salaries", "wages", *DAYS, "--rows", "pay > (SELECT 1)").exit_code == 2
    assert holds("nora") == 0
    asker = ("--as", "nora", "--project", "wages")
    token = json.loads(portal("tokens", "issue", *asker, "--name", "t", "--json").stdout)
    listed = portal("tokens", "list", "--as", "nora", "--json").stdout
    assert token["id"] in listed
    assert token["secret"] not in listed
    assert portal("tokens", "revoke", token["id"]).exit_code == 0
    assert listed_copies(portal) == {("goods", "sales"): "waiting", ("wages", "salaries"): "ready"}
    assert portal("grants", "revoke", "salaries", "wages").exit_code == 0
    assert holds("nora") == 3
    assert portal("workspaces", "prune").stdout == "Nothing.\n"
    assert listed_copies(portal) == {("goods", "sales"): "waiting"}
    assert portal("people", "deactivate", "nora").exit_code == 0
    assert holds("nora") == 3
    assert "nora" in portal("projects", "show", "wages").stdout
    assert portal("ledger", "verify").exit_code == 0


def listed_copies(portal: Command) -> dict[tuple[str, str], str]:
    listed = json.loads(portal("workspaces", "list", "--json").stdout)
    return {(copy["project"], copy["dataset"]): copy["state"] for copy in listed}


def test_workspaces_are_built_ahead(portal: Command) -> None:
    built = json.loads(portal("workspaces", "build", *AS_VERA, "--json").stdout)
    assert {copy["dataset"]: copy["rows"] for copy in built} == {"holidays": 2, "sales": 3}
    assert set(listed_copies(portal).values()) == {"ready"}
    assert "1 of 1" in portal("workspaces", "list").stdout


def test_a_damaged_copy_is_found_by_doctor_and_by_the_statement_that_reads_it(portal: Command) -> None:
    def copy_of_sales() -> dict[str, str]:
        findings = json.loads(portal("doctor", "--json").stdout)
        return next(finding for finding in findings if finding["what"] == "copy goods sales")

    portal("workspaces", "build", *AS_VERA)
    assert copy_of_sales()["ok"] == "ok"
    file = next((portal.folder / "home" / "workspaces" / "goods" / "sales").glob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-1])
    assert copy_of_sales()["ok"] == "FAULT"
    ran = portal("query", *AS_VERA, SALES)
    assert ran.exit_code == 5
    assert "set aside" in ran.stderr
    assert portal("query", *AS_VERA, SALES).exit_code == 0
    assert "damaged" in copy_of_sales()["detail"]


def test_the_ledger_is_verified_exported_and_its_tampering_found(portal: Command) -> None:
    portal("query", *AS_VERA, SALES)
    out, kept = portal.folder / "ledger.jsonl", portal.folder / "checkpoint.json"
    assert portal("ledger", "export", "--out", str(out)).exit_code == 0
    entries = [json.loads(line) for line in out.read_text().splitlines()]
    assert entries[-2]["action"] == "statement-ran"
    assert portal("ledger", "export").stdout.splitlines()[:-1] == out.read_text().splitlines()[:-1]
    assert portal("ledger", "verify", "--export", str(out)).exit_code == 0
    assert portal("ledger", "verify", "--export", str(out), "--key", "00" * 32).exit_code == 1
    out.write_text("\n".join(out.read_text().splitlines()[:-2]))
    assert portal("ledger", "verify", "--export", str(out)).exit_code == 1
    kept.write_text(portal("ledger", "checkpoint").stdout)
    assert portal("ledger", "verify", "--checkpoint", str(kept)).exit_code == 0
    with sqlite3.connect(portal.folder / "home" / "portal.sqlite") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        table = connection.execute("SELECT name FROM sqlite_master WHERE name LIKE '%entries%' AND type = 'table'")
        connection.execute(f"UPDATE {table.fetchone()[0]} SET actor = 'somebody' WHERE sequence = 1")
    connection.close()
    found = portal("ledger", "verify")
    assert found.exit_code == 1
    assert "entry 1" in found.stdout
    assert portal("doctor").exit_code == 1


def test_an_auditor_searches_all_of_the_ledger_and_others_their_own_entries(portal: Command) -> None:
    def actions(reader: str, *options: str) -> list[str]:
        found = portal("ledger", "search", "--as", reader, *options, "--json")
        assert found.exit_code == 0, found.stderr
        return [entry["action"] for entry in json.loads(found.stdout)]

    portal("people", "add", "aud", "--name", "Aud", "--tier", "auditor")
    portal("query", *AS_VERA, SALES)
    portal("query", *AS_VERA, "FROM holidays")
    assert actions("aud", "--person", "vera", "--dataset", "sales") == ["statement-ran"]
    assert actions("aud", "--project", "goods", "--dataset", "traders") == ["grant-given"]
    assert actions("aud", "--action", "ledger-read") == ["ledger-read"] * 3
    assert actions("aud", "--until", str(TODAY - timedelta(days=1))) == []
    assert actions("vera", "--from", str(TODAY)) == ["statement-ran"] * 2
    assert actions("oscar") == []
    assert portal("ledger", "search", "--as", "oscar", "--person", "vera").exit_code == 3


def test_doctor_finds_a_changed_release(portal: Command) -> None:
    def release_of_sales() -> dict[str, str]:
        findings = json.loads(portal("doctor", "--json").stdout)
        return next(finding for finding in findings if finding["what"] == "release sales 1")

    assert release_of_sales()["ok"] == "ok"
    file = next((portal.folder / "home" / "releases" / "sales").rglob("*.parquet"))
    file.chmod(0o644)
    file.write_bytes(file.read_bytes() + b"x")
    assert release_of_sales()["ok"] == "FAULT"


def test_a_site_with_faults_stops_every_statement_and_says_where(portal: Command) -> None:
    (portal.folder / "site" / "access_policies" / "sales.yaml").write_text("dataset: sales\n")
    ran = portal("query", *AS_VERA, SALES)
    assert ran.exit_code == 1
    assert "access_policies/sales.yaml:1: " in ran.stderr


def test_a_setting_that_does_not_fit_is_named(portal: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_PORT", "0")
    ran = portal("check")
    assert ran.exit_code == 2
    assert "setting port" in ran.stderr


def test_a_production_portal_serves_no_demo(portal: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_PRODUCTION", "true")
    assert portal("demo").exit_code == 2


def test_the_command_itself_ends_with_the_exit_codes(portal: Command) -> None:
    def exit_code(*arguments: str) -> int:
        program = [sys.executable, "-c", "from portal.cli.main import main; main()"]
        return subprocess.run([*program, *portal.options, *arguments], capture_output=True, check=False).returncode

    assert exit_code("check") == 0
    assert exit_code("no-such-command") == 2
    assert exit_code("query", *AS_VERA, "SELECT * FROM salaries") == 3


def test_risk_tells_of_the_latest_release_or_of_the_one_that_is_named(portal: Command) -> None:
    page = portal.folder / "risk.html"
    shown = portal("risk", "sales", "--html", str(page))
    assert shown.exit_code == 0
    assert shown.stdout.startswith("Release 1 of sales.\nThe codebook names no column")
    assert "Risk report: Sales" in page.read_text()
    source = portal.folder / "sources" / "sales.csv"
    assert portal("publish", "sales", "--source", str(source)).exit_code == 0
    assert json.loads(portal("risk", "sales", "--json").stdout)["release"] == 2
    assert json.loads(portal("risk", "sales", "1", "--json").stdout)["release"] == 1
    for missing in (("risk", "sales", "3"), ("risk", "nothing")):
        assert portal(*missing).exit_code == 2
    (portal.folder / "home" / "releases" / "sales" / "000001" / "risk.json").unlink()
    assert "published without a risk report" in portal("risk", "sales", "1").stderr
