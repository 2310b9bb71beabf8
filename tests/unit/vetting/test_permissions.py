import re
from itertools import product
from pathlib import Path, PurePosixPath

import pytest

from portal.cli.applications import Narrowings
from portal.site.yaml_files import read_model
from portal.vetting.application import Draft, ReasonedRequest, State, Way
from portal.vetting.permissions import permissions_page
from portal.vetting.table import TABLE, Act, Role

DOCS = Path(__file__).parents[3] / "docs"
PAGE, GUIDE = DOCS / "permissions.md", DOCS / "applications.md"


def test_the_page_says_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == permissions_page(), "write it anew: portal applications table"


@pytest.mark.parametrize("way", Way)
def test_no_two_rows_answer_the_same_question(way: Way) -> None:
    asked = [(row.state, row.role, row.act) for row in TABLE if row.way in (None, way)]
    assert len(asked) == len(set(asked))


def test_every_role_but_the_coordinators_and_every_act_stands_in_the_table() -> None:
    assert {row.role for row in TABLE} == set(Role) - {Role.COORDINATOR}
    assert {row.act for row in TABLE} == set(Act)


def test_who_decides_is_never_who_asks() -> None:
    deciding = {Act.APPROVE, Act.REFUSE, Act.FIND, Act.ASK}
    assert {row.role for row in TABLE if row.act in deciding} == {Role.REVIEWER}
    assert not [row for row, way in product(TABLE, Way) if row.state is State.DRAFT and row.role is not Role.APPLICANT]


def test_the_worked_examples_of_the_guide_are_valid() -> None:
    request, conditions, narrowing = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    kept = [line for line in request.splitlines() if not line.startswith(("id:", "received:", "modalities:"))]
    draft = "\n".join([*kept, conditions])
    for text, model in ((request, ReasonedRequest), (draft, Draft), (narrowing, Narrowings)):
        _, _, faults = read_model(text, PurePosixPath("example.yaml"), model)
        assert faults == ()
