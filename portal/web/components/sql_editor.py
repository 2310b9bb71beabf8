"""Where SQL is written: an editor, or a plain text area for whoever prefers one.

The editor is CodeMirror 6; its sources are in `editor/`, and `make editor` builds them into `portal/web/editor`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest
from streamlit.components.v2.types import ComponentRenderer

from portal.web.components.sql_tabs import AREA, EDITOR, remember
from portal.web.session import PLAIN_SQL
from portal.web.view_models.sql_tabs import Tabs

LABEL = "Statement"
HINT = "Ctrl+Enter runs the selection or the whole. Ctrl+Space proposes words. Escape, then Tab, leaves the editor."
FIXED_WIDTH = "<style>.st-key-sql-text textarea { font-family: ui-monospace, Menlo, Consolas, monospace; }</style>"
_WEB = Path(__file__).parents[1]
_PACKAGE, _COMPONENT = "portal", "sql_editor"


def choose_how_to_write() -> None:
    """Offer the plain text area; the choice holds for the session, on every page."""
    st.toggle(
        "Plain text area",
        key=PLAIN_SQL,
        persist_state="session",
        help="Without colours, proposals and marks.",
        wrap=False,
    )


def write_statement(
    tabs: Tabs, words: Mapping[str, Any], faults: Mapping[str, Any], on_run: Callable[[], None]
) -> None:
    """Show the statement in hand. What is typed is in `held()`; Ctrl+Enter in the editor calls `on_run`."""
    if st.session_state.get(PLAIN_SQL):
        _show_area(tabs.current.text)
        return
    _editor()(
        key=EDITOR,
        data={
            "label": LABEL,
            "tab": tabs.in_hand,
            "revision": tabs.revision,
            "text": tabs.current.text,
            "faults": faults,
            **words,
        },
        on_typed_change=remember,
        on_run_change=on_run,
    )
    st.caption(HINT)


def selection() -> object:
    """Return what the editor says is selected, in the callback of its Ctrl+Enter; else None."""
    run = (st.session_state.get(EDITOR) or {}).get("run")
    return run.get("selection") if isinstance(run, dict) else None


def _show_area(text: str) -> None:
    st.html(FIXED_WIDTH)
    if st.session_state.get(AREA) != text:
        st.session_state[AREA] = text
    st.text_area(
        LABEL,
        key=AREA,
        height=220,
        on_change="ignore",
        help="One SELECT. Datasets are tables; values may be given as $parameters.",
    )


def _editor() -> ComponentRenderer:
    """Return the component. Its file is served by address, since the page's policy admits no script in a text.

    Streamlit looks for such files in the metadata of installed packages only, which an editable installation lacks.
    """
    manager = get_bidi_component_manager()
    name = f"{_PACKAGE}.{_COMPONENT}"
    if manager.get_component_asset_root(name) is None:
        manifest = ComponentManifest(_PACKAGE, "1", [ComponentConfig(_COMPONENT, "editor")])
        manager.register_from_manifest(manifest, _WEB)
    return st.components.v2.component(name, js="editor.js")
