"""Long lists in pages: so many at a time, and a `Link` to the next (RFC 8288), which a program follows to the end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query
from starlette.requests import Request

from portal.errors import Fault, UsageError

MOST = 500
"""Things on one page."""
PAGED: dict[str, Any] = {
    "Link": {
        "description": 'Where there is more: the next page, as `<address>; rel="next"`.',
        "schema": {"type": "string"},
    },
}
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Page:
    """What part of a list is asked for: so many after the one of that name."""

    limit: int
    after: str | None


def _page(
    limit: Annotated[int, Query(ge=1, le=MOST, description="As many as this.")] = 100,
    after: Annotated[
        str | None, Query(max_length=200, description="Those after this one; taken from the link to the next page.")
    ] = None,
) -> Page:
    return Page(limit, after)


ThePage = Annotated[Page, Depends(_page)]


def one_page(
    request: Request, page: Page, things: Sequence[Thing], name_of: Callable[[Thing], str]
) -> tuple[Sequence[Thing], Mapping[str, str]]:
    """Return the part of a whole list that was asked for, and the headers that lead on. Raises `UsageError`."""
    names = [name_of(thing) for thing in things]
    if page.after is not None and page.after not in names:
        raise UsageError(
            Fault("PAGE_UNKNOWN", "The list has nothing of the name that `after` gives.", fix="Begin without `after`.")
        )
    first = names.index(page.after) + 1 if page.after is not None else 0
    part = things[first : first + page.limit]
    more = first + len(part) < len(things)
    return part, leading_on(request, limit=page.limit, after=name_of(part[-1])) if more else {}


def leading_on(request: Request, **query: object) -> Mapping[str, str]:
    """Return the header that leads to the next page: the same address, with these values in its query."""
    there = request.url.include_query_params(**query)
    return {"Link": f'<{there.path}?{there.query}>; rel="next"'}
