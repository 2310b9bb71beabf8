"""From a file to an open project and its end, from the command line."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.cli import Command
from support.portal import SALES

from portal.vetting.undertakings import UNDERTAKINGS

TODAY = datetime.now(UTC).date()
REQUEST = f"""\
id: DSC-2026-17
received: {TODAY}
title: Unsafe toys
summary: How long unsafe toys stay on sale.
datasets: [sales]
starts: {TODAY}
ends: {TODAY + timedelta(days=30)}
members: [vera]
member_states: [DE, NO]
modalities: [secure processing environment]
"""


@pytest.fixture(name="portal")
def portal_fixture(tmp_path: Path) -> Command:
    portal = Command(tmp_path)
    for person, tier in (("stella", "steward"), ("rob", "reviewer"), ("ruth", "reviewer")):
        portal("people", "add", person, "--name", person.title(), "--tier", tier)
    return portal


def write(portal: Command, text: str, name: str = "request.yaml") -> str:
    path = portal.folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_request_is_imported_decided_opened_narrowed_and_revoked(portal: Command) -> None:
    def do(person: str, *arguments: str) -> int:
        return portal("applications", *arguments, "--as", person).exit_code

    found = portal("applications", "import", write(portal, REQUEST), "--as", "stella", "--json")
    application = json.loads(found.stdout)["id"]
    as_json = json.dumps({"datasets": {"sales": {"hidden": ["price"]}}})
    narrow = write(portal, as_json, "narrow.json")
    assert do("stella", "import", write(portal, REQUEST)) == 2
    assert do("oscar", "show", application) == 2
    assert do("vera", "step", "approve", application, "--because", "Mine.") == 3
    assert do("rob", "step", "approve", application) == 2
    assert do("rob", "step", "approve", application, "--because", "Complete.", "--seen", "1") == 0
    assert do("ruth", "step", "ask", application, "--because", "Why?", "--seen", "1") == 3
    assert do("stella", "activate", "toys", application, "--narrow", narrow) == 2
    for undertaking in UNDERTAKINGS:
        assert do("vera", "undertake", undertaking.key, application) == 0
    assert do("stella", "activate", "toys", application, "--narrow", narrow) == 0
    asked = portal("query", "--as", "vera", "--project", "toys", "--format", "csv", SALES)
    assert asked.exit_code == 0, asked.stderr
    assert "10.5" not in asked.stdout
    assert portal("grants", "give", "traders", "toys", "--from", str(TODAY), "--until", str(TODAY)).exit_code == 2
    assert do("stella", "step", "revoke", application, "--because", "They passed data on.") == 0
    assert portal("query", "--as", "vera", "--project", "toys", SALES).exit_code == 3
    notices = json.loads(portal("applications", "notices", "--as", "stella", "--json").stdout)
    assert [notice["event"] for notice in notices] == ["access-given", "access-ended"]
    assert do("stella", "sent", "1") == 0
    told = json.loads(portal("applications", "timeline", application, "--as", "vera", "--json").stdout)
    assert [step["what"] for step in told][:2] == ["receive", "approve"]
    assert told[-2]["words"] == ""
    assert "DSC-2026-17" in portal("applications", "show", application, "--as", "vera").stdout
    assert portal("ledger", "verify").exit_code == 0


def test_a_draft_is_begun_edited_and_submitted_and_its_listing_says_whose_turn_it_is(portal: Command) -> None:
    public = REQUEST.replace("id: DSC-2026-17\n", "").replace(f"received: {TODAY}\n", "").replace("[vera]", "[rita]")
    public = public.replace("modalities: [secure processing environment]\n", "")
    begun = portal("applications", "draft", write(portal, public), "--as", "rita", "--json")
    application = json.loads(begun.stdout)["id"]
    submit = ("applications", "step", "submit", application, "--as", "rita")
    refused = portal(*submit)
    assert refused.exit_code == 2
    assert [f"({letter})" in refused.stderr for letter in "abcde"] == [False, True, True, True, True]
    whole = public + "conditions: {b: We sell nothing., c: The university pays., d: See the plan., e: A year.}\n"
    edited = portal("applications", "edit", write(portal, whole), application, "--as", "rita")
    assert edited.exit_code == 0, edited.stderr
    assert portal(*submit).exit_code == 0
    (listed,) = json.loads(portal("applications", "list", "--as", "rob", "--json").stdout)
    assert (listed["state"], listed["turn of"]) == ("submitted", "reviewer")
    assert json.loads(portal("applications", "list", "--as", "vera", "--json").stdout) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a mapping of keys"),
        ("[]", ""),
        ("title: [", "line 1"),
        (REQUEST.replace("received", "received_on"), "line 2"),
        (REQUEST.replace(f"starts: {TODAY}", "starts: 2099-01-01"), "ends before it starts"),
        (REQUEST.replace("[sales]", '["x\'; DROP TABLE people"]'), "line 5"),
        (REQUEST.replace("Unsafe toys", "x" * 201), "line 3"),
    ],
    ids=range(7),
)
def test_a_file_that_is_no_request_is_refused_at_its_line(portal: Command, text: str, said: str) -> None:
    refused = portal("applications", "import", write(portal, text), "--as", "stella")
    assert refused.exit_code == 1
    assert said in refused.stderr
    assert "INTERNAL" not in refused.stderr


def test_a_file_that_is_no_text_is_refused(portal: Command) -> None:
    path = portal.folder / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    assert portal("applications", "import", str(path), "--as", "stella").exit_code == 1
