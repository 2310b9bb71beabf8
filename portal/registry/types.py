"""How Python values stand in the registry's columns, the same in every database."""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Dialect, String, Text
from sqlalchemy.types import TypeDecorator

from portal.errors import Fault, PortalError
from portal.fingerprints import canonical_json
from portal.registry.records import JobState
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


class StateText(TypeDecorator[JobState]):
    """The state of a job."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> JobState | None:  # noqa: ARG002 - the hook's form
        """Read the state."""
        return None if value is None else JobState(value)


_VALUES: Mapping[str, Callable[[str], date]] = MappingProxyType(
    {"datetime": datetime.fromisoformat, "date": date.fromisoformat}
)
"""What a statement's parameter may be that JSON does not know, and how it is read."""


class ParametersText(TypeDecorator[Mapping[str, Any]]):
    """A statement's parameters by name: each value comes back as what it was, a date as a date."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, Any] | None, dialect: Dialect) -> str:  # noqa: ARG002 - the hook's form
        """Write each value with the name of its type."""
        return storable(canonical_json({name: [type(each).__name__, each] for name, each in (value or {}).items()}))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Mapping[str, Any]:  # noqa: ARG002 - the hook's form
        """Read the values."""
        written = json.loads(value or "{}")
        return {name: _VALUES[kind](each) if kind in _VALUES else each for name, (kind, each) in written.items()}


_ERRORS: Mapping[str, type[PortalError]] = MappingProxyType(
    {each.__name__: each for each in PortalError.__subclasses__()}
)


class ErrorText(TypeDecorator[PortalError]):
    """An error of the closed family, as JSON with its name."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: PortalError | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the hook's form
        """Write the error."""
        if value is None:
            return None
        return storable(canonical_json([type(value).__name__, [fault.as_dict() for fault in value.faults]]))

    def process_result_value(self, value: str | None, dialect: Dialect) -> PortalError | None:  # noqa: ARG002 - the hook's form
        """Read the error."""
        if value is None:
            return None
        kind, faults = json.loads(value)
        return _ERRORS[kind](*(Fault(**fault) for fault in faults))
