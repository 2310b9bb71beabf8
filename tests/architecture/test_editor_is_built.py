"""What a browser is given as the editor of SQL is what its sources make, and runs under a strict policy."""

import hashlib
import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES, BUILT = ROOT / "editor", ROOT / "portal/web/editor"
EDITOR = (BUILT / "editor.js").read_text(encoding="utf-8")


def test_the_editor_is_built_from_the_sources_that_lie_here() -> None:
    digest = hashlib.sha256()
    for path in sorted(path for path in SOURCES.iterdir() if path.suffix in {".js", ".mjs", ".json"}):
        digest.update(f"{path.name}\n".encode() + path.read_bytes())
    assert f"Sources: sha256:{digest.hexdigest()}." in EDITOR.split("\n")[0], "run: make editor"


def test_the_editor_runs_under_a_policy_without_eval_and_calls_nobody() -> None:
    assert not re.search(r"\beval\(|new Function\b|\bimport\(|\bfetch\(|XMLHttpRequest|WebSocket|importScripts", EDITOR)
    assert set(re.findall(r"https?://[^\"'`\s)]+", EDITOR)) == {"http://www.w3.org/2000/svg"}


def test_each_package_of_the_editor_is_pinned_and_its_licence_goes_with_it() -> None:
    package = json.loads((SOURCES / "package.json").read_text())
    locked = json.loads((SOURCES / "package-lock.json").read_text())["packages"]
    notices = (BUILT / "LICENSES.txt").read_text(encoding="utf-8")
    for name, version in package["dependencies"].items():
        assert locked[f"node_modules/{name}"]["version"] == version
        assert f"{name} {version} (MIT)" in notices
    assert all("integrity" in each for path, each in locked.items() if path)
