"""Drives the pages as a person would, without a browser."""

import time
from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

import portal.web
from portal.ids import PersonId, ProjectId

SCRIPT = Path(portal.web.__file__).with_name("app.py")
SECONDS = 60.0
"""The first run imports plotly and Streamlit's elements on a machine that may be busy."""

Enter = Callable[..., AppTest]


def open_page(page: str, person: PersonId, project: ProjectId | None, **query: str | list[str]) -> AppTest:
    """Return the page as somebody who is signed in sees it, once the work on it is done."""
    return settled(enter_page(page, person, project, **query))


def enter_page(page: str, person: PersonId, project: ProjectId | None, **query: str | list[str]) -> AppTest:
    """Return the page as somebody who is signed in sees it at first."""
    app = AppTest.from_file(str(SCRIPT), default_timeout=SECONDS)
    app.session_state["person"], app.session_state["project"] = person, project
    app.session_state["sql.plain"] = True  # the text area: the editor needs a browser
    app.run()
    app.switch_page(f"app_pages/{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def settled(app: AppTest) -> AppTest:
    """Run the page again until the work that it watches is done."""
    deadline = time.monotonic() + SECONDS
    while any(button.label == "Cancel" for button in app.button):
        assert time.monotonic() < deadline, "the page's work does not end"
        time.sleep(0.2)
        app.run()
    return app


def press(app: AppTest, label: str) -> AppTest:
    """Press the button of that label and wait for what follows."""
    next(button for button in app.button if button.label == label).click()
    return settled(app.run())


def text_of(app: AppTest) -> str:
    """Return everything that the page sent to the browser."""
    return "\n".join(str(node.proto) for node in app._tree if hasattr(node, "proto"))
