"""What the provider must tell the Digital Services Coordinator, drafted so that a steward only has to send it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from portal.ids import ApplicationId, PersonId
from portal.vetting.application import Application
from portal.vetting.working_days import Calendar

DAYS = 3
"""Working days to tell that access was given or ended (Art. 15(1) of Delegated Regulation (EU) 2025/2050)."""


class Event(StrEnum):
    """What is told."""

    GIVEN = "access-given"
    ENDED = "access-ended"


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice. `number` counts them; `sent_at` None: not sent yet."""

    number: int
    application: ApplicationId
    event: Event
    text: str
    drafted_at: datetime
    due: date
    sent_at: datetime | None = None
    sent_by: PersonId | None = None


def draft_notice(application: Application, event: Event, words: str, at: datetime, calendar: Calendar) -> Notice:
    """Return the notice of what happened then; its number is given where it is kept."""
    draft = application.draft
    days = f"from {draft.starts} to {draft.ends}"
    what = {
        Event.GIVEN: f"access was given on {at.date()}, {days}",
        Event.ENDED: f"access ended on {at.date()}: {words}",
    }
    text = (
        f"Reasoned request {application.reference}, {draft.title}. In accordance with Art. 15(1) of Delegated "
        f"Regulation (EU) 2025/2050 we inform you that {what[event]}. Data: {', '.join(draft.datasets)}."
    )
    due = calendar.after_working_days(at.date(), DAYS)
    return Notice(0, application.id, event, text, at, due)
