import json
from pathlib import Path

import pytest
from support.cli import AS_VERA, Command


@pytest.fixture(name="portal")
def portal_fixture(tmp_path: Path) -> Command:
    return Command(tmp_path)


def records(portal: Command, *arguments: str) -> list[dict[str, object]]:
    ran = portal("queries", *arguments, *AS_VERA, "--json")
    assert ran.exit_code == 0, ran.stderr
    found: list[dict[str, object]] = json.loads(ran.stdout)
    return found


def test_a_query_is_kept_run_revised_forked_and_put_away(portal: Command) -> None:
    sql = "SELECT country FROM sales WHERE price > $least ORDER BY ALL"
    [kept] = records(portal, "keep", sql, "--title", "Dearer", "--param", "least=15")
    name = str(kept["name"])
    for values, rows in (((), "FR\n"), (("--param", "least=5"), "DE\nFR\n")):
        assert portal("query", *AS_VERA, f"@{name}", "--format", "csv", *values).stdout == f"country\n{rows}"
    [second] = records(portal, "keep", "SELECT 1 AS n", "--title", "One", "--as-version-of", name)
    assert second["name"] == name.replace(".1", ".2")
    [fork] = records(portal, "fork", name)
    assert [entry["title"] for entry in records(portal, "list")] == ["Dearer", "One", "Sales by country"]
    assert [entry["origin"] for entry in records(portal, "show", str(fork["name"]))] == [name]
    records(portal, "show-to", name, "nobody")
    assert portal("query", *AS_VERA, f"@{name}").exit_code != 0
    assert "One" not in [entry["title"] for entry in records(portal, "list")]
