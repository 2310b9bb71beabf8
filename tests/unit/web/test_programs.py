import ast
import json
import shlex
import shutil
import subprocess
from datetime import date
from typing import Any

import pytest

from portal.sql.plan import Statement
from portal.web.view_models.programs import PROGRAMS, TOKEN, as_curl, as_python, as_r

ADDRESS = "https://portal.example.org"
STATEMENTS = (
    Statement("SELECT 1"),
    Statement("SELECT *\nFROM sales\nWHERE country = $c", {"c": "DE", "day": date(2026, 1, 2), "n": 1.5, "b": True}),
    Statement('SELECT "a\\b", \'it\'\'s\', """\nFROM x', {"from": None, "c": "'; rm -rf / $(id) `id` \\ \" \n"}),
    Statement('SELECT "ends"\nAS "quoted"', {"word": '"""'}),
    Statement("SELECT '\u2028 \U0001f600 \x07'\n", {}),
)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_python_asks_exactly_the_statement(statement: Statement) -> None:
    called: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    tree = ast.parse(as_python(statement, ADDRESS))
    call = next(
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "portal.query"
    )
    recorder = compile(ast.Expression(call), "copied", "eval")

    class Recorder:
        def query(self, *arguments: Any, **named: Any) -> None:
            called.append((arguments, named))

    eval(recorder, {"portal": Recorder()})
    plain = {
        name: value.isoformat() if isinstance(value, date) else value for name, value in statement.parameters.items()
    }
    assert called == [((statement.text,), plain)]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_curl_sends_exactly_the_statement(statement: Statement) -> None:
    words = shlex.split(as_curl(statement, ADDRESS).replace("\\\n", ""))
    body = json.loads(words[words.index("--data") + 1])
    assert body["sql"] == statement.text
    assert body["parameters"].keys() == statement.parameters.keys()
    assert words[-1] == f"{ADDRESS}/api/v1/query"


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_shell_runs_nothing_of_the_statement(statement: Statement) -> None:
    shell = shutil.which("sh") or "sh"
    echoing = as_curl(statement, ADDRESS).replace("curl ", "printf '%s\\0' ", 1)
    said = subprocess.run([shell, "-c", echoing], capture_output=True, text=True, check=True, env={TOKEN: "t"})
    words = said.stdout.split("\0")
    assert json.loads(words[words.index("--data") + 1])["sql"] == statement.text


@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_text_ends_early_in_r(statement: Statement) -> None:
    program = as_r(statement, ADDRESS)
    quoted = json.JSONDecoder().raw_decode(program.split("sql = ", 1)[1])[0]
    assert quoted == statement.text


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_program_holds_a_token(name: str) -> None:
    program = PROGRAMS[name][1](STATEMENTS[0], ADDRESS)
    assert TOKEN in program
    assert "portal_" not in program.replace("dsa_portal", "")
