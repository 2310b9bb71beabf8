"""How Python values stand in the registry's columns, the same in every database."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Dialect, String, Text
from sqlalchemy.types import TypeDecorator

from portal.fingerprints import canonical_json
from portal.storage import at_text, read_at, storable


class StoredText(TypeDecorator[str]):
    """Any text; what no database can hold of it becomes U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the hook's form
        """Make the text storable."""
        return None if value is None else storable(value)


class Utc(TypeDecorator[datetime]):
    """An aware time, as text of one width in UTC: the order of text is the order in time."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the hook's form
        """Write the time in UTC."""
        return None if value is None else at_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the hook's form
        """Read the time as aware."""
        return None if value is None else read_at(value)


class JsonText(TypeDecorator[Any]):
    """A JSON value as canonical text; a tuple comes back as a list."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:  # noqa: ANN401, ARG002 - any JSON; the hook's form
        """Write canonical JSON."""
        return storable(canonical_json(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002 - any JSON; the hook's form
        """Read the JSON value."""
        return None if value is None else json.loads(value)
