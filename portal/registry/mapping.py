"""Between the registry's rows and the dataclasses that everybody else knows."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date
from typing import Any

from portal.ids import PersonId
from portal.policy.model import Tier
from portal.policy.people import Grant, Narrowing, Person, Project
from portal.registry.records import DownloadJob, DownloadRecord, TokenInfo

Row = Mapping[str, Any]


def row_of(record: Person | TokenInfo | DownloadRecord | DownloadJob | Project | Grant) -> dict[str, Any]:
    """Return a record's fields by name, nothing in them copied."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def person_from(row: Row) -> Person:
    """Read a person."""
    return Person(**{**row, "tier": Tier(row["tier"])})


def project_from(row: Row, members: Iterable[PersonId]) -> Project:
    """Read a project with its members."""
    typed = {
        "member_states": tuple(row["member_states"]),
        "undertakings": frozenset(row["undertakings"]),
        "members": frozenset(members),
    }
    return Project(**{**row, **typed})


def project_row(project: Project) -> dict[str, Any]:
    """Return the project's row; its members stand in a table of their own."""
    row = row_of(project) | {"undertakings": sorted(project.undertakings)}
    del row["members"]
    return row


def grant_from(row: Row) -> Grant:
    """Read a grant."""
    return Grant(
        row["dataset"], row["project"], row["starts"], row["ends"], _narrowing_from(row["narrowing"]), row["revoked_at"]
    )


def grant_row(grant: Grant) -> dict[str, Any]:
    """Return the grant's row, but for its number."""
    return row_of(grant) | {"narrowing": narrowing_json(grant.narrowing)}


def narrowing_json(narrowing: Narrowing) -> dict[str, Any]:
    """Return the narrowing as JSON has it."""
    return {
        "hidden": sorted(narrowing.hidden),
        "rows": narrowing.rows,
        "since": narrowing.since and narrowing.since.isoformat(),
        "until": narrowing.until and narrowing.until.isoformat(),
    }


def token_from(row: Row) -> TokenInfo:
    """Read a token, without the hash of its secret."""
    return TokenInfo(**{key: value for key, value in row.items() if key != "secret_hash"})


def download_from(row: Row) -> DownloadRecord:
    """Read a download."""
    return DownloadRecord(**row)


def job_from(row: Row) -> DownloadJob:
    """Read a download that is not yet a file."""
    return DownloadJob(**{key: value for key, value in row.items() if key != "number"})


def _narrowing_from(found: Row) -> Narrowing:
    since, until = (date.fromisoformat(found[key]) if found[key] else None for key in ("since", "until"))
    return Narrowing(frozenset(found["hidden"]), found["rows"], since, until)
