"""Releases from the command line: published from a zip, listed, compared, withdrawn, and the rows they do not hold."""

import json
from pathlib import Path

import pytest
from support.archives import zipped
from support.cli import Command

SALES = "id,seller,country,price,day\n{rows}"
GOOD, BAD = "x-1,s-1,DE,{price},2026-01-01\n", "x-2,s-2,DE,anna@example.org,2026-01-02\n"


@pytest.fixture(name="portal")
def _portal(tmp_path: Path) -> Command:
    return Command(tmp_path)


def source(folder: Path, *rows: str) -> str:
    path = folder / "more.zip"
    path.write_bytes(zipped({"sales.csv": SALES.format(rows="".join(rows)).encode()}))
    return str(path)


def test_a_release_is_published_compared_and_withdrawn(portal: Command, tmp_path: Path) -> None:
    published = portal("publish", "sales", "--source", source(tmp_path, GOOD.format(price=9)), "--json")
    assert json.loads(published.stdout)[0]["release"] == 2
    different = json.loads(portal("diff", "sales", "1", "2", "--json").stdout)
    assert different["facts"]["rows"] == [4, 1]
    assert {column["column"] for column in different["columns"]} == {"id", "seller", "country", "price", "day"}
    assert "release 2" in portal("diff", "sales", "1", "2").stdout

    withdrawn = portal("withdraw", "sales", "2", "--because", "It was the wrong file.", "--json")
    assert json.loads(withdrawn.stdout)[0]["kind"] == "withdrawn"
    states = [release["state"] for release in json.loads(portal("releases", "sales", "--json").stdout)]
    assert states == ["latest", "withdrawn"]
    refused = portal("diff", "sales", "1", "2", "--json")
    assert refused.exit_code == 2
    assert json.loads(refused.stderr)["faults"][0]["code"] == "RELEASE_ENDED"
    assert portal("withdraw", "sales", "1", "--because", "no").exit_code == 2
    assert json.loads(portal("retire", "--json").stdout) == []


def test_rejected_rows_are_listed_without_their_values(portal: Command, tmp_path: Path) -> None:
    refused = portal("publish", "sales", "--source", source(tmp_path, GOOD.format(price=9), BAD))
    assert refused.exit_code == 1
    assert "an e-mail address in row 2 of 'more.zip/sales.csv'" in refused.stderr
    told = portal("rejected", "sales", "--json")
    [row] = json.loads(told.stdout)["rows"]
    assert (row["source"], row["row"], row["column"], row["kind"]) == (
        "more.zip/sales.csv", 2, "price", "an e-mail address",
    )  # fmt: skip
    assert "anna" not in refused.output + told.output + portal("rejected", "sales").output
    assert portal("rejected", "sales", "1").stdout.startswith("No row was rejected")
    assert portal("rejected", "holidays").exit_code == 1


def test_a_source_that_is_no_url_is_a_usage_error(portal: Command) -> None:
    assert portal("publish", "sales", "--source", "://").exit_code == 2


def test_the_key_is_rotated_and_the_datasets_to_publish_anew_are_named(portal: Command) -> None:
    rotated = json.loads(portal("keys", "rotate", "--json").stdout)
    assert rotated[0]["publish_anew"] == "holidays, salaries, sales, traders"
    versions = json.loads(portal("keys", "list", "--json").stdout)
    assert [(one["version"], one["in_force"]) for one in versions] == [(1, False), (2, True)]
    assert versions[0]["datasets"] == "holidays, salaries, sales, traders"
    assert "key-rotated" in portal("ledger", "tail").output
