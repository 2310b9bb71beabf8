"""The `$parameters` of a statement, and values for them as a person types them."""

import re
from datetime import date, datetime

from portal.sql.plan import ParameterValue

_SKIPPED = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*(?s:.*?)\*/"
_NAMED = re.compile(rf"{_SKIPPED}|\$([A-Za-z_][A-Za-z0-9_]*)\b(?!\$)")


def names_in(text: str) -> tuple[str, ...]:
    """Return the parameters that stand in a text, in order; a help to fill them in, the SQL rules have the say."""
    found = (match.group(1) for match in _NAMED.finditer(text))
    return tuple(dict.fromkeys(name for name in found if name))


def read_value(typed: str) -> ParameterValue:
    """Read a value as it looks: a number, a day, true, false or null; else text. Quotes make text of anything."""
    text = typed.strip()
    words: dict[str, ParameterValue] = {"null": None, "true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1]
    for reader in (int, float, date.fromisoformat):
        try:
            return reader(text)
        except ValueError:
            continue
    return text


def write_value(value: ParameterValue) -> str:
    """Write a value so that `read_value` reads it back."""
    match value:
        case None | bool():
            return str(value).lower().replace("none", "null")
        case str():
            return value if read_value(value) == value else f"'{value}'"
        case datetime():
            return f"'{value.isoformat()}'"
        case _:
            return str(value)
