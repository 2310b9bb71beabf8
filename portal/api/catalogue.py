"""What there is: datasets, their codebooks and releases, and what is open to who asks."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from portal.api.asking import TheAsker, TheServices
from portal.api.conditional import CACHED, told, told_text
from portal.api.examples import UNCHANGED, shown
from portal.api.paging import PAGED, ThePage, one_page
from portal.catalogue.metadata import FORMS
from portal.desk.access import catalogue, catalogue_entry
from portal.desk.answers import CatalogueEntry
from portal.desk.describing import describe_for
from portal.desk.releases import public_releases
from portal.ids import DatasetName
from portal.policy.decision import Permit
from portal.policy.explain import explain

ROUTER = APIRouter(prefix="/datasets", tags=["datasets"])
INSIDE = {"recipe", "layout"}
"""What of a dataset is the platform's own business."""
Name = Annotated[str, Path(examples=["dsa_transparency_daily"])]
_LIST = {**shown("datasets", "One page of them, by name.", **PAGED, **CACHED), **UNCHANGED}
_ONE = {**shown("dataset", "The dataset; the example's codebook is shortened.", **CACHED), **UNCHANGED}
_DESCRIPTIONS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "; ".join(f"`{end}`: {form.title}" for end, form in FORMS.items()),
        "content": {form.media_type: {} for form in FORMS.values()},
        "headers": CACHED,
    },
    **UNCHANGED,
}


@ROUTER.get("", response_class=Response, responses=_LIST)
def datasets(services: TheServices, asker: TheAsker, request: Request, page: ThePage) -> Response:
    """List the datasets of which the codebook, at least, is open to you."""
    entries = sorted(catalogue(services, asker), key=lambda entry: entry.dataset.name)
    part, headers = one_page(request, page, entries, lambda entry: entry.dataset.name)
    return told(request, [_in_brief(entry) for entry in part], headers)


@ROUTER.get("/{name}", response_class=Response, responses=_ONE)
def dataset(services: TheServices, asker: TheAsker, request: Request, name: Name) -> Response:
    """Give a dataset's codebook, its releases, and your own access in words."""
    entry = catalogue_entry(services, asker, DatasetName(name))
    content = {
        **_in_brief(entry),
        "until": entry.decision.until if isinstance(entry.decision, Permit) else None,
        "access_in_words": explain(entry.decision),
        "releases": public_releases(services, asker, entry.dataset.name),
        "codebook": entry.dataset.model_dump(mode="json", exclude=INSIDE),
    }
    return told(request, content)


@ROUTER.get("/{name}/metadata.{form}", response_class=Response, responses=_DESCRIPTIONS)
def metadata(
    services: TheServices,
    asker: TheAsker,
    request: Request,
    name: Name,
    form: Annotated[str, Path(json_schema_extra={"enum": list(FORMS)}, examples=["croissant.json"])],
) -> Response:
    """Describe a dataset for another catalogue, a tool or a reference manager."""
    if form not in FORMS:
        raise HTTPException(404)
    described = describe_for(services, asker, DatasetName(name), f"{request.url.scheme}://{request.url.netloc}")
    return told_text(request, FORMS[form].text(described).encode(), FORMS[form].media_type)


def _in_brief(entry: CatalogueEntry) -> dict[str, Any]:
    return {
        "name": entry.dataset.name,
        "title": entry.dataset.title,
        "topic": entry.dataset.topic,
        "access": entry.decision.access.word,
        "release": entry.release,
        "released_at": entry.released_at,
        "rows": entry.rows,
        "synthetic": entry.synthetic,
    }
