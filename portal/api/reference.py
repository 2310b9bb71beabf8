"""The API's reference as one plain page: it needs no script and nothing from elsewhere, so the guard lets it be."""

from collections.abc import Mapping
from html import escape
from typing import Any

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}: API</title>
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
color-scheme: light dark }} code {{ font-size: 1.05em }} dt {{ margin-top: 1rem }}</style>
<h1>{title}: API</h1><p>{description}</p>
<p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI {openapi}).</p><dl>{entries}</dl></html>
"""


def reference(schema: Mapping[str, Any]) -> str:
    """Return an OpenAPI document as a page: each address, what it does and what it takes."""
    entries = "".join(
        f"<dt><code>{method.upper()} {escape(path)}</code></dt><dd>{escape(operation.get('description', ''))}</dd>"
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    )
    about = schema["info"]
    return _PAGE.format(
        title=escape(about["title"]),
        description=escape(about["description"]),
        openapi=escape(schema["openapi"]),
        entries=entries,
    )
