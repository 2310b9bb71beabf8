"""About who asks: themselves, their projects, their receipts."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from portal.api.asking import TheAsker, TheServices
from portal.desk.access import identify, projects_of
from portal.desk.activity import my_receipt
from portal.ids import ReceiptId

ROUTER = APIRouter(tags=["me"])


@ROUTER.get("/me")
def me(services: TheServices, asker: TheAsker) -> dict[str, Any]:
    """Say who you are, for which project this token is, and which projects are yours."""
    person = identify(services, asker.person)
    return {
        "person": {"id": person.id, "name": person.name, "tier": person.tier},
        "project": asker.project,
        "projects": [
            {"id": project.id, "title": project.title, "starts": project.starts, "ends": project.ends}
            for project in projects_of(services, person.id)
        ],
    }


@ROUTER.get("/receipts/{identifier}")
def receipt(services: TheServices, asker: TheAsker, identifier: str) -> Mapping[str, Any]:
    """Give one of your own receipts, as it was recorded."""
    return my_receipt(services, asker, ReceiptId(identifier))
