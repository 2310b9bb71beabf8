"""Names the parts of a decision, and says which stands before and after each."""

from portal.site.commitments import Commitments, Part


def part_named(commitments: Commitments, name: str) -> Part | None:
    """Return the part of that id, None where there is none."""
    return next((part for part in commitments.parts if part.id == name), None)


def place_in_words(commitments: Commitments, part: Part) -> str:
    """Say which part it is, as `Commitment 2 of 6`."""
    kind, parts = (
        ("Commitment", commitments.commitments)
        if part in commitments.commitments
        else ("Preliminary finding", commitments.findings)
    )
    return f"{kind} {parts.index(part) + 1} of {len(parts)}"


def neighbours(commitments: Commitments, part: Part) -> tuple[Part | None, Part | None]:
    """Return the part before and the part after, None at either end."""
    parts = commitments.parts
    place = parts.index(part)
    return (parts[place - 1] if place else None, parts[place + 1] if place + 1 < len(parts) else None)
