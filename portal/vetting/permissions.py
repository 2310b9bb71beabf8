"""The page docs/permissions.md, written from the table itself."""

from collections.abc import Iterator

from portal.vetting.application import CONDITIONS, State, Way
from portal.vetting.notices import DAYS
from portal.vetting.table import NEXT, TABLE, Next, Role, reachable
from portal.vetting.undertakings import UNDERTAKINGS

_ROLES = (Role.APPLICANT, Role.REVIEWER, Role.STEWARD, Role.PORTAL)
_WAYS = {
    Way.VETTED: "Vetted researchers, on a reasoned request (Art. 40(4))",
    Way.PUBLIC_DATA: "Publicly accessible data (Art. 40(12))",
}


def permissions_page() -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Who may do what with an application"
    yield ""
    yield "Written by `portal applications table` from `portal/vetting/table.py`; a test holds this page to it."
    yield "What does not stand here is refused, to everybody. An arrow says where an act leads; without one the state"
    yield "stays."
    yield ""
    yield "- Whose application it is acts as its applicant only, whatever else they are: nobody decides on their own."
    yield "- The Digital Services Coordinator has no account here: a steward writes down what it says."
    yield "- Applicants, stewards, reviewers and auditors read an application and its timeline, and nobody else."
    for way, title in _WAYS.items():
        yield from ("", f"## {title}", "")
        yield f"| state | {' | '.join(_ROLES)} | next step | whose | until |"
        yield f"|---|{'---|' * len(_ROLES)}---|---|---|"
        for state in reachable(way):
            cells = " | ".join(_acts(state, role, way) for role in _ROLES)
            yield f"| {state} | {cells} | {_turn(NEXT.get((state, way)))} |"
    yield from ("", "## Conditions of Art. 40(8)", "", "| | condition |", "|---|---|")
    yield from (f"| ({letter}) | {words} |" for letter, words in CONDITIONS.items())
    yield from (
        "",
        "## Undertakings, by the click of each member",
        "",
        "| undertaking | version | words |",
        "|---|---|---|",
    )
    yield from (f"| `{each.key}` | {each.version} | {each.text} |" for each in UNDERTAKINGS)
    yield from ("", "## What the Coordinator is told", "")
    yield f"That access was given, and that it ended: drafted at once, due after {DAYS} working days (Art. 15(1) of"
    yield "Delegated Regulation (EU) 2025/2050)."


def _acts(state: State, role: Role, way: Way) -> str:
    rows = [row for row in TABLE if (row.state, row.role) == (state, role) and row.way in (None, way)]
    return ", ".join(f"{row.act}" if row.to is state else f"{row.act} → {row.to}" for row in rows) or "-"


def _turn(turn: Next | None) -> str:
    if turn is None:
        return "- | - | -"
    kind = "working days" if turn.are_working_days else "days"
    start = " after receipt" if turn.from_receipt else ""
    return (
        f"{turn.words} | {turn.owner} | {f'{turn.days} {kind}{start}' if turn.days else 'the last day of the access'}"
    )
