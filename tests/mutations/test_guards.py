"""The table of guards in docs/security-properties.md is about the code as it stands."""

import re
from pathlib import Path

import pytest
from mutations.guards import GUARDS, Guard

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security-properties.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_of_the_table_stands_in_the_code_word_for_word(guard: Guard) -> None:
    assert guard.is_in(ROOT), f"{guard.file} does not hold, once: {guard.code}"
    assert guard.without != guard.code


def test_every_guard_has_its_row_with_a_test_that_there_is() -> None:
    rows = re.findall(r"^\| ([^|]+) \| `([^`]+)` \| `([^`:]+)::([^`\[]+)", PAGE, flags=re.MULTILINE)
    assert [(name, f"portal/{file}") for name, file, *_ in rows] == [(guard.name, guard.file) for guard in GUARDS]
    for *_, file, test in rows:
        assert f"def {test}(" in (ROOT / "tests" / file).read_text(encoding="utf-8")
