"""Who looks something up does not wait for those who wait for their turn."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

from httpx import ASGITransport, AsyncClient
from support.portal import a_token, services_of, write_portal

from portal.api import create_api
from portal.desk.services import Services
from portal.ids import PersonId

WAITING = 50


async def look_something_up_meanwhile(services: Services, running: ExitStack) -> list[int]:
    """Send many statements, ask for the catalogue while all of them wait, and return how each of them ended."""
    transport = ASGITransport(create_api(services))
    headers = {"Authorization": f"Bearer {a_token(services)}"}
    async with AsyncClient(transport=transport, base_url="http://portal", headers=headers, timeout=60) as client:
        bodies = [{"sql": f"SELECT count(*) AS n, {number} AS k FROM holidays"} for number in range(WAITING)]
        asked = [asyncio.create_task(client.post("/query", json=body)) for body in bodies]
        async with asyncio.timeout(60):
            while len(services.admission._waiting) < WAITING:  # noqa: ASYNC110 - they tell nobody that they wait
                await asyncio.sleep(0.05)
            assert (await client.get("/datasets")).status_code == 200
        assert not any(task.done() for task in asked)
        running.close()
        return [(await task).status_code for task in asked]


def test_the_catalogue_is_answered_while_fifty_statements_wait(tmp_path: Path) -> None:
    settings = write_portal(tmp_path).model_copy(update={"waiting_per_person": WAITING})
    with services_of(settings) as services, ExitStack() as running:
        for number in range(settings.sandboxes):
            running.enter_context(services.admission.admitted(PersonId(f"other {number}"), 1))
        assert asyncio.run(look_something_up_meanwhile(services, running)) == [200] * WAITING
