"""The closed family of errors. Each fault says what was asked, which rule spoke and what to do next.

No message of this module ever carries a data value, a path, a setting or an engine's own words.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, in words for the person who can mend it.

    `code` is stable and machine-readable; `rule` names the policy or SQL rule that spoke; `fix` is the next step.
    `line` and `column` count from 1 in the text that was given.
    """

    code: str
    message: str
    rule: str = ""
    fix: str = ""
    dataset: str | None = None
    line: int | None = None
    column: int | None = None
    snippet: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields that are set, for JSON."""
        return {key: value for key, value in asdict(self).items() if value not in (None, "")}

    def __str__(self) -> str:
        column = f" column {self.column}" if self.column is not None else ""
        place = f"line {self.line}{column}: " if self.line is not None else ""
        rule = f" (rule: {self.rule})" if self.rule else ""
        fix = f" What to do: {self.fix}" if self.fix else ""
        return f"{place}{self.message}{rule}{fix}"


class PortalError(Exception):
    """Base of the family; carries one or more faults, an exit code and an HTTP status."""

    title: ClassVar[str] = "The request failed"
    exit_code: ClassVar[int] = 5
    http_status: ClassVar[int] = 500

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)
        self.faults: tuple[Fault, ...] = faults

    @classmethod
    def from_faults(cls, faults: Iterable[Fault]) -> "PortalError":
        """Build the error from any iterable of faults."""
        return cls(*faults)

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


class ContentError(PortalError):
    """A dataset, policy or query file, or a source of a release, is not as it must be."""

    title = "Content has faults"
    exit_code = 1


class UsageError(PortalError):
    """The request itself is malformed: a wrong option, a missing parameter."""

    title = "The request is not well formed"
    exit_code = 2
    http_status = 400


class NotFoundError(PortalError):
    """No such thing, or none that this person may know of; the two read the same."""

    title = "Not found"
    exit_code = 2
    http_status = 404


class SignInError(PortalError):
    """Who asks is not known, or no longer admitted."""

    title = "Sign-in needed"
    exit_code = 3
    http_status = 401


class PolicyRefusal(PortalError):
    """A policy, grant or right says no."""

    title = "Refused by policy"
    exit_code = 3
    http_status = 403


class StatementRefusal(PortalError):
    """The statement is outside the SQL rules."""

    title = "The statement is outside the SQL rules"
    exit_code = 3
    http_status = 422


class LimitReached(PortalError):
    """A limit of rows, time, memory or budget ended the work."""

    title = "A limit was reached"
    exit_code = 4
    http_status = 429


class EngineFailure(PortalError):
    """The engine ended without an answer; the incident is logged, its own words stay inside."""

    title = "The engine failed"
    exit_code = 5
    http_status = 500


class Cancelled(PortalError):
    """The person stopped the work."""

    title = "Cancelled"
    exit_code = 4
    http_status = 409
