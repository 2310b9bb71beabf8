import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import portal.web

CONFIG = Path(portal.web.__file__).parent / ".streamlit" / "config.toml"
FLAT = {
    f"{section}.{name}": value
    for section, values in tomllib.loads(CONFIG.read_text(encoding="utf-8")).items()
    for name, value in values.items()
}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("browser.gatherUsageStats", False),
        ("client.disableDataExport", True),
        ("client.showErrorDetails", "none"),
        ("client.toolbarMode", "minimal"),
        ("logger.level", "warning"),
        ("runner.magicEnabled", False),
        ("server.enableAgentApi", False),
        ("server.enableStaticServing", False),
        ("server.enableXsrfProtection", True),
        ("server.fileWatcherType", "none"),
        ("server.headless", True),
        ("server.maxUploadSize", 1),
    ],
)
def test_what_safety_rests_on_is_set(option: str, value: object) -> None:
    assert FLAT[option] == value


def test_streamlit_knows_every_option_and_finds_the_file_from_any_folder(tmp_path: Path) -> None:
    program = (
        "import streamlit as st; from streamlit import config\n"
        "from portal.web.asgi import SCRIPT\n"
        "st.App(SCRIPT)\n"
        "options = config.get_config_options(force_reparse=True)\n"
        f"for name in {[name for name in FLAT if not name.startswith('theme')]!r}:\n"
        "    print(name, options[name].value)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert dict(line.split(" ", 1) for line in run.stdout.splitlines()) == {
        name: str(value) for name, value in FLAT.items() if not name.startswith("theme")
    }
    assert "not a valid config option" not in run.stderr


def test_fonts_and_colours_come_from_nowhere_else() -> None:
    assert "http" not in CONFIG.read_text(encoding="utf-8")
