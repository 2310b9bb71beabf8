"""Take each guard away, one at a time, in a copy of the tree, and see which test notices.

    python tests/mutations/run.py [--workers N] [--write] [words of a guard's name ...]

With `--write` the table in docs/security-properties.md is written anew; a guard that no test misses is a failure.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from mutations.guards import GUARDS, Guard

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security-properties.md"
BEGIN, END = "<!-- guards: written by tests/mutations/run.py -->", "<!-- end of guards -->"
ORACLE = "properties/test_oracle_from_sql.py"
NEAREST: Mapping[str, Sequence[str]] = {
    "portal/sql/labels": ("security/test_guards_on_the_road.py",),
    "portal/sql/": ("security/test_aggregate_grammar.py",),
    "portal/disclosure/subject": ("security/test_two_datasets_joined.py",),
    "portal/disclosure/crossing": ("security/test_two_datasets_joined.py",),
    "portal/disclosure/remainder": ("security/test_remainder.py",),
    "portal/disclosure/base": ("unit/disclosure/test_base.py",),
    "portal/desk/bases": ("integration/test_base_cells.py",),
    "portal/desk/release": (
        "security/test_low_effect_of_a_join.py",
        "security/test_remainder.py",
        "security/test_two_datasets_joined.py",
    ),
    "portal/desk/": (
        "security/test_guards_on_the_road.py",
        "security/test_cells_on_the_road.py",
        "security/test_asking_again.py",
    ),
    "portal/workspaces/": ("unit/workspaces/test_history_store.py",),
    "portal/disclosure/keeping": ("unit/workspaces/test_history_store.py",),
    "portal/disclosure/declared": ("security/test_declared.py",),
    "portal/disclosure/watch": ("unit/disclosure/test_history.py", "security/test_trackers.py"),
    "portal/disclosure/history": (
        "unit/disclosure/test_history.py",
        "security/test_trackers.py",
        "security/test_two_datasets_joined.py",
    ),
}
"""The tests of a guard's own module, which are asked first."""
SUITES: Sequence[Sequence[str]] = (
    ("unit/disclosure/test_cells.py", "unit/disclosure/test_complementary_and_rounding.py",
     "security/test_low_effect_of_a_join.py", "unit/disclosure/test_history.py"),
    (ORACLE,),
    ("unit/disclosure", "security/test_trackers.py", "security/test_guards_on_the_road.py"),
    ("security/test_cells_on_the_road.py", "security/test_asking_again.py", "security/test_own_attacks.py",
     "security/test_attack_samples.py", "integration/test_base_cells.py", "integration/test_api_errors.py"),
    ("security/test_combinations.py", "security/test_history_crashes.py", "security/test_declared.py",
     "security/test_aggregate_grammar.py", "unit/desk", "unit/sql"),
)  # fmt: skip
"""All the tests that should notice; the first that fails is named."""
_FAILED = re.compile(r"^(?:FAILED|ERROR) tests/(\S+?::[^\s\[]+)", re.MULTILINE)


def main() -> int:
    """Run, print and return how many guards are missed by no test."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--oracle", action="store_true", help="let the oracle alone look for what is missing")
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    chosen = [guard for guard in GUARDS if not asked.names or any(name in guard.name for name in asked.names)]
    with ThreadPoolExecutor(asked.workers) as pool:
        tests = pool.map(
            lambda guard: first_failure(guard, ((ORACLE,),) if asked.oracle else suites_for(guard)), chosen
        )
        found = dict(zip(chosen, tests, strict=True))
    if asked.write:
        PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
    missed = [guard.name for guard, test in found.items() if test is None]
    print(f"{len(chosen)} guards; no test misses: {', '.join(missed) or 'none'}")  # noqa: T201 - a script
    return len(missed)


def suites_for(guard: Guard) -> Sequence[Sequence[str]]:
    """Return which tests to run, in which order."""
    return (*(tests for path, tests in NEAREST.items() if guard.file.startswith(path)), *SUITES)


def first_failure(guard: Guard, suites: Sequence[Sequence[str]]) -> str | None:
    """Return the first test that fails without the guard, None where none does."""
    started, test = time.monotonic(), None
    with tempfile.TemporaryDirectory(prefix="without-") as folder:
        copy = Path(folder, "tree")
        leave_out = shutil.ignore_patterns(".git", ".venv*", "home", "__pycache__", ".hypothesis", ".*_cache")
        shutil.copytree(ROOT, copy, ignore=leave_out, symlinks=True)
        if (beside := ROOT.parent / "shared").exists():
            Path(folder, "shared").symlink_to(beside)
        assert guard.is_in(copy), f"{guard.name} is not in the code as the table has it"
        guard.take_away(copy)
        for suite in suites:
            test = _failing(copy, [path for path in suite if (copy / "tests" / path).exists()])
            if test:
                break
    print(f"{time.monotonic() - started:5.0f} s  {guard.name}: {test}", flush=True)  # noqa: T201 - a script
    return test


def _failing(copy: Path, paths: Sequence[str]) -> str | None:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider"]
    environment = os.environ | {"PYTHONPATH": str(copy), "HYPOTHESIS_PROFILE": "mutations"}
    done = subprocess.run(
        [*command, *(f"tests/{path}" for path in paths)],
        cwd=copy, env=environment, capture_output=True, text=True, check=False, timeout=1_200,
    )  # fmt: skip
    if done.returncode == 0:
        return None
    found = _FAILED.search(done.stdout)
    assert found, done.stdout[-2_000:] + done.stderr[-2_000:]
    return found[1]


def with_table(page: str, found: Mapping[Guard, str | None]) -> str:
    """Return the page with the rows of these guards written anew."""
    before, rest = page.split(BEGIN)
    old, after = rest.split(END)
    rows = dict(re.findall(r"^\| ([^|]+) \| `[^`]+` \| (.+) \|$", old, flags=re.MULTILINE))
    rows |= {guard.name: f"`{test}`" if test else "none" for guard, test in found.items()}
    lines = ["| without this guard | in | this test fails |", "|---|---|---|"]
    lines += [
        f"| {each.name} | `{each.file.removeprefix('portal/')}` | {rows.get(each.name, 'not run')} |" for each in GUARDS
    ]
    return "\n".join([f"{before}{BEGIN}", *lines, f"{END}{after}"])


if __name__ == "__main__":
    sys.exit(main())
