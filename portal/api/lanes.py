"""Statements have threads of their own, so that who only looks something up never waits behind statements that do.

A statement holds its thread while it waits for its turn (see `portal.desk.admission`); all else is done in a moment,
in the threads that FastAPI gives every plain function.
"""

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI
from starlette.requests import Request

THREADS = 200
"""Statements of the API that run or wait; those that are more wait before they are looked at."""
Arguments = ParamSpec("Arguments")
Returned = TypeVar("Returned")


def open_lane(api: FastAPI) -> None:
    """Give an application its threads for statements."""
    api.state.statements = CapacityLimiter(THREADS)


def takes_long(endpoint: Callable[Arguments, Returned]) -> Callable[Arguments, Awaitable[Returned]]:
    """Have an endpoint, which takes its `request`, run in the threads for statements."""

    @wraps(endpoint)
    async def run(*arguments: Arguments.args, **named: Arguments.kwargs) -> Returned:
        request = named["request"]
        assert isinstance(request, Request)
        return await to_thread.run_sync(partial(endpoint, *arguments, **named), limiter=request.app.state.statements)

    return run
