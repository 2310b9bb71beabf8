"""How many rows a project may still take: the sum of what it was handed out in the last seven days."""

from datetime import timedelta

from portal.desk.services import Services
from portal.errors import Fault, LimitReached
from portal.ids import ProjectId
from portal.policy.model import Limits

BUDGET_DAYS = 7


def rows_left(services: Services, workspace: ProjectId, limits: Limits) -> int:
    """Return what is left now; below nothing where a limit was lowered meanwhile."""
    since = services.clock() - timedelta(days=BUDGET_DAYS)
    return limits.rows_per_week - services.ledger.rows_charged(workspace, since)


def check_budget(limits: Limits, left: int, *, rows: int) -> None:
    """Raise `LimitReached` where `left` does not hold so many rows."""
    if rows > left:
        raise LimitReached(
            Fault(
                "WEEKLY_BUDGET",
                f"The project has used its {limits.rows_per_week:,} rows of the last seven days, or too many of them "
                "for this answer.",
                rule="limits.rows_per_week",
                fix="Wait until earlier answers are seven days old, or aggregate in SQL: only rows handed out count.",
            )
        )
