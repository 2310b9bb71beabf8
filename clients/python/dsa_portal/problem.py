"""The one exception of this package: what the portal says is wrong, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class PortalProblem(Exception):
    """A problem as the portal told it (RFC 9457).

    `code` is stable and for programs; `rule` names the policy or SQL rule that spoke; `fix` is what to do next; `line`
    and `column` count from 1 in the SQL that was sent. `status` is that of HTTP, 0 where the portal was not reached.
    """

    status: int
    code: str
    title: str
    detail: str
    rule: str | None = None
    fix: str | None = None
    line: int | None = None
    column: int | None = None
    dataset: str | None = None
    request_id: str | None = None
    faults: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    @classmethod
    def from_json(cls, told: Mapping[str, Any], status: int) -> "PortalProblem":
        """Read a problem; what a proxy says without being asked becomes one too."""
        return cls(
            status=status,
            code=told.get("code", f"HTTP_{status}"),
            title=told.get("title", "The portal cannot be asked"),
            detail=told.get("detail") or told.get("message") or "The answer is not one of the portal's.",
            faults=tuple(told.get("faults", ())),
            **{name: told.get(name) for name in ("rule", "fix", "line", "column", "dataset", "request_id")},
        )

    def __str__(self) -> str:
        """Say it as a person reads it."""
        place = f" (line {self.line}, column {self.column})" if self.line else ""
        rule = f" [rule: {self.rule}]" if self.rule else ""
        fix = f"\nWhat to do: {self.fix}" if self.fix else ""
        return f"{self.code}{place}: {self.detail}{rule}{fix}"
